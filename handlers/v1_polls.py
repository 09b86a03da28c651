"""Polls for programs: what is asked and how it stands, who may change that, and one's own ballot."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from handlers.inputs import Input
from handlers.v1 import V1, Output, call
from handlers.v1_boards import Subject
from models.ballots import visible
from models.errors import Invalid, NotFound
from models.poll_rules import Kind, NewPoll
from models.poll_rules import Results as Rule
from models.polls import PER_PAGE, Poll
from models.results import Result
from models.roles import EDITOR, LOGIN, has
from models.tokens import READ
from models.users import User


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("This is no date that a poll can have.") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class AskedPolls(Input):
    status: Literal["open", "closed"] = "open"
    after: int = Field(0, ge=0, lt=10**18, description="Where the list goes on, as `Link` says")


class AskedPoll(Input):
    results: bool = Field(True, description="0: the poll alone, whose ETag no vote changes")


class SentPoll(Input):
    """Without `opens_at` it opens at once; without `closes_at` it stays open until it is closed."""

    question: str
    choices: tuple[str, ...]
    kind: Kind = "single"
    results: Rule = "always"
    visitors: bool = Field(False, description="Whether who has no account may vote too, one ballot a browser")
    opens_at: Moment | None = None
    closes_at: Moment | None = None


class ChangedPoll(Input):
    """What is not sent stays; null takes the end away. `status` closes the poll or opens it again, and is sent alone, or,
    to open it, with a new end."""

    question: str | None = None
    choices: tuple[str, ...] = ()
    kind: Kind | None = None
    results: Rule | None = None
    visitors: bool | None = None
    opens_at: Moment | None = None
    closes_at: Moment | None = None
    status: Literal["open", "closed"] | None = None


class SentBallot(Input):
    choices: tuple[int, ...] = Field(description="The ids of what is chosen; one, where `kind` is single")


class ChoiceShape(Output):
    id: int
    text: str


class CountedChoice(ChoiceShape):
    """`votes` is null while the asker may not see them."""

    votes: int | None


class PollShape(Output):
    id: int
    question: str
    kind: Kind
    results: Rule
    visitors: bool
    status: str
    opens_at: datetime
    closes_at: datetime | None
    created_at: datetime
    author: Subject | None
    choices: tuple[ChoiceShape, ...]
    url: str


class CountedPoll(PollShape):
    """`voters`: how many have voted; of a poll of several choices they have more votes than that."""

    choices: tuple[CountedChoice, ...]
    voters: int


class BallotShape(Output):
    """One's own choices, and how the poll stands: `votes` in the order of its choices, null while one may not see them."""

    choices: tuple[int, ...]
    voters: int
    votes: tuple[int, ...] | None


class _Resource(V1):
    async def seen(self, id: str) -> Poll:
        """As readers see it; an editor's token that may read sees it before it opens, too. Raises NotFound."""
        polls = self.app.models.polls
        if self.token and READ in self.token.scopes and has(self.bits, EDITOR):
            return there(await polls.one(int(id)))
        return await polls.seen(int(id))

    async def shapes(self, polls: Sequence[Poll]) -> list[PollShape]:
        authors = await self.app.models.users.by_ids([poll.author_id for poll in polls])
        return [self._shape(poll, authors.get(poll.author_id)) for poll in polls]

    async def counted(self, polls: Sequence[Poll]) -> list[CountedPoll]:
        """As everybody sees them."""
        found = {one.poll_id: one for one in await self.app.models.results.many([poll.id for poll in polls])}
        return [
            _counted(poll, shape, found[poll.id], voted=False)
            for poll, shape in zip(polls, await self.shapes(polls), strict=True)
            if poll.id in found
        ]

    def _shape(self, poll: Poll, author: User | None) -> PollShape:
        who = Subject(id=author.id, name=author.name, url=self.reverse_url("user", author.id)) if author else None
        return PollShape(
            id=poll.id, question=poll.question, kind=poll.kind, results=poll.results, visitors=poll.visitors,
            status=poll.status, opens_at=poll.opens_at, closes_at=poll.closes_at, created_at=poll.created_at, author=who,
            choices=tuple(ChoiceShape(id=choice.id, text=choice.text) for choice in poll.choices),
            url=self.reverse_url("v1_poll", poll.id),
        )  # fmt: skip


class ManyPolls(_Resource):
    @call(asks=AskedPolls, gives=tuple[CountedPoll, ...])
    async def get(self) -> None:
        """The polls that are open, or closed, the newest first, twenty at a time."""
        asked, polls = self.asked(AskedPolls), self.app.models.polls
        found = await (polls.open if asked.status == "open" else polls.closed)(asked.after)
        if len(found) == PER_PAGE:
            query = f"status={asked.status}&after={found[-1].id}"
            self.set_header("Link", f'<{self.reverse_url("v1_polls")}?{query}>; rel="next"')
        self.answer(await self.counted(found))

    @call(takes=SentPoll, gives=CountedPoll, status=201)
    async def post(self) -> None:
        """Ask something; editors may."""
        me, sent = self.member(EDITOR), self.sent(SentPoll)
        poll = await self.app.models.polls.create(NewPoll(**sent.model_dump()), by=me)
        (shape,) = await self.counted([poll])
        self.answer(shape, location=shape.url)


