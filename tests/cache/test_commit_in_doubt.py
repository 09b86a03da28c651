"""A COMMIT that lies unread in a socket for longer than its tombstones stand, while MySQL cannot be asked about it."""

import asyncio

import pytest

from cache import records
from models import base, database
from models.errors import Busy
from tests.cache.notes import NAMED, CommitWire, Desks
from tests.cache.steps import until_answers

pytest_plugins = ["tests.cache.stages"]


async def test_a_commit_that_arrives_after_its_tombstones_have_ended_is_not_carried_out(
    desks: Desks, commit_wire: CommitWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MariaDB gives up a transaction that stands still (`idle_transaction_timeout`), here after 1 s instead of 8."""
    monkeypatch.setattr(base, "TRANSACTION_SECONDS", 1.0)
    monkeypatch.setattr(base, "HOLD", 1.2)
    monkeypatch.setattr(base, "PATIENCE", 0.1)
    monkeypatch.setattr(base, "DOUBT", 1.0)
    monkeypatch.setattr(
        database, "_INIT", database._INIT.replace("idle_transaction_timeout = 8", "idle_transaction_timeout = 1")
    )
    writer, reader = await desks.open(mysql=commit_wire.path, size=1, seconds=0.3), await desks.open()

    async def unreachable(thread: int) -> None:
        raise Busy("MySQL cannot be reached")

    monkeypatch.setattr(writer.db, "see_off", unreachable)
    await writer.db.fetch("SELECT 1")  # it is connected
    commit_wire.delay = True
    with pytest.raises(Busy):
        await writer.notes.change(1, "new")
    assert commit_wire.reached.is_set()

    async def row_is_free() -> bool:
        async with desks.truth.transaction() as connection:
            await connection.fetch("SELECT id FROM notes WHERE id = %s FOR UPDATE", 1)
            await connection.rollback()
        return True

    async def remembered() -> bool:
        """Its tombstones have ended, and somebody has stored the row as it is."""
        text = await reader.notes.text(1)
        stands = await reader.process.link.get([NAMED(1).name])
        return text == "old" and stands is not None and records.kind(stands[0]) == b"V"

    await until_answers(row_is_free)
    await until_answers(remembered)
    commit_wire.through.set()
    await asyncio.sleep(0.1)  # for a COMMIT that would be carried out

    assert await reader.notes.text(1) == await desks.stored(1) == "old"
