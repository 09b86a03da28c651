"""Counts: every name that is read is counted once, in its family, by what answered it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from cache import MISSING, loading, records
from cache.counts import BOUNDS, Families, Times
from tests.cache.conftest import Reader, Truth
from tests.cache.samples import NOTE, PAGE, Note
from tests.cache.sides import until


def counted(reader: Reader, family: str) -> dict[str, int]:
    """What is not 0."""
    found = reader.cache.local.families.get(family)
    return {name: n for name in found.__slots__ if (n := getattr(found, name))} if found else {}


def test_a_family_is_named_as_it_is_declared() -> None:
    families = Families()

    assert families.of(NOTE(7).name) is families.of(NOTE(8).name) is families["note"]
    assert families.of(PAGE(1).name) is families["notes.page"]
    assert set(families) == {"note", "notes.page"}


async def test_what_is_loaded_and_then_remembered_is_told_apart(one: Reader, other: Reader) -> None:
    for reader in (one, other, other):
        await reader.note(1)
        await reader.page()

    assert counted(one, "note") == counted(one, "notes.page") == {"loaded": 1}
    assert counted(other, "note") == counted(other, "notes.page") == {"l2": 2}


async def test_what_a_process_answers_by_itself_is_counted_there_alone(
    process: Callable[..., Awaitable[Reader]],
) -> None:
    near = await process(near=True)
    await until(lambda: near.cache.local.open)
    for _ in range(4):  # loaded; read from Redis, the second time to be kept; and answered here
        await near.note(1)
        await near.page()
    near.cache.near(NOTE(1).name)

    assert counted(near, "note") == {"loaded": 1, "l2": 2, "l1": 2}
    assert counted(near, "notes.page") == {"loaded": 1, "l2": 2, "l1": 1}


async def test_a_load_is_not_answered_by_the_process_itself_and_counts_no_hit(
    process: Callable[..., Awaitable[Reader]],
) -> None:
    near = await process(near=True)
    await until(lambda: near.cache.local.open)
    for _ in range(3):
        await near.note(1)
    before = near.cache.near(NOTE(1).name)

    async def in_a_load() -> object:
        return near.cache.near(NOTE(1).name)

    assert before == Note(1, "old")
    assert await near.cache.own(in_a_load()) is MISSING
    assert counted(near, "note")["l1"] == 1


async def test_a_crowd_in_a_process_joins_one_load(one: Reader, truth: Truth) -> None:
    truth.hold()
    asked = [asyncio.create_task(one.note(1)) for _ in range(20)]
    await truth.held.wait()
    truth.free()
    await asyncio.gather(*asked)

    assert counted(one, "note") == {"loaded": 1, "joined": 19}


async def test_who_waits_for_another_process_has_joined_its_load(one: Reader, other: Reader, truth: Truth) -> None:
    truth.hold()
    first = asyncio.create_task(one.note(1))
    await truth.held.wait()
    second = asyncio.create_task(other.note(1))
    await until(lambda: other.link.counts["acquire busy"])
    truth.free()
    await asyncio.gather(first, second)

    assert counted(one, "note") == {"loaded": 1}
    assert counted(other, "note") == {"joined": 1}


async def test_an_early_refresh_is_no_load_of_a_reader(
    process: Callable[..., Awaitable[Reader]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "EARLY", -1.0)  # its soft expiry has passed as soon as it stands
    near = await process(near=True, kept=False)
    await until(lambda: near.cache.tracking.redis_ms)
    await near.note(1)
    await near.note(1)
    await near.cache.close()

    assert counted(near, "note") == {"loaded": 1, "l2": 1, "refreshed": 1}


async def test_a_load_past_redis_says_why(
    one: Reader, other: Reader, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "PATIENCE", 0.0)
    await redis.set(one.key(NOTE(1)), records.LEASE + bytes(16), px=60_000)
    await one.note(1)
    await other.link.close()
    await other.note(1)

    assert (one.link.counts["unstored late"], one.link.counts["unstored down"]) == (1, 0)
    assert (other.link.counts["unstored late"], other.link.counts["unstored down"]) == (0, 1)
    assert counted(one, "note") == counted(other, "note") == {"loaded": 1}


async def test_redis_is_timed_by_the_question(one: Reader) -> None:
    await one.note(1)
    await one.write(1, "new")

    asked = {name: count for name, times in one.link.times.items() if (count := sum(times.classes))}
    assert asked == {"get": 1, "acquire": 1, "fill": 1, "begin": 1, "end": 1}
    assert 0 < one.link.times["get"].total < 10


def test_a_time_falls_into_the_first_class_that_holds_it() -> None:
    times = Times()
    for seconds in (0.0, BOUNDS[0], BOUNDS[0] * 1.01, BOUNDS[-1] * 2):
        times.note(seconds)

    assert times.classes == [2, 1, *[0] * (len(BOUNDS) - 2), 1]
    assert times.total == pytest.approx(2.01 * BOUNDS[0] + 2 * BOUNDS[-1])