class OnePoll(_Resource):
    @call(asks=AskedPoll, gives=CountedPoll)
    async def get(self, id: str) -> None:
        """A poll and how it stands, as everybody sees it; with `results=0` the poll alone."""
        asked, poll = self.asked(AskedPoll), await self.seen(id)
        (shape,) = await (self.counted if asked.results else self.shapes)([poll])
        self.answer(shape)

    @call(takes=ChangedPoll, gives=PollShape)
    async def patch(self, id: str) -> None:
        """Change a poll, close it or open it again; editors may.

        `If-Match` is the ETag of the poll alone, `?results=0`, or of the last change.
        """
        me, sent = self.member(EDITOR), self.sent(ChangedPoll)
        poll = there(await self.app.models.polls.fresh().one(int(id)))
        self.match((await self.shapes([poll]))[0])
        changed = await self._changed(poll, sent, me)
        self.answer((await self.shapes([changed]))[0])

    @call(status=204)
    async def delete(self, id: str) -> None:
        """Put a poll in the trash, where editors can restore it; editors may."""
        await self.app.models.polls.trash(int(id), by=self.member(EDITOR))
        self.answer()

    async def _changed(self, poll: Poll, sent: ChangedPoll, by: User) -> Poll:
        polls, given = self.app.models.polls, sent.model_dump(exclude_unset=True)
        status = given.pop("status", None)
        if status and set(given) - ({"closes_at"} if status == "open" else set()):
            raise Invalid({"status": "Send this alone: nothing else changes with it."})
        if status is None or (status == poll.status == "open" and given):  # it is open: its end is what is new
            kept = {name: value for name, value in given.items() if value is not None or name == "closes_at"}
            return await polls.edit(poll.id, same_words(poll, **kept), version=poll.version, by=by)
        if status == "closed":
            return await polls.close(poll.id, by=by, version=poll.version)
        return await polls.reopen(poll.id, by=by, closes_at=sent.closes_at, version=poll.version)


class Ballot(_Resource):
    """A member's own; visitors have theirs through the form of the poll's page, which knows their browser again."""

    public = False
    needs = LOGIN

    @call(gives=BallotShape)
    async def get(self, id: str) -> None:
        """Your own vote, and how the poll stands; 404 before you have voted."""
        me, models, poll = self.member(), self.app.models, await self.seen(id)
        chosen = await models.ballots.of(poll.id, me)
        if not chosen:
            raise NotFound(f"ballot of {me.id} in poll {id}")
        result = await models.results.one(poll.id)
        votes = votes_of(poll, result) if visible(poll, voted=True) else None
        self.answer(BallotShape(choices=chosen, voters=result.voters, votes=votes))

    @call(takes=SentBallot, gives=CountedPoll)
    async def put(self, id: str) -> None:
        """Vote, or change your vote: 201, or 200. The answer is the poll as you may see it now."""
        me, models, limits = self.member(LOGIN), self.app.models, self.app.limits
        self.tell_standing(await limits.hit(limits.vote, str(me.id)))
        sent, poll = self.sent(SentBallot), await self.seen(id)
        cast = await models.ballots.cast(poll, sent.choices, voter=me)
        (shape,) = await self.shapes([poll])
        self.answer(_counted(poll, shape, cast.result, voted=True), 201 if cast.created else 200)


def there(poll: Poll) -> Poll:
    """The poll unless it is in the trash. Raises NotFound."""
    if poll.status == "trashed":
        raise NotFound(f"poll {poll.id}")
    return poll


def same_words(poll: Poll, **changes: Any) -> NewPoll:
    """What an editor fills in for the poll to be as it is, but for the changes."""
    return NewPoll(**{
        "question": poll.question, "choices": tuple(choice.text for choice in poll.choices), "kind": poll.kind,
        "results": poll.results, "visitors": poll.visitors, "opens_at": poll.opens_at, "closes_at": poll.closes_at, **changes,
    })  # fmt: skip


def votes_of(poll: Poll, result: Result) -> tuple[int, ...]:
    """For each of the poll's choices. These may have been rewritten since, but only while nobody had voted."""
    return result.votes if len(result.votes) == len(poll.choices) else (0,) * len(poll.choices)


def _counted(poll: Poll, shape: PollShape, result: Result, *, voted: bool) -> CountedPoll:
    votes = votes_of(poll, result) if visible(poll, voted) else (None,) * len(poll.choices)
    return CountedPoll(**{
        **shape.model_dump(), "voters": result.voters,
        "choices": tuple(
            CountedChoice(id=choice.id, text=choice.text, votes=n)
            for choice, n in zip(poll.choices, votes, strict=True)
        ),
    })  # fmt: skip
