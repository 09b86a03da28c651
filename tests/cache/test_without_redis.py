"""Redis slow, away, and back: slower, never wrong."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from cache import aside
from cache.aside import CannotForget
from tests.cache.conftest import NOTE, Note, Reader, Truth
from tests.harness.wires import Wire


async def until_forgotten(reader: Reader) -> None:
    async with asyncio.timeout(5):
        while reader.cache._unforgotten:  # noqa: ASYNC110 - the cache tells nobody
            await asyncio.sleep(0.01)


async def test_reads_go_on_without_redis(redis_wire: Wire, one: Reader, truth: Truth) -> None:
    await redis_wire.cut()

    assert await one.note(1) == Note(1, "old")
    assert await one.page() == (1,)


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

    assert first < 1
    assert rest < 0.2


async def test_a_write_without_redis_succeeds_and_is_forgotten_when_redis_is_back(
    redis_wire: Wire, one: Reader, other: Reader, truth: Truth
) -> None:
    await one.note(1)
    await one.page()
    await redis_wire.cut()
    await one.write(1, "new")
    await one.write(2, "second")
    assert await one.note(1) == Note(1, "new")

    await redis_wire.mend()
    await until_forgotten(one)

    assert await other.note(1) == Note(1, "new")
    assert await other.page() == (1, 2)


async def test_a_process_reads_around_what_it_could_not_forget(
    redis_wire: Wire, one: Reader, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "RETRY", 60.0)  # the retry has not come yet
    monkeypatch.setattr(aside, "REST", 0.0)
    await one.note(1)
    await one.page()
    await redis_wire.cut()
    await one.write(1, "new")
    await one.write(2, "second")
    await redis_wire.mend()

    assert await one.note(1) == Note(1, "new")
    assert await one.page() == (1, 2)


async def test_when_too_many_names_wait_to_be_forgotten_writes_are_refused(
    redis_wire: Wire, one: Reader, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "MOST_UNFORGOTTEN", 4)
    await redis_wire.cut()
    await one.write(1, "new")
    await one.write(2, "second")
    with pytest.raises(CannotForget):
        await one.write(3, "third")
    assert 3 not in truth.rows

    await redis_wire.mend()
    await until_forgotten(one)
    await one.write(3, "third")


async def test_what_two_writes_could_not_forget_is_kept_until_both_are_forgotten(redis_wire: Wire, one: Reader) -> None:
    await redis_wire.cut()
    await asyncio.gather(one.cache.forget([NOTE(1)]), one.cache.forget([NOTE(1)]))
    assert list(one.cache._unforgotten) == ["note:1"]

    await redis_wire.mend()
    await until_forgotten(one)


async def test_a_cancelled_writer_still_forgets(one: Reader, other: Reader, truth: Truth) -> None:
    await other.note(1)

    async def write() -> None:
        truth.rows[1] = "new"
        await asyncio.shield(one.cache.forget([NOTE(1)]))

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
