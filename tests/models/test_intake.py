"""Scores that come together share a transaction, and none of them suffers from another."""

import asyncio
from typing import Any

import pytest

from models import Models, gathering
from models.boards import Board, NewBoard
from models.counts import COUNTS
from models.errors import Busy, Forbidden, Invalid, Taken
from models.users import User
from tests.harness.people import People


async def race(models: Models, people: People, **fields: Any) -> Board:
    return await models.boards.create(NewBoard("race", "The race", **fields), by=people.olga)


async def members(models: Models, count: int) -> list[User]:
    found = [await models.users.import_author(f"Player {n}") for n in range(count)]
    for one in found:
        await models.users.grant(one.id, "member")
    return found


async def sums(models: Models, board: Board, users: list[User]) -> list[int | None]:
    standings = [await models.standings.place(board, "ever", user.id) for user in users]
    return [one.score // 1000 if one else None for one in standings]


async def test_those_that_come_while_one_is_taken_share_the_next_transaction(models: Models, people: People) -> None:
    there = await race(models, people, keep="sum")
    everybody = await members(models, 20)
    before = COUNTS["boards.commits"]

    await asyncio.gather(*(models.scores.submit(there, n, f"{n}", by=everybody[n % 20]) for n in range(60)))

    assert COUNTS["boards.commits"] - before <= 2
    assert await sums(models, there, everybody) == [n + (n + 20) + (n + 40) for n in range(20)]


async def test_the_same_score_from_many_at_once_is_taken_once(
    models: Models, other_models: Models, people: People
) -> None:
    there = await race(models, people, keep="sum")

    taken = await asyncio.gather(
        *(one.scores.submit(there, 5, "mine", by=people.bob) for _ in range(15) for one in (models, other_models))
    )

    assert sum(one.created for one in taken) == 1
    assert len({one.id for one in taken}) == 1
    assert await sums(models, there, [people.bob]) == [5]


async def test_what_is_wrong_with_one_is_not_the_others_fault(models: Models, people: People) -> None:
    there = await race(models, people, keep="sum")
    closed = await models.boards.create(NewBoard("shut", "Shut"), by=people.olga)
    await models.boards.set_status(closed.id, "closed", by=people.olga)
    (gone,) = await members(models, 1)
    await models.people.act("deactivate", [gone.id], by=people.olga)
    await models.scores.submit(there, 9_000_000_000_000, "1", by=people.alice)
    submit = models.scores.submit

    outcomes = await asyncio.gather(
        submit(there, 1, "x", by=people.bob),
        submit(closed, 1, "x", by=people.bob),
        submit(there, 2, "x", by=people.bob),
        submit(there, 1, "x", by=gone),
        submit(there, 9_000_000_000_000, "2", by=people.alice),
        submit(there, 3, "y", by=people.olga),
        return_exceptions=True,
    )

    assert [getattr(one, "created", type(one)) for one in outcomes] == [
        True,
        Forbidden,
        Taken,
        Forbidden,
        Invalid,
        True,
    ]
    assert await sums(models, there, [people.bob, people.olga, people.alice, gone]) == [
        1,
        3,
        9_000_000_000_000,
        None,
    ]


async def test_who_goes_away_does_not_take_the_others_along(models: Models, people: People) -> None:
    there = await race(models, people)
    first = asyncio.create_task(models.scores.submit(there, 1, "1", by=people.bob))
    second = asyncio.create_task(models.scores.submit(there, 2, "2", by=people.alice))
    await asyncio.sleep(0)
    first.cancel()

    assert (await second).created
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await sums(models, there, [people.bob, people.alice]) == [1, 2]


async def test_when_too_many_wait_one_more_is_refused(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = await race(models, people)
    monkeypatch.setattr(gathering, "MOST_WAITING", 3)

    outcomes = await asyncio.gather(
        *(models.scores.submit(there, n, f"{n}", by=people.bob) for n in range(5)), return_exceptions=True
    )

    assert [isinstance(one, Busy) for one in outcomes] == [False, False, False, True, True]


async def test_a_score_that_was_looked_at_under_other_rules_is_sent_again(models: Models, people: People) -> None:
    there = await race(models, people)
    lowest = await models.boards.edit(there.id, NewBoard("race", "The race", sense="lowest"), by=people.olga)

    with pytest.raises(Busy):
        await models.scores.submit(there, 5, "1", by=people.bob)  # as a process whose memory is a moment old

    assert (await models.scores.submit(lowest, 5, "1", by=people.bob)).created
    assert await sums(models, lowest, [people.bob]) == [5]
