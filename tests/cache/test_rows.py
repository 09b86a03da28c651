"""Rows: remembered, loaded once, and never older than the question."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from cache import loading, records
from tests.cache.conftest import Reader, Truth
from tests.cache.samples import NOTE, Note, rows
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


async def test_200_misses_at_one_moment_are_one_question_and_one_load(
    one: Reader, truth: Truth, counted: Counted
) -> None:
    truth.hold()
    asked = [asyncio.create_task(one.note(1)) for _ in range(200)]
    await truth.held.wait()
    truth.free()
    found = await asyncio.gather(*asked)

    assert set(found) == {Note(1, "old")}
    assert truth.loads == 1
    assert counted.commands == ["MGET", "EVALSHA", "EVALSHA"]


async def test_misses_of_two_processes_are_one_load(one: Reader, other: Reader, truth: Truth) -> None:
    truth.hold()
    first = asyncio.create_task(one.note(1))
    await truth.held.wait()
    second = asyncio.create_task(other.note(1))
    while not other.link.counts["acquire busy"]:  # noqa: ASYNC110 - it tells nobody that it waits
        await asyncio.sleep(0.001)
    truth.free()

    assert await first == await second == Note(1, "old")
    assert truth.loads == 1


async def test_who_waits_too_long_for_another_process_reads_by_itself_and_stores_nothing(
    one: Reader, other: Reader, truth: Truth, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "PATIENCE", 0.0)
    await redis.set(one.key(NOTE(1)), records.LEASE + bytes(16), px=60_000)

    assert await one.note(1) == Note(1, "old")
    assert (await redis.get(one.key(NOTE(1))) or b"")[:1] == records.LEASE


async def test_a_late_fill_of_an_old_row_is_refused(one: Reader, other: Reader, truth: Truth) -> None:
    truth.hold()
    asked_before = asyncio.create_task(one.note(1))
    await truth.held.wait()
    await other.write(1, "new")
    truth.free()

    assert await asked_before == Note(1, "old")
    assert await other.note(1) == Note(1, "new")


async def test_a_fill_between_the_mark_and_the_commit_is_refused(one: Reader, other: Reader, truth: Truth) -> None:
    await other.cache.begin([NOTE(1)], other.cache.writer(), 10)
    assert await one.note(1) == Note(1, "old")
    truth.rows[1] = "new"

    assert await one.note(1) == Note(1, "new")


async def test_a_fill_that_came_while_redis_had_lost_the_mark_is_forgotten_after_the_commit(
    one: Reader, other: Reader, truth: Truth, redis: Redis
) -> None:
    writer = other.cache.writer()
    await other.cache.begin([NOTE(1)], writer, 10)
    await redis.delete(one.key(NOTE(1)))
    assert await one.note(1) == Note(1, "old")
    truth.rows[1] = "new"
    await other.cache.end([NOTE(1)], writer)

    assert await one.note(1) == Note(1, "new")


async def test_after_a_write_nothing_stands_and_the_next_reader_fills(
    one: Reader, other: Reader, truth: Truth, redis: Redis
) -> None:
    await one.note(1)
    await one.write(1, "new")
    assert await redis.get(one.key(NOTE(1))) is None

    assert await one.note(1) == await other.note(1) == Note(1, "new")
    assert truth.loads == 2


async def test_a_load_that_took_longer_than_its_lease_is_not_stored(
    one: Reader, truth: Truth, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "LEASE", 0.001)
    truth.hold()
    asked = asyncio.create_task(one.note(1))
    await truth.held.wait()
    while await redis.exists(one.key(NOTE(1))):  # noqa: ASYNC110 - until the lease has ended
        await asyncio.sleep(0.001)
    truth.free()

    assert await asked == Note(1, "old")
    assert one.link.counts["fill expired"] == 1
    assert await redis.get(one.key(NOTE(1))) is None


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

    asked = (rows(one.cache, Note, [NOTE(1)], fails) for _ in range(3))  # type: ignore[arg-type]
    found = await asyncio.gather(*asked, return_exceptions=True)

    assert [type(error) for error in found] == [OSError] * 3
    assert await one.note(1) == Note(1, "old")


@pytest.mark.parametrize("data", [b"", b"V", b"garbage", b"V\x00\x01\xc1", b"\xff" * 40, b"V\x00\x00\x93\x01\x02\x03"])
async def test_bytes_that_cannot_be_read_are_a_miss_and_replaced(
    one: Reader, truth: Truth, redis: Redis, data: bytes
) -> None:
    await redis.set(one.key(NOTE(1)), data)
    found = [await one.note(1), await one.note(1)]

    assert found == [Note(1, "old")] * 2
    assert truth.loads == 1


async def test_a_record_of_another_schema_is_a_miss(one: Reader, truth: Truth, redis: Redis) -> None:
    @dataclass(frozen=True, slots=True)
    class Note:  # the row of an older version of the program: one field had another type
        id: int
        text: bytes

    await redis.set(one.key(NOTE(1)), records.encode_row(Note(1, b"x")))

    found = await one.note(1)
    assert found is not None
    assert found.text == "old"
    assert truth.loads == 1


async def test_rows_of_one_question_are_one_trip_and_one_load_of_those_that_are_missing(
    one: Reader, truth: Truth, counted: Counted
) -> None:
    truth.rows.update({2: "two", 3: "three"})
    slots = [NOTE(id) for id in (1, 2, 3, 4, 1)]
    await one.note(2)
    counted.clear()
    found = await rows(one.cache, Note, slots, truth.notes)
    cold, trips = truth.loads, counted.trips
    counted.clear()

    assert await rows(one.cache, Note, slots, truth.notes) == found
    assert found == {NOTE(1): Note(1, "old"), NOTE(2): Note(2, "two"), NOTE(3): Note(3, "three"), NOTE(4): None}
    assert (cold, trips) == (2, 3)
    assert (truth.loads, counted.commands) == (2, ["MGET"])


async def test_a_text_is_a_key_whatever_is_in_it(one: Reader, truth: Truth) -> None:
    assert await one.note(1)
    names = {NOTE(text).name for text in ("a:b", "a%3Ab", "a b", "a\nb", "é", "e\u0301", "中文", "\x00", "🜁", "")}

    assert len(names) == 10
    assert all(name.isascii() and name.isprintable() for name in names)


async def until_it_knows_the_time(reader: Reader) -> None:
    while not reader.cache.tracking.redis_ms:  # noqa: ASYNC110 - of Redis: without it nothing is about to end
        await asyncio.sleep(0.001)


async def test_a_row_about_to_end_is_answered_at_once_and_refreshed_by_one_process(
    process: Callable[..., Awaitable[Reader]], truth: Truth, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "EARLY", -1.0)  # its soft expiry has passed as soon as it stands
    readers = [await process(near=True, kept=False) for _ in range(3)]
    for reader in readers:
        await until_it_knows_the_time(reader)
    await readers[0].note(1)
    truth.hold()
    found = [await reader.note(1) for reader in readers]
    await truth.held.wait()
    await asyncio.gather(*(reader.note(1) for reader in readers))
    monkeypatch.setattr(loading, "EARLY", 0.8)
    truth.rows[1] = "newer, by a write that nobody told of"
    loads = truth.loads
    truth.free()
    for reader in readers:
        await reader.cache.close()

    assert found == [Note(1, "old")] * 3
    assert loads == 2
    assert sum(reader.link.counts["fill stored"] for reader in readers) == 2


async def test_a_refresh_that_fails_leaves_the_old_row_and_is_nobodys_error_but_a_line_of_the_log(
    process: Callable[..., Awaitable[Reader]],
    truth: Truth,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(loading, "EARLY", -1.0)
    reader = await process(near=True, kept=False)
    await until_it_knows_the_time(reader)
    await reader.note(1)

    async def fails(_: object) -> dict[object, Note]:
        raise OSError("no truth today")

    assert (await rows(reader.cache, Note, [NOTE(1)], fails))[NOTE(1)] == Note(1, "old")  # type: ignore[arg-type]
    await reader.cache.close()

    assert "refresh failed" in caplog.text
    assert await reader.note(1) == Note(1, "old")


async def test_a_row_that_is_too_big_is_answered_and_not_kept(one: Reader, truth: Truth, redis: Redis) -> None:
    truth.rows[1] = "".join(map(chr, random.choices(range(0x4E00, 0x9FFF), k=records.LARGEST)))

    assert await one.note(1) == Note(1, truth.rows[1])
    assert await redis.get(one.key(NOTE(1))) is None
    assert one.link.counts["too_big"] == 1
