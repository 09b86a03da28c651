"""How a poll stands for who asks: what they have chosen, and the results as far as they may see them."""

import re

from handlers.base import ID, Base
from handlers.v1 import Output
from handlers.v1_polls import votes_of
from handlers.voters import voter_of
from models.ballots import Voter, visible
from models.errors import NotFound
from models.polls import Poll

VOTED, COUNTED = "You have voted.", "Your vote is counted."
_PATH = re.compile(rf"/polls/{ID}(?:/ballot)?", re.ASCII)


class OwnBallot(Output):
    """`choices`: the ids of what one has chosen; `votes`: of each choice in the poll's order, null while one may not see them;
    `version` rises with each vote; `words`: what one is told about it, in one's language."""

    status: str
    choices: tuple[int, ...]
    voters: int
    votes: tuple[int, ...] | None
    version: int
    words: str


async def own(handler: Base, poll: Poll, voter: Voter | None, *, said: str = VOTED) -> OwnBallot:
    """For a voter, or, with None, for everybody. `said` is told to who has voted."""
    models = handler.app.models
    chosen = await models.ballots.of(poll.id, voter) if voter else ()
    result = await models.results.one(poll.id)
    return OwnBallot(
        status=poll.status, choices=chosen, voters=result.voters, version=result.version,
        votes=votes_of(poll, result) if visible(poll, bool(chosen)) else None, words=handler.translate(said) if chosen else "",
    )  # fmt: skip


async def own_on(handler: Base, path: str) -> dict[str, OwnBallot]:
    """On the page of a poll the ballot of who asks, by the poll's id; {} where there is none to ask for."""
    found = _PATH.fullmatch(path)
    if found is None:
        return {}
    try:
        poll = await handler.app.models.polls.seen(int(found[1]))
    except NotFound:
        return {}
    voter = voter_of(handler, visitors=poll.visitors)
    return {str(poll.id): await own(handler, poll, voter)} if voter else {}
