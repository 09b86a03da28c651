"""Lists: ids that hold for as long as nothing that they depend on was touched."""

import asyncio

import pytest
from redis.asyncio import Redis

from cache import aside
from settings import Settings
from tests.cache.conftest import NOTES, Reader, Truth
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
    await other.cache.begin([NOTES()], 10)
    assert await one.page() == (1,)
    truth.rows[2] = "second"
    await other.cache.forget([NOTES()])

    assert await one.page() == (1, 2)


async def test_a_writer_that_died_after_its_mark_leaves_no_older_list(one: Reader, other: Reader, truth: Truth) -> None:
    await one.page()
    await other.cache.begin([NOTES()], 10)
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


async def test_200_questions_for_a_list_at_one_moment_are_one_load(
    one: Reader, truth: Truth, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "FILL_WITHIN", 60.0)  # 200 connections on a busy machine
    truth.hold()
    asked = [asyncio.create_task(one.page()) for _ in range(200)]
    while counted.commands.count("MGET") < 201:  # noqa: ASYNC110 - until all have asked, and one looks at the scope
        await asyncio.sleep(0.01)
    truth.free()
    await asyncio.gather(*asked)

    assert truth.loads == 1


async def test_a_list_whose_scope_redis_has_lost_is_built_anew(
    one: Reader, truth: Truth, redis: Redis, settings: Settings
) -> None:
    await one.page()
    await redis.delete(f"{settings.namespace}:scope:notes")
    truth.rows[2] = "second"

    assert await one.page() == (1, 2)


async def test_unreadable_bytes_of_a_list_are_a_miss(
    one: Reader, truth: Truth, redis: Redis, settings: Settings
) -> None:
    await one.page()
    for data in (b"", b"garbage", b"V\x00\x01\x91\x01", b"V\x00\x01\x01"):
        await redis.set(f"{settings.namespace}:list:notes.page:1", data)
        assert await one.page() == (1,)

    assert truth.loads == 5
