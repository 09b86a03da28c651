"""Votes: one ballot for each voter whatever comes at once, and counts that follow it exactly."""

from models import Models
from models.poll_rules import NewPoll
from models.polls import Poll
from tests.harness.people import People

COLOURS = ("Red", "绿", "Blue")


async def colours(models: Models, people: People, **fields: object) -> Poll:
    return await models.polls.create(NewPoll("Which colour?", COLOURS, **fields), by=people.alice)  # type: ignore[arg-type]


async def test_a_vote_is_counted_and_changed(models: Models, people: People) -> None:
    poll = await colours(models, people)
    red, green, _ = (choice.id for choice in poll.choices)
    first = await models.ballots.cast(poll, [red], voter=people.bob)
    again = await models.ballots.cast(poll, [red], voter=people.bob)
    other = await models.ballots.cast(poll, [green], voter=people.bob)

    assert (first.created, first.changed, first.result.votes) == (True, True, (1, 0, 0))
    assert (again.created, again.changed, again.result) == (False, False, first.result)
    assert (other.created, other.changed, other.result.votes, other.result.voters) == (False, True, (0, 1, 0), 1)
    assert await models.results.one(poll.id) == other.result
    assert await models.ballots.of(poll.id, people.bob) == (green,)
    assert await models.polls.one(poll.id) == poll
    assert await models.polls.open() == [poll]
