"""Rankings in Redis: entries may come late, twice, in any order and from many; half a ranking is none; builders may die."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from redis.asyncio import Redis

from cache.boards import MOST_POINTS, Claim, Entry, Ranking, Rankings, View, pack
from cache.link import Link
from cache.local import Local
from cache.pages import Pages
from cache.records import stamp
from models import Models

RACE = Ranking("7:ever")


@pytest.fixture
def rankings(models: Models) -> Rankings:
    return models.standings.rankings


async def start(rankings: Rankings, entries: Sequence[Entry] = ()) -> None:
    claim = await rankings.claim(RACE)
    assert claim
    assert await rankings.build(claim, pack(entries), done=True)


async def order(rankings: Rankings, ranking: Ranking = RACE) -> list[tuple[int, int]]:
    view = await rankings.look(ranking, first=100)
    assert isinstance(view, View), view
    return [(one.subject, one.points) for one in view.first]


async def test_the_newest_version_of_each_subject_wins_in_whatever_order_they_come(rankings: Rankings) -> None:
    news = [Entry(1, 1, 10, 5), Entry(1, 2, 20, 3), Entry(1, 3, 30, 9), Entry(2, 1, 15, 4)]
    for n, turn in enumerate(permutations(news)):
        ranking = Ranking(f"7:{n}")
        claim = await rankings.claim(ranking)
        assert claim
        assert await rankings.build(claim, pack(()), done=True)

        for entry in (*turn, turn[0]):
            await rankings.apply([(ranking, [entry])])

        await rankings.apply([(ranking, turn)])  # all at once, a subject several times
        assert await order(rankings, ranking) == [(2, 4), (1, 9)]

    claim = await rankings.claim(RACE)
    assert claim
    assert await rankings.build(claim, pack(news), done=True)
    assert await order(rankings) == [(2, 4), (1, 9)]


async def test_a_subject_that_has_nothing_any_more_is_gone_and_older_news_do_not_bring_it_back(
    rankings: Rankings,
) -> None:
    await start(rankings, [Entry(1, 1, 10, 5), Entry(2, 1, 10, 6)])

    await rankings.apply([(RACE, [Entry(1, 3, 10, None)])])
    await rankings.apply([(RACE, [Entry(1, 2, 10, 4)])])

    assert await order(rankings) == [(2, 6)]
    await rankings.apply([(RACE, [Entry(1, 4, 10, 7)])])
    assert await order(rankings) == [(2, 6), (1, 7)]


async def test_points_are_exact_up_to_the_largest(rankings: Rankings) -> None:
    entries = [
        Entry(n, 1, n, points) for n, points in enumerate((MOST_POINTS, MOST_POINTS - 1, -MOST_POINTS, 0, 10**15))
    ]
    await start(rankings, entries)

    assert [points for _, points in await order(rankings)] == [-MOST_POINTS, 0, 10**15, MOST_POINTS - 1, MOST_POINTS]


async def test_news_for_a_ranking_that_is_not_there_do_not_make_one(rankings: Rankings) -> None:
    await rankings.apply([(RACE, [Entry(1, 1, 10, 5)])])

    assert await rankings.look(RACE) == "absent"
    assert await rankings.wanted() == RACE.name
    assert await rankings.wanted() is None


async def test_what_changes_while_it_is_built_is_in_it(rankings: Rankings) -> None:
    claim = await rankings.claim(RACE)
    assert claim
    assert await rankings.build(claim, pack([Entry(1, 1, 10, 5)]), done=False)
    await rankings.apply([(RACE, [Entry(1, 2, 20, 1), Entry(9, 7, 20, 2)])])

    assert await rankings.look(RACE) == "building"
    assert await rankings.build(claim, pack([Entry(9, 6, 10, 8)]), done=True)  # read before that

    assert await order(rankings) == [(1, 1), (9, 2)]


async def test_one_builds_and_another_goes_on_where_it_was_killed(
    rankings: Rankings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache.boards.LEASE", 0.05)
    claim = await rankings.claim(RACE)
    assert claim
    assert await rankings.claim(RACE) is None
    assert await rankings.build(claim, pack([Entry(1, 1, 10, 5), Entry(4, 1, 10, 6)]), done=False)

    second: Claim | None = None
    while second is None:
        second = await rankings.claim(RACE)

    assert second.after == 4
    assert not await rankings.build(
        claim, pack([Entry(5, 1, 10, 1)]), done=False
    )  # it was only stopped: true, but no right
    assert await rankings.build(second, pack([Entry(5, 1, 10, 1), Entry(6, 1, 10, 2)]), done=True)
    assert await order(rankings) == [(5, 1), (6, 2), (1, 5), (4, 6)]
    assert await rankings.claim(RACE) is None


@pytest.mark.parametrize("half", ["board:7:ever", "board:7:ever:at"])
async def test_half_a_ranking_is_none(rankings: Rankings, models: Models, half: str) -> None:
    await start(rankings, [Entry(1, 1, 10, 5)])
    link: Link = rankings._link

    await models.redis.delete(link.full(half))
    assert await rankings.look(RACE) == "absent"
    await rankings.apply([(RACE, [Entry(1, 2, 10, 4)])])
    assert await rankings.look(RACE) == "absent"

    await start(rankings, [Entry(2, 1, 10, 5)])
    assert await order(rankings) == [(2, 5)]


async def test_a_redis_that_was_emptied_has_no_ranking_and_takes_none_of_before(
    rankings: Rankings, models: Models
) -> None:
    claim = await rankings.claim(RACE)
    assert claim
    await models.redis.delete(f"{rankings._link._line._namespace}:epoch")

    assert not await rankings.build(claim, pack([Entry(1, 1, 10, 5)]), done=True)
    assert await rankings.look(RACE) == "absent"


async def test_a_page_of_a_ranking_is_right_until_it_changes(rankings: Rankings, models: Models) -> None:
    await start(rankings, [Entry(1, 1, 10, 5)])
    pages: Pages[Any] = Pages(Local(1 << 20), models.cache.link.get, stamp)

    async def kept() -> bool:
        with pages.reading() as reading:
            await rankings.look(RACE)
        assert not reading.why
        (name,) = reading.stamps
        found = await models.cache.link.get([name])
        assert found
        before = stamp(found[0])
        await rankings.apply([(RACE, [Entry(1, 1, 10, 5)])])  # no news
        same = await models.cache.link.get([name])
        assert same
        assert stamp(same[0]) == before == reading.stamps[name]
        await rankings.apply([(RACE, [Entry(1, 2, 10, 4)])])
        after = await models.cache.link.get([name])
        assert after
        return stamp(after[0]) == before

    assert not await kept()


async def test_a_page_of_a_window_that_is_over_is_not_right(rankings: Rankings, models: Models) -> None:
    over = Ranking("7:2020-01-01", datetime(2020, 1, 2, tzinfo=UTC))
    soon = Ranking("7:soon", datetime.now(UTC) + timedelta(seconds=1))
    for ranking in (over, soon):
        claim = await rankings.claim(ranking)
        assert claim
        assert await rankings.build(claim, pack([Entry(1, 1, 10, 5)]), done=True)

    for ranking in (over, soon):
        with models.pages.reading() as reading:
            assert isinstance(await rankings.look(ranking), View)
        assert reading.why
    left = await models.redis.pttl(rankings._link.full(soon.keys[2]))
    assert 0 < left <= 1000


async def test_many_at_once_leave_what_the_last_versions_say(rankings: Rankings) -> None:
    dice = random.Random(7)
    await start(rankings)
    rows = dict.fromkeys(range(1, 31), 0)
    last: dict[int, Entry] = {}

    async def write() -> None:
        for _ in range(40):
            subject = dice.choice(list(rows))
            rows[subject] += 1
            points = None if dice.random() < 0.1 else dice.randrange(10)
            last[subject] = entry = Entry(subject, rows[subject], dice.randrange(5), points)
            await asyncio.sleep(dice.random() / 500)
            await rankings.apply([(RACE, [entry])])

    await asyncio.gather(*(write() for _ in range(8)))

    wanted = sorted((e.points, e.moment, e.subject) for e in last.values() if e.points is not None)
    assert await order(rankings) == [(subject, points) for points, _, subject in wanted]


async def test_without_redis_nothing_raises(models: Models) -> None:
    away: Redis = Redis.from_url("unix:///nowhere?db=0")
    link = Link(away, "none")
    rankings = Rankings(link, Local(1 << 20))

    assert await rankings.look(RACE) == "absent"
    assert await rankings.claim(RACE) is None
    assert not await rankings.apply([(RACE, [Entry(1, 1, 1, 1)])])
    assert not await rankings.forget([RACE])
    assert await rankings.wanted() is None
    assert await rankings.reached() is None
    await link.close()
    await away.aclose()
