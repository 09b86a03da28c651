"""A backup and the worker, who deletes stored files meanwhile."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from commands import backup
from commands.archive import Writer
from commands.backup import connect
from models import connected
from models.file_clearing import BACKUP
from settings import Settings
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
