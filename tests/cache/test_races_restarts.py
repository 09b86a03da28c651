"""Races with a Redis that restarts, comes back with old data, or cannot be reached: R17, R27, R29."""

import asyncio

import pytest

from tests.cache.notes import Desk, Desks
from tests.cache.own_redis import OwnRedis
from tests.cache.samples import NOTE
from tests.cache.steps import Stage, folder_url, near, open_level, until, until_answers, warm
from tests.harness.wires import Wire

pytest_plugins = ["tests.cache.stages"]


async def test_r17_what_redis_brings_back_from_an_old_dump_is_out_of_reach(
    own_redis: OwnRedis, own_stage: Stage
) -> None:
    one, other = await own_stage.process(local=True), await own_stage.process()
    assert await other.text(1) == "old"
    assert await other.page() == (1,)
    await own_stage.redis.save()
    await one.write(1, "new")
    await one.write(2, "second")
    before = other.link.epoch
    await own_redis.kill()
    await own_redis.start()
    await back(own_stage, one.link, other.link)
    assert await own_stage.redis.dbsize() > 2  # the old values are there, under their old names

    assert [await other.text(1), await one.text(1), await other.text(2)] == ["new", "new", "second"]
    assert await other.page() == await one.page() == (1, 2)
    assert other.link.epoch == one.link.epoch != before


async def test_r17_a_process_that_meets_the_restarted_redis_on_an_open_pool_does_not_read_the_old_dump(
    own_redis: OwnRedis, own_stage: Stage
) -> None:
    """Nothing was asked while Redis was down, so nobody has noticed: the first question itself must find out."""
    one, other = await own_stage.process(), await own_stage.process()
    assert await other.text(1) == "old"
    await own_stage.redis.save()
    await one.write(1, "new")
    await own_redis.kill()
    await own_redis.start()

    assert await other.text(1) == "new"
    assert await one.text(1) == "new"


async def test_r17_who_reads_under_an_epoch_that_is_no_more_goes_over_to_the_next(own_stage: Stage) -> None:
    """The epoch's key alone is lost, the old values stand, and no connection breaks: each MGET tells."""
    reader, writer = await own_stage.process(), await own_stage.process()
    assert await reader.text(1) == "old"
    assert await reader.page() == (1,)
    before = reader.link.epoch
    await own_stage.redis.delete(f"{own_stage.namespace}:epoch")
    await writer.write(1, "new")
    await writer.write(2, "second")

    assert await reader.text(1) == "new"
    assert await reader.page() == (1, 2)
    assert reader.link.epoch == writer.link.epoch != before


async def test_r17_a_restart_empties_the_level_of_every_process(own_redis: OwnRedis, own_stage: Stage) -> None:
    one = await own_stage.process(local=True)
    await warm(one, 1)
    await own_redis.kill()
    await until(lambda: not one.local.open)
    own_stage.truth.rows[1] = "new"  # by a process whose word could not reach us
    await own_redis.start()
    await open_level(one)

    assert near(one, 1) is None
    assert await one.text(1) == "new"


async def back(stage: Stage, *links: object) -> None:
    """Until these trust Redis again."""
    await until(lambda: all(link.up for link in links))  # type: ignore[attr-defined]


async def test_r27_a_write_without_redis_is_kept_in_the_outbox_and_seen_when_redis_is_back(
    desks: Desks, side_wire: Wire
) -> None:
    cut_off, other = await desks.open(url=folder_url(side_wire.path)), await desks.open()
    assert await cut_off.notes.text(1) == await other.notes.text(1) == "old"
    assert await other.notes.first() == [1]
    await side_wire.cut()
    await cut_off.notes.change(1, "new")
    second = await cut_off.notes.add("b", "born")
    assert await desks.waiting() == 2
    assert await cut_off.notes.text(1) == "new"
    assert await cut_off.notes.first() == [1, second]
    await side_wire.mend()
    await until(lambda: cut_off.process.link.up)

    assert await cut_off.notes.text(1) == await other.notes.text(1) == "new"
    assert await cut_off.notes.first() == await other.notes.first() == [1, second]
    assert await cut_off.outbox.sweep(older_than=0) == 2
    assert await desks.waiting() == 0


