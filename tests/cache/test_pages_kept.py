"""The room that pages take, and many who want the same page made."""

import asyncio

from cache.local import now
from cache.reading import READING
from tests.cache.sides import Made, Maker

pytest_plugins = ["tests.cache.two_sides"]


async def test_pages_share_the_room_and_those_that_wait_go_first(maker: Maker) -> None:
    maker.at.local.most = 65_000
    for n in range(8):
        for _ in range(2):
            with maker.pages.reading() as reading:
                reading.saw(f"p:{n}", n, True)
            maker.pages.put(f"/{n}", reading, Made("x" * 5000))
    maker.at.local.drop([f"p:{n}" for n in (6, 7)])
    for n in range(8, 10):
        for _ in range(2):
            with maker.pages.reading() as reading:
                reading.saw(f"p:{n}", n, True)
            maker.pages.put(f"/{n}", reading, Made("x" * 6000))

    local = maker.at.local
    assert local.live.weight + local.spare.weight <= 65_000
    assert [maker.pages.get(f"/{n}") is not None for n in range(10)] == [True] * 6 + [False] * 2 + [True] * 2
    assert set(maker.pages._pages) == {f"/{n}" for n in range(10)} - {"/6"}
    local.flush()
    assert local.live.weight == 0
    assert local._watches == {}


async def test_nothing_is_left_of_pages_that_went(maker: Maker) -> None:
    local = maker.at.local
    local.most = 100_000
    for n in range(200):
        for _ in range(2):
            with maker.pages.reading() as reading:
                for name in ("scope", f"p:{n}"):
                    reading.saw(name, 1, True)
            maker.pages.put(f"/{n}", reading, Made("x" * 3000))
            del reading
    kept = len(maker.pages._pages)
    local.fence(now())

    assert kept < 40
    assert len(local._watches) == kept + 1
    assert len(local._watches["scope"]) == kept


async def test_one_makes_a_page_and_the_others_wait_for_it(maker: Maker) -> None:
    await maker.make("/", "a")
    making = 0

    async def visit() -> str:
        nonlocal making
        async with maker.pages.turn("/") as mine:
            answer = None if mine else maker.pages.get("/")
            if answer is None:
                making += 1
                return await maker.make("/", "a", "b")
            return answer.text

    texts = await asyncio.gather(*(visit() for _ in range(20)))

    assert len(set(texts)) == 1
    assert making == 1
    assert maker.pages._turns == {}


async def test_a_maker_who_fails_lets_the_others_go_on(maker: Maker) -> None:
    async def fail() -> None:
        async with maker.pages.turn("/"):
            await asyncio.sleep(0)
            raise ValueError

    async def follow() -> bool:
        async with maker.pages.turn("/") as mine:
            return mine

    failed, followed = await asyncio.gather(fail(), follow(), return_exceptions=True)

    assert isinstance(failed, ValueError)
    assert followed is False


async def test_the_reading_is_the_callers_own(maker: Maker) -> None:
    assert READING.get() is None
    with maker.pages.reading() as reading:
        assert READING.get() is reading
    assert READING.get() is None
