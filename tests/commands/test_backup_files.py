"""A backup and the worker, who deletes stored files meanwhile; and what of a site is not for its copy."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from commands import backup, restore
from commands.archive import Writer
from commands.backup import connect
from models import connected
from models.file_clearing import BACKUP
from settings import Settings, load
from tests.commands.test_backup import elsewhere, run, said
from tests.harness import people as everybody
from tests.models.uploading import upload


@pytest.fixture
def uploaded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site with a file, which the command finds."""
    for name in ("var", "mysql_url", "redis_url", "namespace"):
        monkeypatch.setenv(f"PLAZA_{name.upper()}", str(getattr(settings, name)))

    async def live() -> None:
        async with connected(settings) as models:
            await upload(models, (await everybody.find(models)).bob)

    asyncio.run(live())
    assert settings.secret_key
    return settings


def test_bytes_that_the_worker_deletes_meanwhile_are_left_out_and_of_other_files_none(
    uploaded: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = list(backup.files(uploaded.var))
    stored, secret = next(p for p in listed if "files" in p.parts), next(p for p in listed if "secrets" in p.parts)
    monkeypatch.setattr(backup, "files", lambda _: iter(listed))
    stored.unlink()
    made = CliRunner().invoke(backup.command, [str(tmp_path / "site.plaza")])
    secret.unlink()

    assert made.exit_code == 0
    with (tmp_path / "other.plaza").open("wb") as target:
        writer = Writer(target)
        with pytest.raises(FileNotFoundError):
            backup.add_files(writer, uploaded.var)
        writer.close(())


def test_one_backup_is_made_at_a_time(uploaded: Settings, tmp_path: Path) -> None:
    """The lock that keeps the worker from deleting has one owner."""
    with connect(uploaded.mysql) as other, other.cursor() as cursor:
        cursor.execute(f"SELECT GET_LOCK({BACKUP}, 0)")
        refused = CliRunner().invoke(backup.command, [str(tmp_path / "site.plaza")])
    made = CliRunner().invoke(backup.command, [str(tmp_path / "site.plaza")])

    assert (refused.exit_code, "another backup" in refused.output + str(refused.exception)) == (1, True)
    assert made.exit_code == 0


@pytest.mark.parametrize("of_before", [False, True])
def test_a_restored_site_acts_on_nothing_that_was_the_old_ones(
    uploaded: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_before: bool
) -> None:
    """A copy for a trial must not empty the CDN of the site, nor refresh its Nginxes."""
    outside = {"PURGE_COMMAND": "purge-the-cdn", "PURGE_URL": "https://cdn.example.org/", "EDGES": "http://10.0.0.5:80"}
    with monkeypatch.context() as patch:
        if of_before:  # a backup of a Plaza that did not know better
            patch.setattr(backup, "OF_THE_MACHINE", frozenset({"var", "mysql_url", "redis_url"}))
        for name, value in outside.items():
            patch.setenv(f"PLAZA_{name}", value)
        assert run(backup.command, tmp_path / "site.plaza").exit_code == 0
    with elsewhere(monkeypatch, tmp_path / "new"):
        done = run(restore.command, tmp_path / "site.plaza")
        restored = load()

    assert done.exit_code == 0, said(done)
    assert (restored.purge_command, restored.purge_url, restored.edges) == (None, None, ())
    assert ("purge-the-cdn" in said(done)) is of_before
