"""Polls as readers see them, the same for everybody; and one's own ballot, by a plain form or by static/poll.js."""

from typing import Any

from pydantic_core import to_json

from handlers import media
from handlers.limits import Limit
from handlers.own_ballots import COUNTED, own
from handlers.pages import HtmlPage
from handlers.statuses import Told
from handlers.voters import give_cookies, new_visitor, voter_of
from models.ballots import Voter
from models.errors import Closed, Invalid, NotFound
from models.poll_rules import MOST_CHOICES
from models.polls import PER_PAGE, Poll
from models.roles import LOGIN

STATUSES = ("open", "closed")  # of the polls that readers see, as the address of their list names them


class PollsPage(HtmlPage):
    arguments = ("status", "after")

    async def get(self) -> None:
        models, status = self.app.models, self.get_query_argument("status", "open")
        if status not in STATUSES:
            raise NotFound(f"status {status}")
        listed = models.polls.open if status == "open" else models.polls.closed
        polls = await listed(self.query_number("after"))
        results = await models.results.many([poll.id for poll in polls])
        more = f"?status={status}&after={polls[-1].id}" if len(polls) == PER_PAGE else None
        self.show(
            "polls.html", polls=polls, voters={result.poll_id: result.voters for result in results}, status=status, more=more
        )  # fmt: skip


class PollPage(HtmlPage):
    async def get(self, id: str) -> None:
        models = self.app.models
        poll = await models.polls.seen(int(id))
        ballot, author = await own(self, poll, None), await models.users.find(poll.author_id)
        self.show("poll.html", poll=poll, ballot=ballot, author=author, facts=self._facts(poll, ballot.votes))

    def _facts(self, poll: Poll, votes: tuple[int, ...] | None) -> dict[str, Any]:
        """https://schema.org/Question, as JSON-LD."""
        counted = votes or (None,) * len(poll.choices)
        return {
            "@context": "https://schema.org", "@type": "Question", "name": poll.question, "answerCount": len(poll.choices),
            "url": self.site.url + self.reverse_url("poll", poll.id),
            "suggestedAnswer": [
                {"@type": "Answer", "text": choice.text} | ({} if n is None else {"upvoteCount": n})
                for choice, n in zip(poll.choices, counted, strict=True)
            ],
        }  # fmt: skip


class BallotPage(HtmlPage):
    """One's own ballot. A script that accepts JSON alone is answered in it, errors too."""

    public = False

    async def get(self, id: str) -> None:
        poll = await self.app.models.polls.seen(int(id))
        if self.user is None and not poll.visitors:
            await self.ask_to_sign_in()
            return
        ballot = await own(self, poll, voter_of(self, visitors=poll.visitors))
        self.show("ballot.html", poll=poll, ballot=ballot, notice=self.get_query_argument("done", ""))

    async def post(self, id: str) -> None:
        models = self.app.models
        poll, chosen = await models.polls.seen(int(id)), self._chosen()
        limit, subject = self._limited(poll)
        self.tell_standing(await self.app.limits.hit(limit, subject))
        voter = voter_of(self, visitors=poll.visitors) or new_visitor()
        try:
            await models.ballots.cast(poll, chosen, voter=voter)
        except (Closed, Invalid) as error:
            if self._asks_json:
                raise
            await self._again(poll, voter, chosen, error)
            return
        if isinstance(voter, str):
            give_cookies(self, voter)
        if self._asks_json:
            self._answer(await own(self, poll, voter, said=COUNTED))
        else:
            self.redirect(f"{self.reverse_url('ballot', poll.id)}?done=voted", status=303)

    def _limited(self, poll: Poll) -> tuple[Limit, str]:
        """Under which limit this vote stands. Raises HTTPError 401 where only members vote."""
        if self.user or not poll.visitors:
            return self.app.limits.vote, str(self.member(LOGIN).id)
        return self.app.limits.vote_address, self.address

    def _chosen(self) -> set[int]:
        """The ids that were sent; 0, which no choice has, for what no form of ours sends."""
        sent = self.get_body_arguments("choices")[: MOST_CHOICES + 1]
        return {int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0 for text in sent}

    async def _again(self, poll: Poll, voter: Voter, chosen: set[int], error: Closed | Invalid) -> None:
        """The form again, with what was ticked."""
        ballot = await own(self, poll, voter)
        self.show_refused("ballot.html", error, poll=poll, ballot=ballot, values={"choices": chosen})

    @property
    def _asks_json(self) -> bool:
        return self.request.headers.get("Accept") == media.JSON

    def _answer(self, value: Any) -> None:
        self.set_header("Content-Type", f"{media.JSON}; charset=UTF-8")
        self.finish(to_json(value))

    def tell(self, told: Told) -> None:
        if not self._asks_json:
            super().tell(told)
            return
        self._answer({"detail": " ".join(self.translate(text) for text in (told.fields.values() or (told.message,)))})
