"""Races of a process's own level, and of its callers: R16, R19, R20, R22, R23, R28."""

import asyncio

import pytest

from cache import local
from tests.cache.steps import Process, Stage, folder_url, near, open_level, until, warm
from tests.harness.wires import Wire

pytest_plugins = ["tests.cache.stages"]


async def test_r16_a_push_that_comes_before_the_answer_to_get_keeps_the_answer_out(stage: Stage) -> None:
    reader, writer = await stage.process(local=True), await stage.process()
    await writer.text(1)
    await reader.text(1)  # seen once: the next answer would be kept
    answer = reader.hold("after get")
    asked = asyncio.create_task(reader.text(1))
    await answer.reached()
    pushes = reader.tracking.pushes
    await writer.write(1, "new")
    await until(lambda: reader.tracking.pushes > pushes)
    answer.free()

    assert await asked == "old"
    assert near(reader, 1) in (None, "new")
    assert await reader.text(1) == "new"


async def test_r16_a_push_that_comes_during_a_load_keeps_what_was_loaded_out(stage: Stage) -> None:
    reader, writer = await stage.process(local=True), await stage.process()
    await reader.note(7)
    stage.truth.rows[7] = "old"
    await writer.write(7, "old")
    load, fill = stage.truth.hold(), reader.hold("after fill")
    asked = asyncio.create_task(reader.text(7))
    await load.reached()
    load.free()
    await fill.reached()  # stored; and only then the write
    pushes = reader.tracking.pushes
    await writer.write(7, "new")
    await until(lambda: reader.tracking.pushes > pushes)
    fill.free()

    assert await asked == "old"
    assert near(reader, 7) in (None, "new")
    assert await reader.text(7) == "new"


async def test_r19_flushall_clears_the_level_of_every_process_and_voids_every_lease(own_stage: Stage) -> None:
    one, other = await own_stage.process(local=True), await own_stage.process(local=True)
    await warm(one, 1)
    await warm(other, 1)
    load = own_stage.truth.hold()
    own_stage.truth.rows[2] = "old"
    early = asyncio.create_task(one.text(2))
    await load.reached()
    own_stage.truth.rows[1] = "new"  # FLUSHALL is for operators who have changed MySQL by hand, too
    own_stage.truth.rows[2] = "new"
    await own_stage.redis.flushall()
    await until(lambda: near(one, 1) is None and near(other, 1) is None)
    load.free()

    assert await early == "old"
    assert [await one.text(1), await other.text(1), await one.text(2), await other.text(2)] == ["new"] * 4
    await open_level(one)
    assert (await warm(one, 1), await warm(one, 2)) == ("new", "new")


async def test_r19_flushall_between_begin_and_commit_leaves_nothing_old_behind(own_stage: Stage) -> None:
    reader, writer = await own_stage.process(), await own_stage.process()
    await reader.text(1)
    begun = writer.hold("after begin")
    write = asyncio.create_task(writer.write(1, "new"))
    await begun.reached()
    await own_stage.redis.flushall()
    assert await reader.text(1) == "old"  # filled, in a new epoch: no tombstone stands there
    assert await reader.page() == (1,)
    begun.free()
    await write

    assert await reader.text(1) == await writer.text(1) == "new"
    assert reader.link.epoch == writer.link.epoch


async def test_r20_a_half_open_push_connection_makes_the_level_fall_silent(stage: Stage, side_wire: Wire) -> None:
    """Its socket is open and nothing comes through: the bound is that of the fence, and then Redis is asked."""
    reader, writer = await stage.process(local=True, tracking=folder_url(side_wire.path)), await stage.process()
    await warm(reader, 1)
    side_wire.hang()
    await writer.write(1, "new")
    await until(lambda: not reader.local.open)

    assert near(reader, 1) is None
    assert await reader.text(1) == "new"
    await side_wire.mend()
    await open_level(reader)
    assert await warm(reader, 1) == "new"


