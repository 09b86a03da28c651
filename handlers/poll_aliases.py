"""Polls under the addresses that the tutorials on polls use, in their words; all that can be done is below `/api/v1/polls`."""

import asyncio

from handlers.api import JsonAnswer
from handlers.v1_polls import votes_of
from models.ballots import visible
from models.errors import Invalid
from models.polls import PER_PAGE

MOST = PER_PAGE  # the newest of all are among the newest open and the newest closed ones


class Questions(JsonAnswer):
    arguments = ("start", "limit")

    async def get(self) -> None:
        """The newest of the site, open and closed; `start` and `limit` choose some of them."""
        start, limit = self._number("start", 0), self._number("limit", MOST)
        polls = self.app.models.polls
        some, others = await asyncio.gather(polls.open(), polls.closed())
        newest = sorted([*some, *others], key=lambda poll: -poll.id)[:MOST]
        self.answer([
            {"id": poll.id, "question_text": poll.question, "kind": poll.kind, "status": poll.status,
             "create_time": poll.created_at.timestamp()}
            for poll in newest[start : start + limit]
        ])  # fmt: skip

    def _number(self, name: str, default: int) -> int:
        """Raises Invalid."""
        text = self.get_query_argument(name, str(default))
        if not (text.isascii() and text.isdecimal() and len(text) <= 2 and int(text) <= MOST):
            raise Invalid({name: "This is a whole number from 0 to 20."})
        return int(text)


class Choices(JsonAnswer):
    async def get(self, id: str) -> None:
        """`votes` is null while not everybody may see how the poll stands."""
        models = self.app.models
        poll = await models.polls.seen(int(id))
        votes: tuple[int | None, ...] = (None,) * len(poll.choices)
        if visible(poll, voted=False):
            votes = votes_of(poll, await models.results.one(poll.id))
        self.answer([
            {"id": choice.id, "choice_text": choice.text, "votes": n, "question_id": poll.id,
             "create_time": poll.created_at.timestamp()}
            for choice, n in zip(poll.choices, votes, strict=True)
        ])  # fmt: skip
