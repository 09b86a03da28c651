"""The rankings follow the scores, whoever was killed between COMMIT and Redis; the built-in boards count what members write."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from models import Models, best_scores, reapplying
from models.base import Write
from models.best_scores import News
from models.boards import Board, NewBoard
from models.errors import Busy
from models.periods import periods
from models.standings import Standings, ranking
from models.users import User
from models.writing import Draft
from settings import ROOT
from tests.harness.people import People
from tests.harness.wires import Wire


async def race(models: Models, people: People, **fields: Any) -> Board:
    there = await models.boards.create(NewBoard("race", "The race", **fields), by=people.olga)
    await models.reapplying.sweep()
    await models.standings.top(there, "ever")
    await models.reapplying.build()
    assert (await models.standings.top(there, "ever")).players == 0  # the ranking is there
    return there


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch, models: Models) -> list[str]:
    """While something is in the list, no writer tells a ranking anything, as if killed after its COMMIT."""
    killed: list[str] = []
    apply = type(models.standings.rankings).apply

    async def perhaps(self: Any, news: Any) -> bool:
        return False if killed else await apply(self, news)

    monkeypatch.setattr(type(models.standings.rankings), "apply", perhaps)
    return killed


async def score(standings: Standings, board: Board, user: User) -> int | None:
    standing = await standings.place(board, "ever", user.id)
    return standing.score // 1000 if standing else None


async def test_a_score_whose_writer_was_killed_is_applied_by_the_next_sweep(
    models: Models, people: People, deaf: list[str]
) -> None:
    there = await race(models, people)
    await models.scores.submit(there, 5, "1", by=people.bob)
    deaf.append("killed")
    await models.scores.submit(there, 9, "2", by=people.bob)
    deaf.clear()
    assert await score(models.standings, there, people.bob) == 5

    assert await models.reapplying.sweep() >= 1

    assert await score(models.standings, there, people.bob) == 9
    assert await models.reapplying.sweep() == 0  # once


async def test_a_removal_whose_writer_was_killed_is_applied_too(
    models: Models, people: People, deaf: list[str]
) -> None:
    there = await race(models, people)
    sent = await models.scores.submit(there, 5, "1", by=people.bob)
    deaf.append("killed")
    await models.scores.remove(sent.id, by=people.olga)
    deaf.clear()

    await models.reapplying.sweep()

    assert await score(models.standings, there, people.bob) is None


async def test_a_score_that_is_committed_later_than_those_after_it_is_not_passed_over(
    models: Models, people: People, deaf: list[str]
) -> None:
    there = await race(models, people)
    deaf.append("killed")
    async with models.db.transaction() as slow:
        at = datetime.now(UTC)
        id = await slow.insert(
            "INSERT INTO scores (board_id, subject_id, score, created_at) VALUES (%s, %s, 7000, %s)",
            there.id, people.ada.id, at,
        )  # fmt: skip
        rows = [News(there.id, one.name, people.ada.id, -7000, at, id) for one in periods(at, models.standings.zone)]
        await best_scores.merge(Write(slow), "best", rows)
        await models.scores.submit(there, 5, "1", by=people.bob)
        deaf.clear()
        await models.reapplying.sweep()
        assert await score(models.standings, there, people.bob) == 5
        await slow.commit()

    await models.reapplying.sweep()

    assert await score(models.standings, there, people.ada) == 7


async def test_the_next_worker_goes_on_where_the_last_one_was(
    models: Models, other_models: Models, people: People, deaf: list[str]
) -> None:
    there = await race(models, people)
    deaf.append("killed")
    await models.scores.submit(there, 5, "1", by=people.bob)
    deaf.clear()

    await other_models.reapplying.sweep()

    assert await score(models.standings, there, people.bob) == 5


async def test_when_nobody_knows_how_far_all_is_applied_no_ranking_is_trusted(
    models: Models, other_models: Models, people: People, deaf: list[str]
) -> None:
    there = await race(models, people)
    await models.redis.delete(models.cache.link.full("boards.reached"))
    deaf.append("killed")
    await models.scores.submit(there, 5, "1", by=people.bob)
    deaf.clear()

    await other_models.reapplying.sweep()

    assert await models.standings.rankings.look(ranking(there.id, models.standings.current("ever"))) == "absent"
    assert await score(models.standings, there, people.bob) == 5  # from MySQL
    await other_models.reapplying.build()
    assert await score(models.standings, there, people.bob) == 5


async def test_when_mysql_has_lost_scores_no_ranking_is_trusted(models: Models, people: People) -> None:
    there = await race(models, people)
    await models.scores.submit(there, 5, "1", by=people.bob)
    await models.reapplying.sweep()
    async with models.db.transaction() as connection:  # a dump of before is loaded by hand
        await connection.execute("DELETE FROM scores WHERE board_id = %s", there.id)
        await connection.execute("DELETE FROM best_scores WHERE board_id = %s", there.id)
        await connection.commit()
    assert await score(models.standings, there, people.bob) == 5

    await models.reapplying.sweep()

    assert await score(models.standings, there, people.bob) is None


async def test_while_redis_is_away_scores_are_taken_and_shown_and_later_ranked(
    redis_wire: Wire, models: Models, people: People
) -> None:
    there = await race(models, people)
    await redis_wire.cut()
    await models.scores.submit(there, 5, "1", by=people.bob)

    assert await score(models.standings, there, people.bob) == 5
    with pytest.raises(Busy):
        await models.reapplying.sweep()

    await redis_wire.mend()
    async with asyncio.timeout(60):
        while not models.cache.link.up:
            await models.cache.link.recover_now()
            await asyncio.sleep(0.02)
    await models.reapplying.sweep()
    assert await score(models.standings, there, people.bob) == 5


async def test_a_large_ranking_is_built_in_parts(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reapplying, "PART", 3)
    there = await models.boards.create(NewBoard("race", "The race"), by=people.olga)
    for n in range(7):
        who = await models.users.import_author(f"Player {n}")
        await models.users.grant(who.id, "member")
        await models.scores.submit(there, n, "1", by=who)
    await models.standings.top(there, "week")

    assert await models.reapplying.build() == 1

    top = await models.standings.top(there, "week")
    assert ([place.score // 1000 for place in top.places], top.players) == ([6, 5, 4, 3, 2, 1, 0], 7)


async def test_what_members_write_counts_while_it_is_shown(models: Models, people: People) -> None:
    members, discussed = [await models.boards.by_slug(slug) for slug in ("members", "discussed")]
    post = await models.writing.create(Draft("T", "", "Text", ()), by=people.alice, publish=True)
    comment = await models.comments.create(post.id, "Well.", by=people.bob)
    await models.comments.create(post.id, "No.", by=people.bob)
    assert await models.crediting.count() == 5
    assert await models.crediting.count() == 0

    assert [await score(models.standings, members, who) for who in (people.alice, people.bob)] == [10, 4]
    standing = await models.standings.place(discussed, "week", post.id)
    assert standing
    assert standing.score == 2000

    await models.comments.trash(comment.id, by=people.bob)
    await models.publishing.trash(post.id, by=people.alice)
    await models.crediting.count()
    assert [await score(models.standings, members, who) for who in (people.alice, people.bob)] == [0, 2]


async def test_contributions_are_counted_once_by_however_many_workers(
    models: Models, other_models: Models, people: People
) -> None:
    members = await models.boards.by_slug("members")
    post = await models.writing.create(Draft("T", "", "Text", ()), by=people.alice, publish=True)
    for n in range(12):
        await models.comments.create(post.id, f"{n}", by=people.bob)

    counted = await asyncio.gather(*(one.crediting.count() for one in (models, other_models) * 3))

    while left := await models.crediting.count():  # what was locked was left to another
        counted.append(left)
    assert sum(counted) == 25
    assert await score(models.standings, members, people.bob) == 24


async def test_what_was_written_before_there_were_boards_counts_as_well(models: Models, people: People) -> None:
    post = await models.writing.create(Draft("T", "", "Text", ()), by=people.alice, publish=True)
    await models.writing.create(Draft("A draft", "", "Text", ()), by=people.alice)
    await models.comments.create(post.id, "Well.", by=people.bob)
    text = (ROOT / "models/migrations/0005-boards.sql").read_text()
    statements = [part for part in text.split(";\n") if "INSERT INTO contributions" in part]
    async with models.db.transaction() as connection:
        await connection.execute("DELETE FROM contributions")  # nothing was noted of it then
        for statement in statements:
            await connection.execute(statement)
        await connection.commit()

    assert len(statements) == 3
    assert await models.crediting.count() == 3
    members = await models.boards.by_slug("members")
    assert [await score(models.standings, members, who) for who in (people.alice, people.bob)] == [10, 2]
