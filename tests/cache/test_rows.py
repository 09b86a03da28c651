"""Rows: remembered, loaded once, and never older than the question."""

import asyncio
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from cache import aside, records
from settings import Settings
from tests.cache.conftest import NOTE, Note, Reader, Truth
from tests.harness.counting import Counted


async def test_a_row_is_loaded_once_and_then_remembered_for_every_process(
    one: Reader, other: Reader, truth: Truth
) -> None:
    found = [await one.note(1), await one.note(1), await other.note(1)]

    assert found == [Note(1, "old")] * 3
    assert truth.loads == 1


async def test_absence_is_remembered_too(one: Reader, truth: Truth) -> None:
    assert await one.note(7) is None
    assert await one.note(7) is None
    assert truth.loads == 1


async def test_200_misses_at_one_moment_are_one_load(
    one: Reader, truth: Truth, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "FILL_WITHIN", 60.0)  # 200 connections on a busy machine
    truth.hold()
    asked = [asyncio.create_task(one.note(1)) for _ in range(200)]
    while counted.commands.count("MGET") < 200:  # noqa: ASYNC110 - until all have asked Redis
        await asyncio.sleep(0.01)
    truth.free()
    found = await asyncio.gather(*asked)

    assert set(found) == {Note(1, "old")}
    assert truth.loads == 1


async def test_a_late_fill_of_an_old_row_is_refused(one: Reader, other: Reader, truth: Truth) -> None:
    truth.hold()
    asked_before = asyncio.create_task(one.note(1))
    await truth.held.wait()
    await other.write(1, "new")
    truth.free()

    assert await asked_before == Note(1, "old")
    assert await other.note(1) == Note(1, "new")


async def test_a_fill_between_the_mark_and_the_commit_is_refused(one: Reader, other: Reader, truth: Truth) -> None:
    await other.cache.begin([NOTE(1)], 10)
    assert await one.note(1) == Note(1, "old")
    truth.rows[1] = "new"

    assert await one.note(1) == Note(1, "new")


async def test_a_fill_that_came_while_redis_had_lost_the_mark_is_forgotten_after_the_commit(
    one: Reader, other: Reader, truth: Truth, redis: Redis, settings: Settings
) -> None:
    await other.cache.begin([NOTE(1)], 10)
    await redis.delete(f"{settings.namespace}:note:1")
    assert await one.note(1) == Note(1, "old")
    truth.rows[1] = "new"
    await other.cache.forget([NOTE(1)])

    assert await one.note(1) == Note(1, "new")


async def test_a_write_marks_before_the_commit_for_as_long_as_it_holds_and_after_it_for_a_moment(
    one: Reader, redis: Redis, settings: Settings
) -> None:
    name = f"{settings.namespace}:note:1"
    await one.note(1)
    await one.cache.begin([NOTE(1)], 10)
    before = await redis.get(name), await redis.pttl(name)
    await one.cache.forget([NOTE(1)])
    after = await redis.get(name), await redis.pttl(name)

    assert before[0] == after[0] == records.MARK
    assert 9_000 < before[1] <= 10_000
    assert 2_000 < after[1] <= 3_000


async def test_a_load_that_took_too_long_is_not_stored(
    one: Reader, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "FILL_WITHIN", 0.0)
    await one.note(1)
    await one.note(1)

    assert truth.loads == 2


async def test_who_asks_after_a_write_returned_is_not_handed_the_load_that_began_before(
    one: Reader, truth: Truth
) -> None:
    truth.hold()
    before = asyncio.create_task(one.note(1))
    await truth.held.wait()
    await one.write(1, "new")
    after = asyncio.create_task(one.note(1))
    await asyncio.sleep(0)
    truth.free()

    assert await after == Note(1, "new")
    assert await before == Note(1, "old")


async def test_who_asks_while_nothing_is_written_shares_the_load_under_way(one: Reader, truth: Truth) -> None:
    truth.hold()
    first = asyncio.create_task(one.note(1))
    await truth.held.wait()
    second = asyncio.create_task(one.note(1))
    await asyncio.sleep(0.01)
    truth.free()

    assert await first == await second == Note(1, "old")
    assert truth.loads == 1


async def test_a_cancelled_caller_takes_nobody_down_with_it(one: Reader, truth: Truth) -> None:
    truth.hold()
    first = asyncio.create_task(one.note(1))
    await truth.held.wait()
    second = asyncio.create_task(one.note(1))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    truth.free()

    assert first.cancelled()
    assert await second == Note(1, "old")
    assert truth.loads == 1


async def test_a_load_that_failed_fails_for_all_who_wait_and_is_tried_again_by_the_next(one: Reader) -> None:
    async def fails(_: object) -> dict[object, Note]:
        await asyncio.sleep(0.01)
        raise OSError("no truth today")

    asked = (one.cache.rows(Note, [NOTE(1)], fails) for _ in range(3))  # type: ignore[arg-type]
    found = await asyncio.gather(*asked, return_exceptions=True)

    assert [type(error) for error in found] == [OSError] * 3
    assert await one.note(1) == Note(1, "old")


@pytest.mark.parametrize("data", [b"", b"V", b"garbage", b"V\x00\x01\xc1", b"\xff" * 40, b"V\x00\x00\x93\x01\x02\x03"])
async def test_bytes_that_cannot_be_read_are_a_miss_and_replaced(
    one: Reader, truth: Truth, redis: Redis, settings: Settings, data: bytes
) -> None:
    await redis.set(f"{settings.namespace}:note:1", data)
    found = [await one.note(1), await one.note(1)]

    assert found == [Note(1, "old")] * 2
    assert truth.loads == 1


async def test_making_room_for_a_row_does_not_delete_a_mark_that_came_meanwhile(
    one: Reader, redis: Redis, settings: Settings
) -> None:
    name = f"{settings.namespace}:note:1"
    await redis.set(name, records.MARK, ex=3)
    await one.cache._drop(NOTE(1), b"garbage")
    kept = await redis.get(name)
    await redis.set(name, b"garbage")
    await one.cache._drop(NOTE(1), b"garbage")

    assert kept == records.MARK
    assert await redis.get(name) is None


async def test_a_record_of_another_schema_is_a_miss(
    one: Reader, truth: Truth, redis: Redis, settings: Settings
) -> None:
    @dataclass(frozen=True, slots=True)
    class Note:  # the row of an older version of the program: one field had another type
        id: int
        text: bytes

    await redis.set(f"{settings.namespace}:note:1", records.encode_row(Note(1, b"x")))

    found = await one.note(1)
    assert found is not None
    assert found.text == "old"
    assert truth.loads == 1


async def test_a_text_is_a_key_whatever_is_in_it(one: Reader, truth: Truth) -> None:
    assert await one.note(1)
    names = {NOTE(text).name for text in ("a:b", "a%3Ab", "a b", "a\nb", "é", "e\u0301", "中文", "\x00", "🜁", "")}

    assert len(names) == 10
    assert all(name.isascii() and name.isprintable() for name in names)
