"""What becomes of a migration that cannot be applied: one sentence, in time."""

import time
from pathlib import Path
from typing import Any

import pymysql
import pytest

from commands import migrate
from commands.console import Trouble
from settings import Settings
from tests.commands.versions import BROKEN, COLUMN


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"mysql_timeout": 1.0}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of migrations; empty."""
    monkeypatch.setattr(migrate, "MIGRATIONS", tmp_path)
    return tmp_path


def test_one_that_fails_is_told_by_its_name(settings: Settings, folder: Path) -> None:
    (folder / "0099-broken.sql").write_text(BROKEN.replace("-- depends: 0001-the-blog\n", ""))

    with pytest.raises(Trouble, match=r"migration 0099-broken fails: .*nowhere"):
        migrate.apply(settings)


def test_one_that_waits_for_a_reader_gives_up_before_those_behind_it_do(settings: Settings, folder: Path) -> None:
    (folder / "0098-mood.sql").write_text(COLUMN.replace("-- depends: 0001-the-blog\n", ""))
    address = settings.mysql
    started = time.monotonic()
    with pymysql.connect(
        unix_socket=address.unix_socket, user=address.user, password=address.password, database=address.database
    ) as reader, reader.cursor() as cursor:  # fmt: skip
        cursor.execute("START TRANSACTION")
        cursor.execute("SELECT COUNT(*) FROM posts")

        with pytest.raises(Trouble, match="migration 0098-mood fails: Lock wait timeout"):
            migrate.apply(settings)

    assert time.monotonic() - started < 60  # MariaDB's own patience is a day
    assert migrate.apply(settings) == ["0098-mood"]
