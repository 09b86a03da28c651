"""Races of a transaction with readers and other writers, over a real MySQL: R4, R6 to R10."""

import asyncio
import time
from typing import Any

import pytest

from models import base
from models.errors import Busy
from tests.cache.notes import NAMED, CommitWire, Desks, Named
from tests.cache.steps import until_answers

pytest_plugins = ["tests.cache.stages"]


async def test_r04_forgetting_before_commit_is_not_undone_by_a_reader_who_refills_the_old_row(desks: Desks) -> None:
    writer, reader = await desks.open(), await desks.open()
    begun, committed = writer.hold("after begin"), writer.hold("before end")
    write = asyncio.create_task(writer.notes.change(1, "new"))
    await begun.reached()
    assert [await reader.notes.text(1), await reader.notes.text(1)] == ["old", "old"]
    begun.free()
    await committed.reached()
    assert [await reader.notes.text(1), await reader.notes.text(1)] == ["new", "new"]
    committed.free()
    await write

    assert await reader.notes.text(1) == await writer.notes.text(1) == "new"
    assert reader.process.link.answers("fill") == [["stored"]]  # that of the last read alone


async def test_r04_a_write_that_has_returned_leaves_nothing_that_keeps_the_row_from_being_remembered(
    desks: Desks,
) -> None:
    writer, reader = await desks.open(), await desks.open()
    await reader.notes.text(1)
    await writer.notes.change(1, "new")
    found = [await reader.notes.text(1), await reader.notes.text(1), await writer.notes.text(1)]

    assert found == ["new"] * 3
    assert reader.process.link.answers("fill") == [["stored"], ["stored"]]


async def test_r06_a_commit_whose_reply_is_lost_counts_as_a_commit(desks: Desks, commit_wire: CommitWire) -> None:
    writer, reader = await desks.open(mysql=commit_wire.path, size=1), await desks.open()
    assert await reader.notes.text(1) == "old"
    await writer.db.fetch("SELECT 1")  # a new connection begins with a COMMIT of aiomysql's
    commit_wire.lose = True
    with pytest.raises(Busy):
        await writer.notes.change(1, "new")
    await until_answers(lambda: _holds(desks, 1, "new"))

    assert await reader.notes.text(1) == "new"
    assert await reader.notes.first() == [1]


async def test_r06_a_commit_that_arrives_after_its_writer_gave_up_leaves_nothing_old_behind(
    desks: Desks, commit_wire: CommitWire
) -> None:
    """The wire holds the COMMIT back; the writer is told that it failed; a reader comes; then MySQL gets the COMMIT after all."""
    writer, reader = await desks.open(mysql=commit_wire.path, size=1, seconds=0.3), await desks.open()
    await writer.db.fetch("SELECT 1")
    commit_wire.delay = True
    with pytest.raises(Busy):
        await writer.notes.change(1, "new")
    assert await reader.notes.text(1) == "old"
    commit_wire.through.set()
    # Either MySQL was told to end that connection, and the COMMIT found nobody; or it was carried out now.
    await until_answers(lambda: _unlocked(desks, 1))

    assert await reader.notes.text(1) == await desks.stored(1)


