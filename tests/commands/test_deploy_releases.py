"""Releases where nothing runs: what is copied, kept, deleted, gone back to, and refused."""

import signal
import subprocess
from pathlib import Path

import pytest

from commands import backup, nginx, releases, rolling, sources
from commands.places import make_folders
from tests.commands.instances import Instance, free_port
from tests.commands.versions import lend_environment, version


@pytest.fixture
def quiet(tmp_path: Path) -> Instance:
    """A folder where nothing runs."""
    instance = Instance(tmp_path / "var", free_port())
    lend_environment(instance)
    return instance


def test_where_nothing_runs_a_release_waits_for_up(quiet: Instance, tmp_path: Path) -> None:
    done = quiet.plaza("deploy", str(version(tmp_path / "v", "one")), timeout=600)

    assert done.returncode == 0, done.stdout + done.stderr
    (release,) = releases.found(quiet.settings)
    assert releases.current(quiet.settings) == release.path
    assert "Plaza is not up; start it with: plaza up" in done.stdout
    assert (release.path / "var").resolve() == quiet.var
    assert not (release.path / ".git").exists()
    said = quiet.plaza("down")
    assert f"by release {release.name}" in said.stderr


def test_what_is_no_plaza_is_refused(quiet: Instance, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    empty = quiet.plaza("deploy", str(tmp_path / "empty"))
    nowhere = quiet.plaza("deploy", "no-such-commit")
    option = quiet.plaza("deploy", "--", "--output=x")
    both = quiet.plaza("deploy", "--rollback", "HEAD")
    back = quiet.plaza("deploy", "--rollback")

    assert "is not a version of Plaza that can be deployed: it has no plaza" in empty.stderr
    assert "there is neither a folder nor a commit no-such-commit" in nowhere.stderr
    assert "there is neither a folder nor a commit --output=x" in option.stderr
    assert both.returncode == 2
    assert "there is no release to go back to" in back.stderr
    assert list(releases.folder(quiet.settings).glob("[.2]*")) == []


def made(instance: Instance, *names: str) -> list[Path]:
    """Releases of a lock file each."""
    folder = releases.folder(instance.settings)
    found = []
    for name in names:
        path = folder / f"{name}-abc"
        (path).mkdir()
        (path / "requirements.lock").write_text(name)
        (path / releases.ABOUT).write_text("{}")
        releases.mark(path, releases.RAN)
        venv = releases.environment_of(instance.settings, path)
        venv.mkdir()
        (path / ".venv").symlink_to(f"../venvs/{venv.name}")
        found.append(path)
    return found


def test_old_releases_go_with_their_environments_unless_they_are_needed(quiet: Instance) -> None:
    first, second, third, fourth, fifth = made(quiet, "1", "2", "3", "4", "5")
    releases.point(quiet.settings, second)
    user = subprocess.Popen(["sleep", "600"], cwd=third)
    try:
        gone = releases.prune(quiet.settings, 1)
    finally:
        user.kill()
        user.wait()

    assert gone == [fourth.name]  # first is the one to go back to, second is current, somebody is in third
    assert not releases.environment_of(quiet.settings, fifth).samefile(first / ".venv")
    left = {path.name for path in (releases.folder(quiet.settings) / "venvs").iterdir() if not path.is_symlink()}
    assert left == {(path / ".venv").resolve().name for path in (first, second, third, fifth)}


def test_the_way_back_leads_past_what_somebody_went_back_from(quiet: Instance) -> None:
    first, second, failed, third = made(quiet, "1", "2", "3", "4")
    releases.mark(second, releases.WITHDRAWN)
    (failed / releases.RAN).unlink()
    releases.point(quiet.settings, third)
    before = releases.before(quiet.settings)
    releases.point(quiet.settings, first)

    assert before is not None
    assert before.path == first
    assert releases.before(quiet.settings) is None


def test_a_clock_that_was_set_back_does_not_turn_the_order(quiet: Instance) -> None:
    made(quiet, "29991231T235959Z")

    assert releases.next_stamp(quiet.settings) == "30000101T000000Z"


def test_a_backup_leaves_releases_out(quiet: Instance) -> None:
    (release,) = made(quiet, "1")
    releases.point(quiet.settings, release)
    (quiet.var / "kept").touch()

    assert list(backup.files(quiet.var)) == [quiet.var / "kept"]


def test_a_commit_is_what_it_was(tmp_path: Path) -> None:
    about = sources.copy("HEAD", tmp_path / "copy")

    assert about["commit"].startswith(about["hash"])
    assert (tmp_path / "copy" / "plaza").stat().st_mode & 0o111
    assert not (tmp_path / "copy" / ".git").exists()
    assert list(tmp_path.iterdir()) == [tmp_path / "copy"]


def test_a_trial_that_outlived_its_deploy_is_ended(quiet: Instance) -> None:
    (release,) = made(quiet, "1")
    note = quiet.var / "trial.pid"
    orphan, other = subprocess.Popen(["sleep", "600"], cwd=release), subprocess.Popen(["sleep", "600"], cwd=quiet.var)
    try:
        for process in (orphan, other):
            note.write_text(str(process.pid))
            rolling._end_orphan(quiet.settings, note)

        assert orphan.wait(30) == -signal.SIGKILL
        assert other.poll() is None  # its number was somebody else's
    finally:
        for process in (orphan, other):
            process.kill()
            process.wait()


def test_a_release_whose_origin_cannot_be_read_is_one_all_the_same(quiet: Instance) -> None:
    (release,) = made(quiet, "1")
    (release / releases.ABOUT).write_text("")

    assert [one.path for one in releases.found(quiet.settings)] == [release]
    assert release.name in quiet.plaza("deploy", "--list").stdout


def test_nginx_is_told_until_it_was_told(quiet: Instance) -> None:
    settings = quiet.settings
    make_folders(settings)
    nginx.render_files(settings)
    before = nginx.is_read(settings)
    nginx.mark_read(settings)
    after = nginx.is_read(settings)
    (settings.var / "etc" / "nginx.conf").write_text("# changed")

    assert (before, after, nginx.is_read(settings)) == (False, True, False)


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("nginx: [emerg] bind() to 0.0.0.0:443 failed (13: Permission denied)", False),
        ("nginx: [emerg] bind() to 0.0.0.0:443 failed (98: Address already in use)", True),
        ("nginx: [emerg] bind() to [::]:80 failed (13: Permission denied)\nnginx: [emerg] unknown directive", True),
        ("nginx: [warn] something", True),
    ],
)
def test_a_port_that_only_its_unit_may_take_is_no_refusal(
    quiet: Instance, said: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nginx").write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\nexit 1\n")
    (tmp_path / "nginx").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    assert bool(nginx.refusal(quiet.settings)) == refused
