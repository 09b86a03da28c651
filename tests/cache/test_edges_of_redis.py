"""Bad weather: a Redis that forgets, is full, hangs, or answers late. No write is lost, nothing too old answered."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress

import pytest
from redis.asyncio import Redis

from cache import local, records, tracking
from cache.local import Local
from cache.wire import Wire, open_wire
from tests.cache.samples import NOTE
from tests.cache.steps import MEMORY, PATIENCE, Stage, client, folder_url, near, open_level, until, warm
from tests.harness.wires import Wire as Hose

pytest_plugins = ["tests.cache.stages"]


async def test_script_flush_is_not_noticed(own_stage: Stage) -> None:
    one, other = await own_stage.process(local=True), await own_stage.process()
    await warm(one, 1)
    for turn in range(5):
        await own_stage.redis.script_flush()
        await one.write(1, str(turn))
        await own_stage.redis.script_flush()
        assert await other.text(1) == await one.text(1) == str(turn)
        await own_stage.redis.script_flush()
        assert await other.page() == (1,)

    assert one.link.up
    assert one.link.counts["outages"] == 0


async def test_two_megabytes_of_memory_make_it_slower_and_never_wrong(own_stage: Stage) -> None:
    """Most of what is stored is evicted, or refused, at once: leases, tombstones, generations and values."""
    await own_stage.redis.config_set("maxmemory", "2mb")
    one, other = await own_stage.process(local=True), await own_stage.process(local=True)
    for turn in range(3):
        for id in range(1, 121):
            writer, reader = (one, other) if id % 2 else (other, one)
            text = f"{turn}:{id}:" + os.urandom(6000).hex()  # what nothing can compress
            await writer.write(id, text)
            if not reader.local.open or near(reader, id) is None:
                assert await reader.text(id) == text
            if id % 30 == 0:
                assert await writer.page() == tuple(sorted(own_stage.truth.rows))

    evicted = (await own_stage.redis.info("stats"))["evicted_keys"]
    assert evicted > 30
    assert one.link.up
    assert other.link.up


async def test_a_redis_that_is_full_and_may_evict_nothing_loses_no_write(own_stage: Stage) -> None:
    one, other = await own_stage.process(), await own_stage.process()
    assert await one.text(1) == "old"
    assert await one.page() == (1,)
    await own_stage.redis.config_set("maxmemory-policy", "noeviction")
    await own_stage.redis.config_set("maxmemory", "1")
    for turn in range(3):
        await one.write(1, str(turn))
        assert await other.text(1) == await one.text(1) == str(turn)
        await other.write(turn + 2, "more")
        assert await one.page() == tuple(range(1, turn + 3))
    await own_stage.redis.config_set("maxmemory", "0")

    assert await other.text(1) == "2"


async def test_an_answer_that_comes_after_its_time_out_is_nobodys_answer(stage: Stage, side_wire: Hose) -> None:
    stage.truth.rows[2] = "two"
    slow, other = await stage.process(url=folder_url(side_wire.path), seconds=0.2), await stage.process()
    assert [await slow.text(1), await slow.text(2)] == ["old", "two"]
    side_wire.hang()
    assert await slow.text(1) == "old"  # from MySQL
    await slow.link.recover_now()
    asked = asyncio.create_task(slow.text(2))
    await asyncio.sleep(0)
    await side_wire.mend()  # the late answer arrives, on a connection that nobody may use again

    assert await asked == "two"
    await until(lambda: slow.link.up)
    assert [await slow.text(2), await slow.text(1), await other.text(2)] == ["two", "old", "two"]


async def test_a_begin_that_redis_carries_out_after_its_time_out_bars_a_row_for_a_while_and_loses_nothing(
    stage: Stage, side_wire: Hose
) -> None:
    slow, other = await stage.process(url=folder_url(side_wire.path), seconds=0.2), await stage.process()
    assert await slow.text(1) == await other.text(1) == "old"
    side_wire.hang()
    writer = slow.cache.writer()
    confirmed = await slow.cache.begin([NOTE(1)], writer, 10.0)
    slow.commit(1, "new")
    ended = await slow.cache.end([NOTE(1)], writer)
    await side_wire.mend()
    await until(lambda: slow.link.up)
    assert (confirmed, ended) == (False, False)  # so there is an outbox row, and its replay comes
    assert await other.cache.end([NOTE(1)], writer)

    assert await other.text(1) == await slow.text(1) == "new"


async def test_a_level_whose_redis_hangs_falls_silent_within_its_bound(stage: Stage, side_wire: Hose) -> None:
    one, other = await stage.process(local=True, url=folder_url(side_wire.path), seconds=0.5), await stage.process()
    await warm(one, 1)
    side_wire.hang()
    began = local.now()
    await other.write(1, "new")
    while near(one, 1) == "old":
        assert local.now() - began < 2 * local.LAG
        await asyncio.sleep(0.005)
    assert await one.text(1) == "new"
    await side_wire.mend()
    await until(lambda: one.link.up)
    await open_level(one)

    assert await warm(one, 1) == "new"


async def test_what_stands_under_a_name_is_told_by_its_first_byte(stage: Stage) -> None:
    one = await stage.process()
    await one.text(1)
    await one.note(7)
    value, absent = await stage.raw(one, NOTE(1)), await stage.raw(one, NOTE(7))

    assert (value or b"")[:1] == b"V"
    assert absent == b"N"
    assert 0 < await stage.redis.ttl(one.link.full(NOTE(7).name)) <= 33
    assert records.stamp(value or b"") is not None


async def test_pushes_end_though_a_cancellation_was_swallowed_in_their_connecting(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As asyncio.wait_for of Python 3.11 does with one that meets an answer: the process would never end."""
    one = await stage.process()
    began = asyncio.Event()

    async def swallows(redis: Redis, lost: Callable[[Wire], None]) -> Wire:
        began.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return await open_wire(redis, lost)

    monkeypatch.setattr(tracking, "open_wire", swallows)
    redis = client(stage.url)
    pushes = tracking.Tracking(redis, stage.namespace, one.link, Local(MEMORY))
    pushes.start()
    await began.wait()
    async with asyncio.timeout(PATIENCE):
        await pushes.close()
    await redis.aclose()
