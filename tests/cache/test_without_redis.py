"""Redis slow, away, and back: slower, never wrong."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.cache.conftest import Reader, Truth
from tests.cache.samples import NOTE, Note
from tests.harness.wires import Wire


async def until_up(*readers: Reader) -> None:
    async with asyncio.timeout(30):
        for reader in readers:
            while not reader.link.up:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)


async def until_down(reader: Reader) -> None:
    """The link learns of an outage by asking."""
    async with asyncio.timeout(30):
        while reader.link.up:
            await reader.note(1)


async def test_reads_go_on_without_redis(redis_wire: Wire, one: Reader, truth: Truth) -> None:
    await redis_wire.cut()

    assert await one.note(1) == Note(1, "old")
    assert await one.page() == (1,)


async def test_redis_that_is_away_from_the_beginning_is_no_error(
    redis_wire: Wire, process: object, truth: Truth
) -> None:
    await redis_wire.cut()
    reader: Reader = await process()  # type: ignore[operator]

    assert await reader.note(1) == Note(1, "old")


@pytest.mark.parametrize("choices", [{"redis_timeout": 0.3}])
async def test_a_redis_that_hangs_holds_up_one_reader_and_then_nobody(
    redis_wire: Wire, one: Reader, truth: Truth
) -> None:
    await one.note(1)
    redis_wire.hang()
    began = asyncio.get_running_loop().time()
    await one.note(1)
    first = asyncio.get_running_loop().time() - began
    for _ in range(50):
        assert await one.note(1) == Note(1, "old")
    rest = asyncio.get_running_loop().time() - began - first

    assert first < 1.5
    assert rest < 0.2


async def test_while_redis_is_away_there_is_one_load_of_a_row_at_a_time(
    redis_wire: Wire, one: Reader, truth: Truth
) -> None:
    await redis_wire.cut()
    await until_down(one)
    before = truth.loads
    truth.hold()
    asked = [asyncio.create_task(one.note(1)) for _ in range(200)]
    await truth.held.wait()
    late = asyncio.create_task(one.note(1))
    await asyncio.sleep(0)
    at_once = truth.loads - before
    truth.free()
    await asyncio.gather(*asked, late)

    assert at_once == 1
    assert (
        truth.loads - before == 2
    )  # who came late may have asked after a write had returned, of which nobody can tell


async def test_while_redis_is_away_no_more_than_eight_loads_run_at_a_time(
    redis_wire: Wire, one: Reader, truth: Truth
) -> None:
    await redis_wire.cut()
    await until_down(one)
    before = truth.loads
    truth.hold()
    asked = [asyncio.create_task(one.note(id)) for id in range(100)]
    await truth.held.wait()
    for _ in range(10):
        await asyncio.sleep(0)
    at_once = truth.loads - before
    truth.free()
    await asyncio.gather(*asked)

    assert at_once == 8
    assert truth.loads - before == 100


async def test_after_an_outage_the_process_remembers_again_by_itself(
    redis_wire: Wire, one: Reader, truth: Truth
) -> None:
    await redis_wire.cut()
    await until_down(one)
    await redis_wire.mend()
    began = asyncio.get_running_loop().time()
    await until_up(one)
    took = asyncio.get_running_loop().time() - began
    await one.note(1)
    loads = truth.loads
    await one.note(1)

    assert took < 2
    assert truth.loads == loads


async def test_a_write_without_redis_is_not_confirmed_and_what_is_owed_is_done_before_redis_is_believed(
    redis_wire: Wire, one: Reader, other: Reader, truth: Truth
) -> None:
    await one.note(1)
    await one.page()
    await redis_wire.cut()
    slots, writer = [NOTE(1)], one.cache.writer()
    assert not await one.cache.begin(slots, writer, 10)
    truth.rows[1] = "new"
    assert not await one.cache.end(slots, writer)
    one.cache.owe(slots, writer)
    assert await one.note(1) == Note(1, "new")
    await redis_wire.mend()
    await until_up(one, other)

    assert await one.note(1) == Note(1, "new")
    assert await other.note(1) == Note(1, "new")


async def test_a_cancelled_writer_still_ends_its_write(one: Reader, other: Reader, truth: Truth) -> None:
    await other.note(1)

    async def write() -> None:
        truth.rows[1] = "new"
        await asyncio.shield(one.cache.own(one.cache.end([NOTE(1)], one.cache.writer())))

    writer = asyncio.create_task(write())
    await asyncio.sleep(0)
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await one.cache.close()

    assert await other.note(1) == Note(1, "new")


async def test_the_wire_is_really_cut(redis_wire: Wire, redis: Redis) -> None:
    await redis_wire.cut()

    with pytest.raises((RedisError, OSError)):
        await redis.ping()
