"""Votes: one ballot for each voter whatever comes at once, counts that follow it exactly, and who may cast one when."""

import asyncio
import time

import pytest

from models import Models, choices, gathering, polls, results
from models.ballots import visible
from models.counts import COUNTS
from models.errors import Closed, Forbidden, Invalid, NotFound
from models.polls import Poll
from tests.harness.people import People
from tests.models.poll_making import colours, ids, in_hours, members, set_clock

VISITOR, OTHER = "a" * 32, "b" * 32


async def test_a_vote_is_counted_and_can_be_changed(models: Models, people: People) -> None:
    poll = await colours(models, people)
    before = await models.results.one(poll.id)
    first = await models.ballots.cast(poll, ids(poll, 0), voter=people.bob)
    again = await models.ballots.cast(poll, ids(poll, 0), voter=people.bob)
    other = await models.ballots.cast(poll, ids(poll, 1), voter=people.bob)

    assert (before.votes, before.voters) == ((0, 0, 0), 0)
    assert (first.created, first.changed, first.result.votes) == (True, True, (1, 0, 0))
    assert (again.created, again.changed, again.result) == (False, False, first.result)
    assert (other.created, other.changed, other.result.votes, other.result.voters) == (False, True, (0, 1, 0), 1)
    assert [before.version + 1, before.version + 2] == [first.result.version, other.result.version]
    assert await models.results.one(poll.id) == other.result
    assert await models.ballots.of(poll.id, people.bob) == tuple(ids(poll, 1))
    assert await models.ballots.of(poll.id, people.ada) == ()
    assert await models.ballots.has_voted(poll.id, people.bob)
    assert not await models.ballots.has_voted(poll.id, people.ada)


async def test_of_several_choices_only_what_differs_changes(models: Models, people: People) -> None:
    poll = await colours(models, people, kind="multiple")
    await models.ballots.cast(poll, ids(poll, 0, 1), voter=people.bob)
    await models.ballots.cast(poll, ids(poll, 1), voter=people.ada)
    cast = await models.ballots.cast(poll, ids(poll, 2, 1, 1), voter=people.bob)

    assert (cast.result.voters, cast.result.votes) == (2, (0, 2, 1))
    assert await models.ballots.of(poll.id, people.bob) == tuple(ids(poll, 1, 2))


async def test_a_vote_forgets_the_counts_and_nothing_else(models: Models, people: People) -> None:
    poll = await colours(models, people)
    await models.polls.open()
    await models.polls.one(poll.id)
    await models.results.one(poll.id)
    await models.ballots.cast(poll, ids(poll, 0), voter=people.bob)

    slots = polls.BY_ID(poll.id), polls.OPEN(0), results.BY_POLL(poll.id)
    kept = [(await models.inspector.look(slot)).levels[-1].held for slot in slots]
    assert [held.served for held in kept] == [True, True, False]
    assert kept[0].value == poll
    assert (await models.polls.one(poll.id)).version == 1


@pytest.mark.parametrize(("kind", "chosen"), [("single", ()), ("single", (0, 1)), ("multiple", ())])
async def test_what_is_no_vote_of_this_poll_is_refused(
    models: Models, people: People, kind: str, chosen: tuple[int, ...]
) -> None:
    poll, other = await colours(models, people, kind=kind), await colours(models, people)
    wrong = [ids(poll, *chosen), ids(other, 0), [0], [2**70], [*ids(poll, 0), -1], list(range(10**4))]

    for choice_ids in wrong:
        with pytest.raises(Invalid) as refused:
            await models.ballots.cast(poll, choice_ids, voter=people.bob)
        assert list(refused.value.fields) == ["choices"]
    assert (await models.results.one(poll.id)).voters == 0


async def test_the_time_decides_whatever_the_worker_has_done(models: Models, people: People) -> None:
    over, begun = (
        await colours(models, people, closes_at=in_hours(1)),
        await colours(models, people, opens_at=in_hours(1)),
    )
    await models.ballots.cast(over, ids(over, 0), voter=people.bob)
    with pytest.raises(NotFound):
        await models.ballots.cast(begun, ids(begun, 0), voter=people.bob)
    await set_clock(models, over, closes=-0.001)
    await set_clock(models, begun, opened=-0.001)

    with pytest.raises(Closed):
        await models.ballots.cast(over, ids(over, 1), voter=people.bob)
    assert (await models.ballots.cast(begun, ids(begun, 0), voter=people.bob)).created
    assert (await models.results.fresh().one(over.id)).votes == (1, 0, 0)


