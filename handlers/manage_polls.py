"""The polls of the site: new ones, their words until somebody has voted, their end; closed, opened again, thrown away."""

from datetime import UTC, datetime
from typing import Any, cast

from handlers.manage import ManagePage
from handlers.manage_lists import Did, ManageList
from handlers.v1_polls import same_words, votes_of
from handlers.zones import local_text, moment
from models.errors import Invalid, ModelError
from models.managing_polls import ACTIONS, STATUSES, Done, Filter
from models.poll_rules import Kind, NewPoll, tidied, wrong_words
from models.poll_rules import Results as Rule
from models.polls import Action, Poll
from models.results import Result
from models.roles import EDITOR
from models.search import MOST_FOUND

FIELDS = ("question", "kind", "choices", "results", "visitors", "opens_at", "closes_at")


class ManagePolls(ManageList):
    needs = EDITOR
    filters = ("status", "author", "q")
    actions = ACTIONS

    async def get(self) -> None:
        models, wanted = self.app.models, await self.wanted()
        sheet = await models.poll_managing.sheet(wanted, self.place())
        found = await models.results.many([poll.id for poll in sheet.items])
        people = await models.users.by_ids([*(poll.author_id for poll in sheet.items), wanted.author_id or 0])
        self.show(
            "manage/polls.html", list=self.listing(sheet), people=people, author_id=wanted.author_id,
            results={result.poll_id: result for result in found},
        )  # fmt: skip

    async def wanted(self) -> Filter:
        """The filters of the address. Raises NotFound for a status that does not exist."""
        statuses, words = self.asked_status(STATUSES, Filter().statuses), self.asked().get("q", "").strip()
        found = await self.app.models.search.polls(words, shown_only=False, per_page=MOST_FOUND) if words else None
        return Filter(statuses, self.query_number("author") or None, found.ids if found else None)

    async def act(self, action: str, ids: list[int]) -> Did:
        return did(action, await self.app.models.poll_managing.act(cast(Action, action), ids, by=self.member()))

    async def undo(self, batch: int) -> Did:
        return did("undo", await self.app.models.poll_managing.undo(batch, by=self.member()))


class _PollForm(ManagePage):
    needs = EDITOR

    def filled(self) -> dict[str, str]:
        return {name: self.get_body_argument(name, "", strip=name != "choices") for name in FIELDS}

    def wanted(self, filled: dict[str, str], old: Poll | None = None) -> NewPoll:
        """What the form says; the model checks the rest. Raises Invalid."""
        moments, wrong = dict[str, datetime | None](), dict[str, str]()
        for name in ("opens_at", "closes_at"):
            try:
                moments[name] = self._moment(filled[name], getattr(old, name) if old else None)
            except Invalid as error:
                wrong[name] = error.fields["at"]
        lines = tuple(line.strip() for line in filled["choices"].splitlines() if line.strip())
        new = NewPoll(
            filled["question"], lines, cast(Kind, filled["kind"]), cast(Rule, filled["results"]),
            filled["visitors"] == "1", **moments,
        )  # fmt: skip
        if wrong:  # with a moment that is none the model cannot be asked; what else is wrong is told all the same
            raise Invalid(wrong_words(tidied(new)) | wrong)
        return new

    def end(self, filled: dict[str, str], old: Poll) -> NewPoll:
        """The poll with the end that the form says: all that may change once there are votes. Raises Invalid."""
        try:
            return same_words(old, closes_at=self._moment(filled["closes_at"], old.closes_at))
        except Invalid as error:
            raise Invalid({"closes_at": error.fields["at"]}) from None

    def values(self, poll: Poll) -> dict[str, str]:
        """The poll as its form shows it."""
        zone = self.app.settings.time_zone
        return {
            "question": poll.question, "kind": poll.kind, "results": poll.results, "visitors": "1" if poll.visitors else "",
            "choices": "\n".join(choice.text for choice in poll.choices), "opens_at": local_text(poll.opens_at, zone),
            "closes_at": local_text(poll.closes_at, zone) if poll.closes_at else "",
        }  # fmt: skip

    def facts(self, poll: Poll | None = None, result: Result | None = None) -> dict[str, Any]:
        """What the page says beside the fields."""
        zone = self.app.settings.time_zone
        return {
            "poll": poll, "voters": result.voters if result else 0, "votes": votes_of(poll, result) if poll and result else (),
            "zone": zone, "zone_now": local_text(datetime.now(UTC), zone),
        }  # fmt: skip

    def _moment(self, text: str, old: datetime | None) -> datetime | None:
        """What a field says; one that nobody has touched says the old moment, to the microsecond. Raises Invalid (field `at`)."""
        zone = self.app.settings.time_zone
        if old and text == local_text(old, zone):
            return old
        return moment(text, zone) if text else None


class CreatePoll(_PollForm):
    async def get(self) -> None:
        self.show("manage/poll.html", values={"kind": "single", "results": "always"}, **self.facts())

    async def post(self) -> None:
        filled = self.filled()
        try:
            poll = await self.app.models.polls.create(self.wanted(filled), by=self.member())
        except ModelError as error:
            self.show_refused("manage/poll.html", error, values=filled, **self.facts())
            return
        self.redirect(f"{self.reverse_url('manage_poll', poll.id)}?done=created", status=303)


class ManagePoll(_PollForm):
    """One poll."""

    async def get(self, id: str) -> None:
        poll, result = await self._found(id)
        notice = self.get_query_argument("done", "")
        self.show("manage/poll.html", values=self.values(poll), notice=notice, **self.facts(poll, result))

    async def post(self, id: str) -> None:
        poll, result = await self._found(id)
        filled, version = self.filled(), self.get_body_argument("version", "")
        try:
            seen = int(version) if version.isascii() and version.isdecimal() and len(version) < 19 else 0
            # Once somebody has voted, the form has no more than the end. One from before says what has come to nothing.
            only_end = result.voters and "question" not in self.request.body_arguments
            new = self.end(filled, poll) if only_end else self.wanted(filled, poll)
            await self.app.models.polls.edit(poll.id, new, version=seen, by=self.member())
        except ModelError as error:
            self.show_refused("manage/poll.html", error, values=filled, **self.facts(poll, result))
            return
        self.redirect(f"{self.reverse_url('manage_poll', poll.id)}?done=saved", status=303)

    async def _found(self, id: str) -> tuple[Poll, Result]:
        models = self.app.models
        return await models.polls.fresh().one(int(id)), await models.results.fresh().one(int(id))


class ActOnPoll(ManagePage):
    """close, reopen, trash or restore, by a button of the poll's page; the list then offers to undo it."""

    needs = EDITOR

    async def post(self, id: str, action: str) -> None:
        done = await self.app.models.poll_managing.act(cast(Action, action), [int(id)], by=self.member())
        if done.left:
            raise Invalid({"status": "This poll is not in a state for that any more."})
        query = f"done={action}&n={len(done.polls)}&batch={done.batch}"
        self.redirect(f"{self.reverse_url('manage_polls')}?{query}", status=303)


def did(action: str, done: Done) -> Did:
    return Did(action, len(done.polls), len(done.left), done.batch)
