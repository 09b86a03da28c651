"""Rendered answers: served without a trip while nothing changed, after one trip when that is not known, and never when it did."""

import asyncio
from typing import Any

import pytest

from cache import records
from cache.local import LONGEST, Local, now
from cache.pages import Pages
from tests.cache.sides import Made, Maker, heard, until

pytest_plugins = ["tests.cache.two_sides"]


async def test_a_page_made_twice_is_answered_without_a_trip(maker: Maker) -> None:
    first = await maker.make("/", "a", "b")
    assert maker.pages.get("/") is None
    await maker.make("/", "a", "b")
    trips = maker.at.link.counts["trips"]

    answer = maker.pages.get("/")
    assert answer
    assert answer.text == first
    assert maker.at.link.counts["trips"] == trips
    assert maker.pages.hits == 1


@pytest.mark.parametrize("name", ["a", "b"])
async def test_a_change_of_any_of_its_names_takes_the_page(maker: Maker, name: str) -> None:
    await maker.kept("/", "a", "b")
    await maker.kept("/other", "c")
    await heard(maker, name, 77)

    assert maker.pages.get("/") is None
    assert await maker.checked("/") is None
    assert maker.pages.get("/other")
    assert maker.pages.refuted == 1


async def test_a_page_whose_names_were_written_but_did_not_change_is_right_after_one_trip(maker: Maker) -> None:
    await maker.kept("/", "a", "b")
    await heard(maker, "a", 0)
    assert maker.pages.get("/") is None

    assert await maker.checked("/")
    assert maker.trips == 1
    assert maker.pages.get("/"), "it is armed again"


async def test_a_change_during_the_check_leaves_the_page_unarmed(maker: Maker) -> None:
    await maker.kept("/", "a")
    await heard(maker, "a", 0)
    checking = asyncio.create_task(maker.pages.check("/"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    maker.at.local.drop(["a"])  # a push between the question and its answer
    assert await checking

    assert maker.pages.get("/") is None


async def test_a_change_while_it_was_made_leaves_the_page_unarmed(maker: Maker) -> None:
    await maker.make("/", "a", "b")
    with maker.pages.reading() as reading:
        ticket = maker.at.local.ticket("a")
        data = await maker.at.link.get(["a"])
        assert data
        assert data[0]
        reading.saw("a", records.stamp(data[0]), ticket.alive)
        await heard(maker, "a", 5)
    maker.pages.put("/", reading, Made("old"))

    assert maker.pages.get("/") is None
    assert await maker.checked("/") is None


async def test_a_change_between_an_answer_and_its_being_noted_leaves_the_page_unarmed(maker: Maker) -> None:
    await maker.make("/", "a")
    with maker.pages.reading() as reading:
        ticket = maker.at.local.ticket("a")
        await heard(maker, "a", 5)
        reading.saw("a", 0, ticket.alive)
    maker.pages.put("/", reading, Made("old"))

    assert maker.pages.get("/") is None
    assert await maker.checked("/") is None


async def test_with_an_old_fence_a_page_costs_one_trip_and_stays(maker: Maker) -> None:
    await maker.kept("/", "a", "b")
    maker.at.local.until = now() - 1

    assert maker.pages.get("/") is None
    assert await maker.checked("/")
    assert maker.trips == 1
    await until(lambda: maker.at.local.open)
    assert maker.pages.get("/")


async def test_with_l1_off_each_page_is_one_trip(maker: Maker) -> None:
    maker.pages = Pages(Local(1 << 20, on=False), maker.at.link.get, records.stamp)
    await maker.kept("/", "a", "b", "c")

    for n in range(3):
        assert maker.pages.get("/") is None
        assert await maker.checked("/")
        assert maker.trips == n + 1
    await maker.set("b", 9)
    assert await maker.checked("/") is None


async def test_a_page_is_looked_at_again_after_a_minute(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    await maker.kept("/", "a")
    assert maker.pages.get("/")
    monkeypatch.setattr("cache.pages.now", lambda: now() + LONGEST + 0.1)
    maker.at.local.until += LONGEST + 1

    assert maker.pages.get("/") is None


async def test_a_tainted_page_and_one_made_of_nothing_are_not_kept(maker: Maker) -> None:
    for _ in range(3):
        await maker.make("/gone", "a", "nothing stands here")
        with maker.pages.reading() as reading:
            reading.saw("a", 0, True)
            reading.taint("SQL")
        maker.pages.put("/sql", reading, Made("x"))
        with maker.pages.reading() as reading:
            pass
        maker.pages.put("/empty", reading, Made("x"))
        with maker.pages.reading() as reading:
            reading.saw("a", 0, True)
            reading.saw("a", 1, True)
        maker.pages.put("/torn", reading, Made("x"))

    assert [await maker.checked(key) for key in ("/gone", "/sql", "/empty", "/torn")] == [None] * 4
    assert maker.pages.tainted == 12


async def test_a_redis_that_cannot_be_asked_confirms_nothing(maker: Maker) -> None:
    async def nobody(names: Any) -> None:
        return None

    await maker.kept("/", "a")
    maker.pages._get = nobody

    assert await maker.pages.check("/") is None
    assert maker.pages.get("/"), "nothing was refuted either"


async def test_many_who_ask_in_one_turn_share_a_check(maker: Maker) -> None:
    await maker.kept("/", "a", "b")
    await heard(maker, "a", 0)
    confirmed = maker.pages.confirmed
    answers = await asyncio.gather(*(maker.pages.check("/") for _ in range(50)))

    assert all(answers)
    assert maker.pages.confirmed == confirmed + 1


async def test_who_asks_after_redis_was_asked_asks_again(maker: Maker) -> None:
    """A write may have returned in between: R28, for pages."""
    await maker.kept("/", "a")
    gate = asyncio.Event()
    get, asked = maker.at.link.get, asyncio.Event()

    async def held(names: Any) -> Any:
        found = await get(names)
        asked.set()
        await gate.wait()
        return found

    maker.pages._get = held
    early = asyncio.create_task(maker.pages.check("/"))
    await asked.wait()
    await maker.set("a", 50)
    late = asyncio.create_task(maker.pages.check("/"))
    await asyncio.sleep(0)
    gate.set()

    assert await early
    assert await late is None


async def test_a_caller_who_goes_away_takes_nobody_else_with_him(maker: Maker) -> None:
    await maker.kept("/", "a")
    first, second = (asyncio.create_task(maker.pages.check("/")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()

    assert await second
    assert first.cancelled() or await asyncio.gather(first, return_exceptions=True)
