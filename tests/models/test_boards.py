"""Boards as their members see them: scores once each, ranks, neighbours, windows; and what moderators take away."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from models import Models
from models.boards import Board, NewBoard
from models.errors import Forbidden, Invalid, NotFound, Stale, Taken
from models.periods import period, periods
from models.scores import thousandths
from models.users import User
from tests.harness.people import People


async def board(models: Models, people: People, **fields: Any) -> Board:
    return await models.boards.create(NewBoard("race", "The race", **fields), by=people.olga)


async def players(models: Models, count: int) -> list[User]:
    return [await models.users.import_author(f"Player {n}") for n in range(count)]


async def built(models: Models, board: Board) -> None:
    """The rankings are there, as the worker builds them once somebody has looked."""
    for window in ("day", "week", "month", "ever"):
        await models.standings.top(board, window)
    await models.reapplying.build()


async def test_the_highest_or_the_lowest_comes_first_and_the_earlier_of_equals(models: Models, people: People) -> None:
    high = await board(models, people)
    low = await models.boards.create(NewBoard("golf", "Golf", sense="lowest"), by=people.olga)
    for there in (high, low):
        await built(models, there)
        for n, (who, score) in enumerate([(people.alice, 10), (people.bob, 20), (people.ada, 20), (people.olga, 5)]):
            await models.scores.submit(there, Decimal(score), f"{n}", by=who)

    def seen(top: Any) -> list[tuple[int, str, int]]:
        names = {user.id: user.name for user in (people.alice, people.bob, people.ada, people.olga)}
        return [(place.rank, names[place.subject_id], place.score // 1000) for place in top.places]

    first, last = await models.standings.top(high, "ever"), await models.standings.top(low, "ever")
    assert seen(first) == [(1, "Bob", 20), (1, "Ada", 20), (3, "Alice", 10), (4, "Olga", 5)]
    assert seen(last) == [(1, "Olga", 5), (2, "Alice", 10), (3, "Bob", 20), (3, "Ada", 20)]
    assert first.players == last.players == 4


async def test_the_same_is_answered_from_mysql_while_the_ranking_is_not_there(models: Models, people: People) -> None:
    there = await board(models, people)
    for n, score in enumerate((10, 20, 20, 5)):
        who = (people.alice, people.bob, people.ada, people.olga)[n]
        await models.scores.submit(there, score, f"{n}", by=who)
    from_mysql = [
        await models.standings.place(there, "week", who.id, neighbours=1) for who in (people.alice, people.ada)
    ]
    first = await models.standings.top(there, "week", 3)
    await built(models, there)

    again = await models.standings.top(there, "week", 3)
    assert again.places == first.places
    assert (first.players, again.players) == (None, 4)
    for who, before in zip((people.alice, people.ada), from_mysql, strict=True):
        standing = await models.standings.place(there, "week", who.id, neighbours=1)
        assert standing
        assert before
        assert (standing.rank, standing.around) == (before.rank, before.around)


async def test_rank_neighbours_and_how_many_are_beaten(models: Models, people: People) -> None:
    there = await board(models, people)
    await built(models, there)
    everybody = await players(models, 7)
    for n, who in enumerate(everybody):
        await models.users.grant(who.id, "member")
        await models.scores.submit(there, (100, 90, 90, 90, 80, 70, 60)[n], "one", by=who)

    third = await models.standings.place(there, "ever", everybody[3].id, neighbours=2)
    assert third
    assert (third.rank, third.score, third.players) == (2, 90_000, 7)
    assert third.beats == pytest.approx(50)
    assert [(place.rank, place.subject_id) for place in third.around] == [
        (2, everybody[1].id), (2, everybody[2].id), (2, everybody[3].id), (5, everybody[4].id), (6, everybody[5].id)
    ]  # fmt: skip
    best, worst = [await models.standings.place(there, "ever", everybody[n].id) for n in (0, 6)]
    assert best
    assert worst
    assert (best.beats, worst.beats, worst.rank) == (100, 0, 7)
    assert await models.standings.place(there, "ever", people.bob.id) is None


@pytest.mark.parametrize(("keep", "kept"), [("best", 30), ("last", 20), ("sum", 60)])
async def test_what_is_kept_of_several_scores(models: Models, people: People, keep: Any, kept: int) -> None:
    there = await board(models, people, keep=keep)
    await built(models, there)
    for n, score in enumerate((10, 30, 20)):
        await models.scores.submit(there, score, f"{n}", by=people.bob)

    standing = await models.standings.place(there, "day", people.bob.id)
    assert standing
    assert standing.score == kept * 1000


async def test_a_score_sent_twice_counts_once_and_another_one_under_its_id_is_refused(
    models: Models, people: People
) -> None:
    there = await board(models, people, keep="sum")
    first = await models.scores.submit(there, 10, "mine", by=people.bob)

    again = await models.scores.submit(there, Decimal("10.000"), "mine", by=people.bob)
    assert (again.id, again.created, first.created) == (first.id, False, True)
    with pytest.raises(Taken):
        await models.scores.submit(there, 11, "mine", by=people.bob)
    await models.scores.submit(there, 10, "mine", by=people.alice)  # ids are each sender's own
    standing = await models.standings.place(there, "ever", people.bob.id)
    assert standing
    assert standing.score == 10_000


async def test_what_is_no_score_of_this_board_is_refused(models: Models, people: People) -> None:
    there = await board(models, people, least=0, most=100_000)

    hostile = ("1e900000", "1e999999", "1e999999999999999999", "1e-1999990", "-1E+999999", "0." + "0" * 5000 + "1")
    for wrong in (-1, 101, "a", "1.0001", float("nan"), float("inf"), "1e400", 10**30, "0x10", *hostile):
        with pytest.raises(Invalid) as refused:
            await models.scores.submit(there, wrong, "1", by=people.bob)
        assert list(refused.value.fields) == ["score"]
    for id in ("", "x" * 65, "a\nb", " a", "a ", "\u3000"):
        with pytest.raises(Invalid):
            await models.scores.submit(there, 1, id, by=people.bob)
    assert (await models.refereeing.scores_sheet(there)).items == ()
    assert [thousandths(one) for one in ("12.5", "0e99999", "-0", "1.500", "9007199254740.991")] == [
        12_500, 0, 0, 1_500, 2**53 - 1
    ]  # fmt: skip


async def test_a_sum_beyond_what_redis_can_count_is_refused_and_changes_nothing(models: Models, people: People) -> None:
    there = await board(models, people, keep="sum")
    await models.scores.submit(there, 9_000_000_000_000, "1", by=people.bob)

    with pytest.raises(Invalid):
        await models.scores.submit(there, 9_000_000_000_000, "2", by=people.bob)
    standing = await models.standings.place(there, "ever", people.bob.id)
    assert standing
    assert standing.score == 9_000_000_000_000_000


async def test_closed_and_built_in_boards_take_no_scores(models: Models, people: People) -> None:
    there = await board(models, people)
    await models.boards.set_status(there.id, "closed", by=people.olga)

    with pytest.raises(Forbidden):
        await models.scores.submit(there, 1, "1", by=people.bob)
    with pytest.raises(Forbidden):
        await models.scores.submit(await models.boards.by_slug("members"), 1, "1", by=people.bob)


async def test_who_is_deactivated_sends_no_scores(models: Models, people: People) -> None:
    there = await board(models, people)
    await models.people.act("deactivate", [people.bob.id], by=people.olga)

    with pytest.raises(Forbidden):
        await models.scores.submit(there, 1, "1", by=people.bob)


@pytest.mark.parametrize(("keep", "without"), [("best", 20), ("last", 20), ("sum", 30)])
async def test_a_removed_score_no_longer_counts_and_comes_back(
    models: Models, people: People, keep: Any, without: int
) -> None:
    there = await board(models, people, keep=keep)
    await built(models, there)
    sent = [await models.scores.submit(there, score, f"{n}", by=people.bob) for n, score in enumerate((10, 20, 30))]

    await models.scores.remove(sent[2].id, by=people.olga)

    async def score() -> int | None:
        standing = await models.standings.place(there, "month", people.bob.id)
        return standing.score // 1000 if standing else None

    assert await score() == without
    await models.scores.restore(sent[2].id, by=people.olga)
    assert await score() == {"best": 30, "last": 30, "sum": 60}[keep]
    for one in sent:
        await models.scores.remove(one.id, by=people.olga)
    assert await score() is None
    assert (await models.standings.top(there, "ever")).players == 0
    assert [one.removed for one in (await models.refereeing.scores_sheet(there)).items] == [True] * 3
    with pytest.raises(Forbidden):
        await models.scores.remove(sent[0].id, by=people.bob)


async def test_boards_are_made_and_changed_by_operators(models: Models, people: People) -> None:
    there = await board(models, people, about=" Run. ")

    with pytest.raises(Taken):
        await board(models, people)
    with pytest.raises(Forbidden):
        await models.boards.create(NewBoard("mine", "Mine"), by=people.alice)
    with pytest.raises(Invalid) as refused:
        await models.boards.create(NewBoard("A b", "", "x" * 401, "best", "worst", 2, 1, "//x"), by=people.olga)  # type: ignore[arg-type]
    assert set(refused.value.fields) == {"slug", "title", "about", "sense", "keep", "page"}
    changed = await models.boards.edit(there.id, NewBoard("run", "Run", sense="lowest"), version=1, by=people.olga)
    assert (await models.boards.by_slug("run")).sense == "lowest"
    with pytest.raises(NotFound):
        await models.boards.by_slug("race")
    with pytest.raises(Stale):
        await models.boards.edit(there.id, NewBoard("run", "Walk"), version=1, by=people.olga)
    await models.scores.submit(changed, 3, "1", by=people.bob)
    with pytest.raises(Invalid):
        await models.boards.edit(there.id, NewBoard("run", "Run", sense="highest"), by=people.olga)
    members = await models.boards.by_slug("members")
    with pytest.raises(Forbidden):
        await models.boards.edit(members.id, NewBoard("members", "M", keep="sum", least=1), by=people.olga)


async def test_hidden_boards_are_not_listed(models: Models, people: People) -> None:
    there = await board(models, people)
    assert [one.slug for one in await models.boards.listed()] == ["members", "discussed", "race"]

    await models.boards.set_status(there.id, "hidden", by=people.olga)

    assert [one.slug for one in await models.boards.listed()] == ["members", "discussed"]
    assert len((await models.refereeing.sheet()).items) == 3


def test_a_window_ends_at_midnight_of_the_sites_zone() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    at = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)  # the first of January there

    assert [one.name for one in periods(at, shanghai)] == ["2027-01-01", "2026-W53", "2027-01", "ever"]
    assert [one.name for one in periods(at, ZoneInfo("UTC"))] == ["2026-12-31", "2026-W53", "2026-12", "ever"]
    day = period("day", at, shanghai)
    assert (day.starts, day.ends) == (datetime(2026, 12, 31, 16, tzinfo=UTC), datetime(2027, 1, 1, 16, tzinfo=UTC))
    spring = period("day", datetime(2026, 3, 29, 12, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    assert spring.starts
    assert spring.ends
    assert spring.ends - spring.starts == timedelta(hours=23)