async def test_a_closed_poll_takes_no_vote_and_one_in_the_trash_is_not_there(models: Models, people: People) -> None:
    poll, gone = await colours(models, people), await colours(models, people)
    await models.polls.close(poll.id, by=people.alice)
    await models.polls.trash(gone.id, by=people.alice)

    with pytest.raises(Closed):
        await models.ballots.cast(poll, ids(poll, 0), voter=people.bob)
    with pytest.raises(NotFound):
        await models.ballots.cast(gone, ids(gone, 0), voter=people.bob)
    await models.polls.reopen(poll.id, by=people.alice)
    await models.polls.restore(gone.id, by=people.alice)
    for one in (poll, gone):
        assert (await models.ballots.cast(one, ids(one, 0), voter=people.bob)).created


async def test_visitors_vote_where_they_may_once_each(models: Models, people: People) -> None:
    members_only, everybody = await colours(models, people), await colours(models, people, visitors=True)
    for wrong in ("", "A" * 32, "u1", "a" * 31, "a" * 33, "a" * 31 + "\n"):
        with pytest.raises(Forbidden):
            await models.ballots.cast(everybody, ids(everybody, 0), voter=wrong)
    with pytest.raises(Forbidden):
        await models.ballots.cast(members_only, ids(members_only, 0), voter=VISITOR)
    await models.ballots.cast(everybody, ids(everybody, 0), voter=VISITOR)
    await models.ballots.cast(everybody, ids(everybody, 1), voter=VISITOR)
    cast = await models.ballots.cast(everybody, ids(everybody, 1), voter=OTHER)

    assert (cast.result.voters, cast.result.votes) == (2, (0, 2, 0))
    assert await models.ballots.of(everybody.id, VISITOR) == tuple(ids(everybody, 1))


async def test_what_is_wrong_with_one_is_not_the_others_fault(models: Models, people: People) -> None:
    poll, closed = await colours(models, people), await colours(models, people)
    await models.polls.close(closed.id, by=people.alice)
    (gone,) = await members(models, 1)
    await models.people.act("deactivate", [gone.id], by=people.olga)
    cast, commits = models.ballots.cast, COUNTS["polls.commits"]
    outcomes = await asyncio.gather(
        cast(poll, ids(poll, 0), voter=people.bob),
        cast(closed, ids(closed, 0), voter=people.bob),
        cast(poll, ids(poll, 0), voter=gone),
        cast(poll, ids(closed, 0), voter=people.olga),
        cast(poll, ids(poll, 1), voter=people.olga),
        return_exceptions=True,
    )

    said = [getattr(one, "created", type(one)) for one in outcomes]
    assert said == [True, Closed, Forbidden, Invalid, True]
    assert (await models.results.one(poll.id)).votes == (1, 1, 0)
    assert COUNTS["polls.commits"] - commits == 2  # one for each poll


async def test_several_votes_of_one_voter_are_one_ballot_the_last(models: Models, people: People) -> None:
    poll = await colours(models, people)
    places = (0, 1, 1, 2, 0)
    casts = await asyncio.gather(*(models.ballots.cast(poll, ids(poll, n), voter=people.bob) for n in places))

    assert [one.created for one in casts] == [True, False, False, False, False]
    assert [one.changed for one in casts] == [True, True, False, True, True]
    assert {one.result for one in casts} == {await models.results.one(poll.id)}
    assert casts[0].result.votes == (1, 0, 0)