async def test_r27_hits_are_not_trusted_before_the_outbox_has_been_replayed(desks: Desks, side_wire: Wire) -> None:
    """The writer was another process, which has died since; the reader was cut off too, and comes back first."""
    writer = await desks.open(url=folder_url(side_wire.path))
    reader = await desks.open(url=folder_url(side_wire.path))
    assert await reader.notes.text(1) == "old"
    await side_wire.cut()
    await writer.notes.change(1, "new")
    assert await reader.notes.text(1) == "new"
    await writer.process.close()
    replay = reader.hold("before end")
    await side_wire.mend()
    await replay.reached()
    assert not reader.process.link.up
    assert await reader.notes.text(1) == "new"
    replay.free()
    await until(lambda: reader.process.link.up)

    assert await reader.notes.text(1) == "new"


async def test_r27_a_write_during_the_replay_is_not_forgotten_about(desks: Desks, side_wire: Wire) -> None:
    """The replay has read the outbox to its end; then a write returns, that Redis cannot be told of yet."""
    cut_off = await desks.open(url=folder_url(side_wire.path))
    assert await cut_off.notes.text(1) == "old"
    assert await cut_off.notes.first() == [1]
    await side_wire.cut()
    await until_answers(lambda: _down(cut_off))
    replay = cut_off.db.gates.hold("after the outbox")
    await side_wire.mend()
    await replay.reached()
    await cut_off.notes.change(1, "new")
    second = await cut_off.notes.add("b", "born")
    assert not cut_off.process.link.up
    replay.free()
    await until(lambda: cut_off.process.link.up)

    assert await cut_off.notes.text(1) == "new"
    assert await cut_off.notes.first() == [1, second]


async def _down(desk: Desk) -> bool:
    await desk.notes.text(1)
    return not desk.process.link.up


async def test_r27_a_write_whose_redis_goes_away_between_begin_and_end_is_kept_in_the_outbox_before_it_returns(
    desks: Desks, side_wire: Wire
) -> None:
    cut_off, other = await desks.open(url=folder_url(side_wire.path)), await desks.open()
    assert await other.notes.text(1) == "old"
    begun = cut_off.hold("after begin")
    write = asyncio.create_task(cut_off.notes.change(1, "new"))
    await begun.reached()
    await side_wire.cut()
    begun.free()
    await write

    assert await desks.waiting() == 1
    assert await other.notes.text(1) == "new"  # a tombstone stands
    await side_wire.mend()
    await until(lambda: cut_off.process.link.up)
    assert [await other.notes.text(1), await other.notes.text(1)] == ["new", "new"]
    assert other.process.link.answers("fill")[-1] == ["stored"]


async def test_r27_the_worker_ends_what_a_dead_writer_left_in_the_outbox(desks: Desks, side_wire: Wire) -> None:
    dead, worker = await desks.open(url=folder_url(side_wire.path)), await desks.open()
    assert await worker.notes.text(1) == "old"
    await side_wire.cut()
    await dead.notes.change(1, "new")
    await side_wire.cut()
    assert await worker.outbox.sweep(older_than=0) == 1

    assert await worker.notes.text(1) == "new"
    assert await desks.waiting() == 0


@pytest.mark.parametrize("dump", ["the old data", "nothing"])
async def test_r29_a_restart_between_begin_and_end_leaves_nothing_old_behind(
    own_redis: OwnRedis, own_stage: Stage, dump: str
) -> None:
    reader, writer = await own_stage.process(), await own_stage.process()
    assert await reader.text(1) == "old"
    if dump == "the old data":
        await own_stage.redis.save()
    begun = writer.hold("after begin")
    write = asyncio.create_task(writer.write(1, "new"))
    await begun.reached()
    await own_redis.kill()
    await own_redis.start()
    await until_answers(lambda: _filled(own_stage, reader))
    assert await reader.page() == (1,)
    begun.free()
    await write

    assert await reader.text(1) == await writer.text(1) == "new"
    await writer.write(2, "second")
    assert await reader.page() == (1, 2)


async def _filled(stage: Stage, process: object) -> bool:
    """The reader has stored the old value in the new epoch."""
    assert await process.text(1) == "old"  # type: ignore[attr-defined]
    return (await stage.raw(process, NOTE(1)) or b"")[:1] == b"V"  # type: ignore[arg-type]
