"""The shell script `plaza` itself: from any folder, by a link, with a broken or missing environment."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from settings import ROOT


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in a folder with a space, with nothing to install and a command line that only says what it got."""
    root = tmp_path_factory.mktemp("entry") / "a checkout"
    (root / "commands").mkdir(parents=True)
    shutil.copy(ROOT / "plaza", root)
    shutil.copy(ROOT / "commands" / "packages.sh", root / "commands")
    (root / "requirements.lock").touch()
    (root / "requirements-test.lock").touch()
    (root / "requirements-load.lock").touch()
    (root / "commands" / "__init__.py").touch()
    (root / "commands" / "__main__.py").write_text("import sys\nprint(sys.argv[1:], sys.prefix)\n")
    return root


def run(program: Path, *arguments: str, path: str | None = None) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLAZA_")}
    environment = kept | ({"PATH": path} if path else {})
    return subprocess.run(
        [str(program), *arguments], env=environment, capture_output=True, text=True, check=False, cwd="/"
    )


def test_it_makes_its_environment_once_mends_a_broken_one_and_follows_links(checkout: Path) -> None:
    link = checkout.parent / "link"
    link.symlink_to("a checkout/plaza")

    first = run(link, "status", "two words")
    second = run(link, "status")
    (checkout / ".venv" / ".stamp").unlink()  # as when it was interrupted
    again = run(checkout / "plaza", "status")
    (checkout / ".venv" / "bin" / "python").unlink()
    mended = run(checkout / "plaza", "status")

    assert first.stdout == f"['status', 'two words'] {checkout}/.venv\n", first.stderr
    assert "Preparing" in first.stderr
    assert (second.stdout, second.stderr) == (f"['status'] {checkout}/.venv\n", "")
    assert mended.stdout == again.stdout == second.stdout
    assert "Preparing" in mended.stderr
    assert "Preparing" in again.stderr


def test_where_a_release_runs_a_command_goes_there_before_anything_here_is_looked_at(
    checkout: Path, tmp_path: Path
) -> None:
    release = tmp_path / "releases" / "1-abc"
    release.mkdir(parents=True)
    (release / "plaza").write_text('#!/bin/sh\necho "release: $*"\n')
    (release / "plaza").chmod(0o755)
    (tmp_path / "current").symlink_to("releases/1-abc")
    broken = shutil.copytree(checkout, tmp_path / "broken")
    (broken / "requirements.lock").write_text("what is not installed\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLAZA_")}

    done = subprocess.run(
        [broken / "plaza", "status", "two words"], env=kept | {"PLAZA_VAR": str(tmp_path)}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip

    assert done.stdout == "release: status two words\n"
    assert done.stderr == f"by release 1-abc, which runs here; {broken} is not deployed\n"


def test_what_cannot_be_installed_is_told_with_its_log(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text("nothing-of-that-name==1 --hash=sha256:" + "0" * 64 + "\n")
    (checkout / "pip.conf").write_text("[global]\nno-index = true\n")
    os.environ["PIP_CONFIG_FILE"] = str(checkout / "pip.conf")
    try:
        done = run(checkout / "plaza", "status")
    finally:
        del os.environ["PIP_CONFIG_FILE"]

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f"the whole output is in {checkout}/.venv.log")
    assert not (checkout / ".venv" / ".stamp").exists()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH with a shell and little else, for somebody who is not root and has no sudo."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "ls", "mktemp", "tail", "printf"):
        (folder / name).symlink_to(shutil.which(name) or "")
    (folder / "id").write_text("#!/bin/sh\necho 1000\n")
    (folder / "apt-get").write_text("#!/bin/sh\nexit 9\n")
    for name in ("id", "apt-get"):
        (folder / name).chmod(0o755)
    return folder


def test_somebody_who_may_not_install_gets_the_one_line(bare: Path) -> None:
    script = ROOT / "commands" / "packages.sh"

    done = run(script, "tests", path=str(bare))

    assert done.returncode == 1
    lines = [line.strip() for line in done.stderr.splitlines() if "apt-get" in line]
    assert len(lines) == 1
    assert lines[0].startswith("apt-get install -y --no-install-recommends chromium")


def test_with_everything_there_nothing_is_installed_or_said() -> None:
    done = run(ROOT / "commands" / "packages.sh", "python", "mysql", "redis", "nginx", "tests")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("command", ["", "up", "down", "restart", "status", "logs", "migrate", "create-admin", "shell",
                                     "reset-password", "deploy", "doctor", "check", "dev", "test", "import"])  # fmt: skip
def test_every_command_explains_itself(command: str) -> None:
    done = run(ROOT / "plaza", *([command] if command else []), "--help")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: plaza")