async def test_r20_a_push_connection_that_broke_makes_the_level_forget_all(
    stage: Stage, side_wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = await stage.process(local=True, tracking=folder_url(side_wire.path)), await stage.process()
    await warm(reader, 1)
    await side_wire.cut()
    await writer.write(1, "new")
    await until(lambda: not reader.local.open)
    await side_wire.mend()
    await open_level(reader)

    assert near(reader, 1) is None
    assert await reader.text(1) == "new"


async def test_r20_without_a_canary_the_level_stays_shut(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes CLIENT TRACKING and never pushes, as some proxies do: nothing is answered from the level."""
    reader = await stage.process(local=True, deaf=True)
    for _ in range(4):
        assert await reader.text(1) == "old"
    await until(lambda: reader.tracking.pongs > 3)

    assert not reader.local.open
    assert near(reader, 1) is None


async def test_r21_the_fence_is_looked_at_by_every_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that was stopped: the clock has gone on, and the loop has not yet read its sockets."""
    reader = await stage.process(local=True)
    await warm(reader, 1)
    now = local.now
    monkeypatch.setattr(local, "now", lambda: now() + local.LAG)

    assert near(reader, 1) is None


async def test_r22_a_process_reads_its_own_write_at_once_though_the_push_is_still_on_its_way(
    stage: Stage, side_wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await stage.process(local=True, tracking=folder_url(side_wire.path))
    await warm(one, 1)
    stands = local.now()
    monkeypatch.setattr(local, "now", lambda: stands)  # the fence does not age, so that nothing else can save the read
    side_wire.hang()
    assert near(one, 1) == "old"
    await one.write(1, "new")

    assert near(one, 1) is None
    assert await one.text(1) == "new"


async def test_r22_what_a_process_was_about_to_keep_is_not_kept_after_its_own_write(
    stage: Stage, side_wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await stage.process(local=True, tracking=folder_url(side_wire.path)), await stage.process()
    await other.text(1)
    await one.text(1)
    stands = local.now()
    monkeypatch.setattr(local, "now", lambda: stands)
    side_wire.hang()
    answer = one.hold("after get")
    asked = asyncio.create_task(one.text(1))
    await answer.reached()
    await one.write(1, "new")
    answer.free()
    await asked

    assert near(one, 1) in (None, "new")
    assert await one.text(1) == "new"


async def test_r23_the_first_caller_goes_away_and_the_others_are_answered(stage: Stage) -> None:
    one, other = await stage.process(), await stage.process()
    load = stage.truth.hold()
    first = asyncio.create_task(one.text(1))
    await load.reached()
    second, third = asyncio.create_task(one.text(1)), asyncio.create_task(one.text(1))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    third.cancel()
    await asyncio.gather(third, return_exceptions=True)
    load.free()

    assert first.cancelled()
    assert await second == await other.text(1) == "old"
    assert stage.truth.loads == 1


async def test_r23_when_every_caller_has_gone_away_the_load_is_still_stored(stage: Stage) -> None:
    one, other = await stage.process(), await stage.process()
    load = stage.truth.hold()
    asked = asyncio.create_task(one.text(1))
    await load.reached()
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    load.free()
    await until(lambda: one.link.answers("fill"))

    assert await other.text(1) == "old"
    assert stage.truth.loads == 1


@pytest.mark.parametrize("writer_is", ["the same process", "another process"])
async def test_r28_who_joins_a_load_after_a_write_has_returned_is_not_given_its_answer(
    stage: Stage, writer_is: str
) -> None:
    one = await stage.process()
    writer = one if writer_is == "the same process" else await stage.process()
    load = stage.truth.hold()
    early = asyncio.create_task(one.text(1))
    await load.reached()
    await writer.write(1, "new")
    late = asyncio.create_task(one.text(1))
    await joined(one)
    load.free()

    assert await late == "new"
    assert await early == "old"


@pytest.mark.parametrize("writer_is", ["the same process", "another process"])
async def test_r28_who_joins_the_load_of_a_list_after_a_write_has_returned_is_not_given_its_answer(
    stage: Stage, writer_is: str
) -> None:
    one = await stage.process()
    writer = one if writer_is == "the same process" else await stage.process()
    load = stage.truth.hold()
    early = asyncio.create_task(one.page())
    await load.reached()
    await writer.write(2, "second")
    late = asyncio.create_task(one.page())
    await joined(one)
    load.free()

    assert await late == (1, 2)
    assert await early == (1,)


async def test_r28_a_joiner_is_answered_by_the_same_load_when_nothing_was_written(stage: Stage) -> None:
    one = await stage.process()
    load = stage.truth.hold()
    early = asyncio.create_task(one.text(1))
    await load.reached()
    late = asyncio.create_task(one.text(1))
    await joined(one)
    load.free()

    assert await early == await late == "old"
    assert stage.truth.loads == 1


async def joined(process: Process) -> None:
    """Until a reader who has just been started waits for the load that is under way, or has asked Redis."""
    for _ in range(20):
        await asyncio.sleep(0)