async def test_r06_a_mysql_that_stands_still_for_longer_than_the_tombstone_leaves_nothing_old_behind(
    desks: Desks, commit_wire: CommitWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer cannot ask what became of its COMMIT; the tombstone runs out, a reader fills; then MySQL does it."""
    writer, reader = await desks.open(mysql=commit_wire.path, size=1, seconds=0.3), await desks.open()
    see_off, away = writer.db.see_off, True

    async def cannot(thread: int) -> None:
        if away:
            raise Busy("MySQL stands still")
        await see_off(thread)

    monkeypatch.setattr(base, "HOLD", 0.3)
    monkeypatch.setattr(writer.db, "see_off", cannot)
    await writer.db.fetch("SELECT 1")
    commit_wire.delay = True
    with pytest.raises(Busy):
        await writer.notes.change(1, "new")
    await until_answers(lambda: _filled(reader))
    commit_wire.through.set()
    await until_answers(lambda: _holds(desks, 1, "new"))
    away = False

    await until_answers(lambda: _reads(reader, "new"))


async def _filled(desk: Any) -> bool:
    assert await desk.notes.text(1) == "old"
    return ["stored"] in desk.process.link.answers("fill")


async def _reads(desk: Any, text: str) -> bool:
    return bool(await desk.notes.text(1) == text)


async def _holds(desks: Desks, id: int, text: str) -> bool:
    return await desks.stored(id) == text


async def _unlocked(desks: Desks, id: int) -> bool:
    async with desks.truth.transaction() as connection:
        await connection.fetch("SELECT id FROM notes WHERE id = %s FOR UPDATE", id)
        await connection.rollback()
    return True


async def test_r07_what_was_rolled_back_after_begin_was_never_seen_and_bars_nobody(desks: Desks) -> None:
    writer, reader = await desks.open(), await desks.open()
    begun = writer.hold("after begin")
    write = asyncio.create_task(writer.notes.change(1, "never"))
    await begun.reached()
    during = await reader.notes.text(1)
    write.cancel()
    await asyncio.gather(write, return_exceptions=True)
    await until_answers(lambda: _nothing_stands(desks, reader))
    after = [await reader.notes.text(1), await reader.notes.text(1), await writer.notes.text(1)]

    assert [during, *after] == ["old"] * 4
    assert reader.process.link.answers("fill") == [["stored"]]


async def _nothing_stands(desks: Desks, desk: object) -> bool:
    return await desks.stage.raw(desk.process, NAMED(1)) is None  # type: ignore[attr-defined]


async def test_r08_a_load_reads_a_snapshot_that_was_opened_after_its_lease(desks: Desks) -> None:
    """With one connection: the second load is on the connection of the first, and must not see what the first one saw."""
    writer, reader = await desks.open(), await desks.open(size=1)
    assert await reader.notes.text(1) == "old"
    await writer.notes.change(1, "new")

    assert await reader.notes.text(1) == "new"
    assert await writer.notes.text(1) == "new"


async def test_r08_a_load_does_not_read_in_the_transaction_of_the_request_that_asks(desks: Desks) -> None:
    """A transaction that has read before does not lend its snapshot to a fill."""
    writer, reader = await desks.open(), await desks.open()
    async with reader.db.connection() as connection:
        await connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    async with reader.db.transaction() as transaction:
        assert (await transaction.fetch("SELECT text FROM notes WHERE id = 1"))[0][0] == "old"
        await writer.notes.change(1, "new")
        assert await reader.notes.text(1) == "new"

    assert await reader.notes.text(1) == await writer.notes.text(1) == "new"


async def test_r09_the_end_of_one_writer_does_not_free_a_row_that_another_is_about_to_commit_and_crash(
    desks: Desks,
) -> None:
    first, second, reader = await desks.open(), await desks.open(), await desks.open()
    first_end, begun, dies = first.hold("before end"), second.hold("after begin"), second.hold("before end")
    one = asyncio.create_task(first.notes.change(1, "first"))
    await first_end.reached()
    two = asyncio.create_task(second.notes.change(1, "second"))
    await begun.reached()
    first_end.free()
    await one
    assert await reader.notes.text(1) == "first"
    begun.free()
    await dies.reached()  # and never gets further, as after kill -9

    assert await desks.stored(1) == "second"
    assert await reader.notes.text(1) == "second"
    assert await reader.notes.first() == [1]
    dies.free()
    await two


async def test_r09_of_two_writers_either_may_end_first(desks: Desks) -> None:
    first, second, reader = await desks.open(), await desks.open(), await desks.open()
    first_end, begun = first.hold("before end"), second.hold("after begin")
    one = asyncio.create_task(first.notes.change(1, "first"))
    await first_end.reached()
    two = asyncio.create_task(second.notes.change(1, "second"))
    await begun.reached()
    begun.free()
    await two
    assert await reader.notes.text(1) == "second"
    first_end.free()
    await one

    assert [await reader.notes.text(1), await reader.notes.text(1)] == ["second", "second"]
    assert reader.process.link.answers("fill")[-1] == ["stored"]


async def test_r10_a_transaction_is_given_up_before_its_tombstone_ends(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert base.TRANSACTION_SECONDS < base.HOLD
    monkeypatch.setattr(base, "TRANSACTION_SECONDS", 0.3)
    writer, reader = await desks.open(), await desks.open()
    begun = writer.hold("after begin")
    write = asyncio.create_task(writer.notes.change(1, "late"))
    await begun.reached()
    with pytest.raises(Busy):
        async with asyncio.timeout(20):
            await write

    assert await desks.stored(1) == "old"
    assert await reader.notes.text(1) == "old"


async def test_r10_a_process_that_slept_in_its_transaction_does_not_commit(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine was suspended after `begin`: no timer has run, and the tombstone has ended meanwhile."""
    writer, reader = await desks.open(), await desks.open()
    begun, now = writer.hold("after begin"), time.clock_gettime
    write = asyncio.create_task(writer.notes.change(1, "late"))
    await begun.reached()
    monkeypatch.setattr(time, "clock_gettime", lambda clock: now(clock) + base.HOLD)
    begun.free()
    with pytest.raises(Busy):
        await write
    monkeypatch.undo()

    assert await desks.stored(1) == "old"
    assert await reader.notes.text(1) == "old"


async def test_r10_a_table_that_is_critical_leaves_a_row_in_the_outbox_until_its_end_is_confirmed(desks: Desks) -> None:
    writer = await desks.open(critical=True)
    committed = writer.hold("before end")
    write = asyncio.create_task(writer.notes.change(1, "new"))
    await committed.reached()
    before = await desks.waiting()
    committed.free()
    await write

    assert before == 1


async def test_r06_a_cancelled_statement_does_not_leave_its_answer_to_the_next_reader(desks: Desks) -> None:
    """A connection whose query was cancelled is thrown away: what it would answer next is the answer to that query."""
    desk, slow = await desks.open(size=1), "SELECT 666, 'x', SLEEP(0.2), 1 FROM notes"
    asked = asyncio.create_task(desk.db.fetch(slow))
    await until_answers(lambda: _runs(desks, "SLEEP(0.2)"))
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)

    assert await desk.notes.find(1) == Named(1, "a", "old", 1)


async def _runs(desks: Desks, part: str) -> bool:
    rows = await desks.truth.fetch(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE %s AND id <> CONNECTION_ID()", f"%{part}%"
    )
    return bool(rows[0][0])
