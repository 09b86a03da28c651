"""Races that need a process of its own, which is killed or stopped: R5, R21, R30."""

import signal

from cache import local
from tests.cache.actor import acting
from tests.cache.notes import NAMED, Desks
from tests.cache.steps import until, until_answers

pytest_plugins = ["tests.cache.stages"]


async def test_r05_a_writer_killed_between_commit_and_end_leaves_nothing_old_and_bars_nobody_for_ever(
    desks: Desks,
) -> None:
    reader = await desks.open()
    assert await reader.notes.text(1) == "old"
    assert await reader.notes.first() == [1]
    async with acting(desks, hold=1.0) as writer:
        await writer.do("write", id=1, text="new", stop="before end")
        await writer.kill()
    assert await desks.stored(1) == "new"

    assert await reader.notes.text(1) == "new"
    assert await reader.notes.first() == [1]
    await until_answers(lambda: _remembered(desks, reader.notes, 1))
    assert await reader.notes.text(1) == "new"


async def test_r05_a_writer_killed_between_begin_and_commit_changes_nothing(desks: Desks) -> None:
    reader = await desks.open()
    assert await reader.notes.text(1) == "old"
    async with acting(desks, hold=1.0) as writer:
        await writer.do("write", id=1, text="never", stop="after begin")
        await writer.kill()

    assert await reader.notes.text(1) == "old"
    await until_answers(lambda: _remembered(desks, reader.notes, 1))
    assert await reader.notes.text(1) == await desks.stored(1) == "old"


async def _remembered(desks: Desks, notes: object, id: int) -> bool:
    await notes.text(id)  # type: ignore[attr-defined]
    found = await desks.stage.redis.get(desks.stage.full(NAMED(id)))
    return found is not None and found[:1] == b"V"


async def test_r21_a_process_that_was_stopped_does_not_answer_from_its_level_before_it_has_heard_the_pushes(
    desks: Desks,
) -> None:
    writer = await desks.open()
    async with acting(desks) as reader:
        assert await reader.do("warm", id=1) == "old"
        assert await reader.do("block", id=1) == "blocked"
        reader.send(signal.SIGSTOP)
        await reader.stopped()
        stopped_at = local.now()
        await writer.notes.change(1, "new")
        await until(lambda: local.now() - stopped_at > local.LAG)
        reader.poke()
        reader.send(signal.SIGCONT)
        before, at_once, then = await reader.told()

    assert before == "old"
    assert at_once in (None, "new")
    assert then == "new"


async def test_r30_a_writer_killed_on_a_row_that_others_keep_writing_does_not_bar_it_for_as_long_as_they_write(
    desks: Desks,
) -> None:
    """The others overlap, so the tombstone never goes; only the dead one's own deadline ends its part in it."""
    stage = desks.stage
    one, other = await stage.process(), await stage.process()
    full = stage.full(NAMED(1))
    writers = [one.cache.writer(), other.cache.writer()]
    await one.cache.begin([NAMED(1)], writers[0], 20.0)
    async with acting(desks, hold=0.5) as dead:
        await dead.do("write", id=1, text="never", stop="after begin")
        await dead.kill()
    first = await stage.redis.get(full)
    last = await _redis_ms(desks)
    await until_answers(lambda: _past(desks, last + 500))
    await other.cache.begin([NAMED(1)], writers[1], 20.0)
    await one.cache.end([NAMED(1)], writers[0])
    between = await stage.redis.get(full)
    await other.cache.end([NAMED(1)], writers[1])

    assert first is not None
    assert between is not None
    assert await stage.redis.get(full) is None


async def _redis_ms(desks: Desks) -> int:
    seconds, micros = await desks.stage.redis.time()
    return int(seconds) * 1000 + int(micros) // 1000


async def _past(desks: Desks, ms: int) -> bool:
    """Redis' clock has gone past this: a deadline inside a tombstone is told by nothing else."""
    return await _redis_ms(desks) > ms