@pytest.mark.parametrize("at_once", [1, 100])
async def test_the_same_member_in_two_processes_at_once_has_one_ballot(
    models: Models, other_models: Models, people: People, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(gathering, "AT_ONCE", at_once)
    poll = await colours(models, people, kind="multiple")
    votes = [ids(poll, n % 3, n % 2) for n in range(50)]
    casts = await asyncio.gather(
        *((models, other_models)[n % 2].ballots.cast(poll, votes[n], voter=people.bob) for n in range(50))
    )
    again = await asyncio.gather(
        *((models, other_models)[n % 2].ballots.cast(poll, votes[-n], voter=people.bob) for n in range(20))
    )

    assert [sum(one.created for one in some) for some in (casts, again)] == [1, 0]
    assert (await models.results.fresh().one(poll.id)).voters == 1
    assert len(await models.db.fetch("SELECT voter FROM ballots WHERE poll_id = %s", poll.id)) == 1


async def test_a_thousand_at_once_in_two_processes_are_all_counted(
    models: Models, other_models: Models, people: People
) -> None:
    poll, everybody = await colours(models, people), await members(models, 1_000)
    commits, began = COUNTS["polls.commits"], time.perf_counter()
    casts = await asyncio.gather(
        *(
            (models, other_models)[n % 2].ballots.cast(poll, ids(poll, n % 3), voter=voter)
            for n, voter in enumerate(everybody)
        )
    )

    print(f"1,000 ballots in {time.perf_counter() - began:.2f} s, {COUNTS['polls.commits'] - commits} commits")
    assert all(one.created for one in casts)
    found = await other_models.results.one(poll.id)
    assert (found.voters, found.votes) == (1_000, (334, 333, 333))
    assert COUNTS["polls.commits"] - commits < 50


async def test_votes_in_many_polls_in_every_order_do_not_wait_for_each_other_for_ever(
    models: Models, other_models: Models, people: People
) -> None:
    asked = [await colours(models, people) for _ in range(12)]
    voters = await members(models, 20)
    casts = [
        (models, other_models)[n % 2].ballots.cast(poll, ids(poll, n % 3), voter=voter)
        for n, voter in enumerate(voters)
        for poll in (asked if n % 4 < 2 else asked[::-1])
    ]
    await asyncio.gather(*casts)

    assert {found.voters for found in await models.results.many([poll.id for poll in asked])} == {20}


async def test_a_vote_that_waited_for_an_edit_is_judged_by_the_new_choices_and_others_do_not_wait(
    models: Models, other_models: Models, people: People
) -> None:
    """What MySQL could read before it had the lock must not be what it goes by."""
    free, held = await colours(models, people), await colours(models, people)
    async with models.polls.write() as w:
        await models.polls.locked(w, (held.id,))
        new = await choices.write(w, held.id, ("Green", "Yellow"))
        waiting, other = (
            asyncio.create_task(other_models.ballots.cast(poll, ids(poll, 0), voter=people.bob))
            for poll in (held, free)
        )
        assert (await asyncio.wait_for(other, 30)).created
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await results.count(w, {held.id: 0})

    with pytest.raises(Invalid):
        await waiting
    assert (await models.ballots.cast(held, [new[1].id], voter=people.bob)).result.votes == (0, 1)


async def test_the_first_vote_counts_on_the_board_of_members_and_no_other_does(models: Models, people: People) -> None:
    async def points() -> int:
        await models.crediting.count()
        standing = await models.standings.place(board, "ever", people.bob.id)
        return standing.score if standing else 0

    board, poll = await models.boards.by_slug("members"), await colours(models, people, visitors=True)
    await models.ballots.cast(poll, ids(poll, 0), voter=VISITOR)
    assert await points() == 0
    await models.ballots.cast(poll, ids(poll, 0), voter=people.bob)
    assert await points() == 1_000
    await models.ballots.cast(poll, ids(poll, 1), voter=people.bob)
    await models.polls.trash(poll.id, by=people.alice)
    assert await points() == 1_000


@pytest.mark.parametrize(
    ("rule", "status", "seen"),
    [
        ("always", "open", (True, True)),
        ("after_vote", "open", (False, True)),
        ("after_vote", "closed", (True, True)),
        ("after_close", "open", (False, False)),
        ("after_close", "closed", (True, True)),
    ],
)
async def test_results_are_shown_by_the_rule(
    models: Models, people: People, rule: str, status: str, seen: tuple[bool, bool]
) -> None:
    poll: Poll = await colours(models, people, results=rule)
    if status == "closed":
        poll = await models.polls.close(poll.id, by=people.alice)

    assert (visible(poll, voted=False), visible(poll, voted=True)) == seen
