"""Lists: ids that hold for as long as nothing that they depend on was touched."""

import asyncio

from redis.asyncio import Redis

from cache import List, Scope
from tests.cache.conftest import Reader, Truth
from tests.cache.samples import NOTES, PAGE
from tests.harness.counting import Counted


async def test_a_list_is_loaded_once_and_then_remembered(one: Reader, other: Reader, truth: Truth) -> None:
    found = [await one.page(), await one.page(), await other.page()]

    assert found == [(1,)] * 3
    assert truth.loads == 1


async def test_a_write_to_its_scope_ends_a_list(one: Reader, other: Reader) -> None:
    await one.page()
    await other.write(2, "second")

    assert await one.page() == (1, 2)


async def test_a_list_that_was_built_during_an_insert_is_rejected(one: Reader, other: Reader, truth: Truth) -> None:
    truth.hold()
    built = asyncio.create_task(one.page())
    await truth.held.wait()
    await other.write(2, "second")
    truth.free()

    assert await built == (1,)
    assert await one.page() == (1, 2)
    assert await other.page() == (1, 2)


async def test_a_list_that_was_built_between_the_mark_and_the_commit_is_rejected(
    one: Reader, other: Reader, truth: Truth
) -> None:
    writer = other.cache.writer()
    await other.cache.begin([NOTES()], writer, 10)
    assert await one.page() == (1,)
    truth.rows[2] = "second"
    await other.cache.end([NOTES()], writer)

    assert await one.page() == (1, 2)


async def test_a_writer_that_died_after_its_mark_leaves_no_older_list(one: Reader, other: Reader, truth: Truth) -> None:
    await one.page()
    await other.cache.begin([NOTES()], other.cache.writer(), 10)
    truth.rows[2] = "second"

    assert await one.page() == (1, 2)


async def test_who_asks_after_the_write_is_not_handed_the_list_that_was_begun_before(one: Reader, truth: Truth) -> None:
    truth.hold()
    before = asyncio.create_task(one.page())
    await truth.held.wait()
    await one.write(2, "second")
    after = asyncio.create_task(one.page())
    await asyncio.sleep(0)
    truth.free()

    assert await after == (1, 2)
    assert await before == (1,)


async def test_a_writer_that_died_between_begin_and_commit_holds_up_no_reader(
    one: Reader, other: Reader, truth: Truth
) -> None:
    await other.cache.begin([NOTES()], other.cache.writer(), 0.001)
    await one.page()
    while not one.link.counts["fill stored"]:
        await one.page()

    assert await one.page() == (1,)


async def test_200_questions_for_a_list_at_one_moment_are_one_load(one: Reader, truth: Truth, counted: Counted) -> None:
    truth.hold()
    asked = [asyncio.create_task(one.page()) for _ in range(200)]
    await truth.held.wait()
    truth.free()
    await asyncio.gather(*asked)

    assert truth.loads == 1
    assert counted.commands == ["MGET", "EVALSHA", "EVALSHA"]


async def test_a_list_whose_scope_redis_has_lost_is_built_anew(one: Reader, truth: Truth, redis: Redis) -> None:
    await one.page()
    await redis.delete(one.key(NOTES()))
    truth.rows[2] = "second"

    assert await one.page() == (1, 2)


async def test_unreadable_bytes_of_a_list_are_a_miss(one: Reader, truth: Truth, redis: Redis) -> None:
    await one.page()
    for data in (b"", b"garbage", b"V\x00\x01\x91\x01", b"V\x00\x01\x01"):
        await redis.set(one.key(PAGE(1)), data)
        assert await one.page() == (1,)

    assert truth.loads == 5


async def test_a_list_that_was_stored_before_it_had_a_second_scope_is_read_again(one: Reader, truth: Truth) -> None:
    wider = List("notes.page", by=("n",), scopes=(NOTES, Scope("authors")), ttl=60)
    assert await one.page() == (1,)

    assert await one.cache.items(wider(1), truth.page) == (1,)
    assert await one.cache.items(wider(1), truth.page) == (1,)
    assert truth.loads == 2
    assert await one.page() == (1,)  # and the code of before gets on beside it
