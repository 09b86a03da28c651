"""Polls: the question, its choices and its time. Who has voted is in `ballots`, how many for what in `results`."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from cache import Key, List, Scope, Slot
from content.terms import Posting
from models import audit, choices, results, terms
from models.asking import answers
from models.base import Table, Write
from models.choices import Choice
from models.errors import Invalid, NotFound, Stale
from models.poll_rules import Kind, NewPoll, Results, Status, refuse, status_at, tidied, wrong_end, wrong_words
from models.retrying import retried
from models.roles import EDITOR, require
from models.users import User

Action = Literal["close", "reopen", "trash", "restore"]
PER_PAGE = 20
SHOWN: tuple[Status, ...] = ("open", "closed")  # what readers see; the others are for editors


@dataclass(frozen=True, slots=True)
class Poll:
    """`status` is what the worker has made of the time, within a second; votes are decided by the time itself. `closes_at` None:
    never by itself. `visitors`: who is not signed in may vote too."""

    id: int
    author_id: int
    question: str
    kind: Kind
    results: Results
    visitors: bool
    status: Status
    opens_at: datetime
    closes_at: datetime | None
    choices: tuple[Choice, ...]
    created_at: datetime
    version: int

    def __post_init__(self) -> None:
        """Choices come out of the cache as bare tuples."""
        object.__setattr__(self, "choices", tuple(Choice(*choice) for choice in self.choices))


BY_ID = Key("poll", Poll, ttl=600)
EVERYWHERE = Scope("polls")
BY_AUTHOR = Scope("polls.author", by=("author",))
OPEN = List("polls.open", by=("after",), scopes=(EVERYWHERE,), ttl=600)
CLOSED = List("polls.closed", by=("after",), scopes=(EVERYWHERE,), ttl=600)
OF_AUTHOR = List("polls.author.part", by=("author", "after"), scopes=(BY_AUTHOR,), ttl=600)


def shown_in(poll: Poll) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in (its counts': `results.shown_in`). A new key is not done until it is here."""
    if poll.status not in SHOWN:
        return (BY_ID(poll.id),)
    return BY_ID(poll.id), EVERYWHERE(), BY_AUTHOR(poll.author_id)


class Polls(Table[Poll]):
    """What editors do needs EDITOR, decided inside the transaction."""

    key: ClassVar = BY_ID
    rows_sql: ClassVar = (
        "SELECT p.id, p.author_id, p.question, p.kind, p.results, p.visitors, p.status, p.opens_at, p.closes_at, "  # noqa: S608
        f"{choices.PACKED}, p.created_at, p.version FROM polls p WHERE p.id IN %s"
    )

    def make(self, *columns: Any) -> Poll:
        before, (visitors, status, opens_at, closes_at, packed, created_at, version) = columns[:5], columns[5:]
        texts = choices.unpacked(packed)
        return Poll(*before, bool(visitors), status, opens_at, closes_at, texts, created_at, version)  # type: ignore[call-arg]  # mypy does not count

    async def seen(self, id: int) -> Poll:
        """The poll, if readers may see it: not before it opens, and not in the trash. Raises NotFound."""
        poll = await self.one(id)
        if poll.status not in SHOWN:
            raise NotFound(f"poll {id} is {poll.status}")
        return poll

    @answers(OPEN)
    async def open(self, after: int = 0) -> list[Poll]:
        """Those that take votes, newest first, at most `PER_PAGE`: with ids below `after`, or from the newest on."""
        return await self._part(OPEN(after), "open", after)

    @answers(CLOSED)
    async def closed(self, after: int = 0) -> list[Poll]:
        """Those that are over, as `open`."""
        return await self._part(CLOSED(after), "closed", after)

    @answers(OF_AUTHOR)
    async def by_author(self, author_id: int, after: int = 0) -> list[Poll]:
        """Those of one author that readers see, open or closed, as `open`."""
        one = "(SELECT id FROM polls WHERE author_id = %s AND status = %s AND id < %s ORDER BY id DESC LIMIT %s)"
        args = [arg for status in SHOWN for arg in (author_id, status, after or 2**62, PER_PAGE)]
        sql = f"{one} UNION ALL {one} ORDER BY id DESC LIMIT %s"
        return await self.all(OF_AUTHOR(author_id, after), sql, *args, PER_PAGE)

    async def _part(self, slot: Slot, status: Status, after: int) -> list[Poll]:
        sql = "SELECT id FROM polls WHERE status = %s AND id < %s ORDER BY id DESC LIMIT %s"
        return await self.all(slot, sql, status, after or 2**62, PER_PAGE)

    @retried
    async def create(self, new: NewPoll, *, by: User) -> Poll:
        """Open at once, or scheduled. Raises Invalid, Forbidden."""
        new = _checked_new(new, datetime.now(UTC))
        async with self.write() as w:
            await require(w, by.id, EDITOR)
            poll = await self._insert(w, new, by)
            await audit.note(w, by.id, "poll.create", f"poll {poll.id}", None, {"question": poll.question})
        return poll

    @retried
    async def place(self, new: NewPoll, *, by: User) -> Poll:
        """A poll by somebody who may not make any, for demo content. Raises Invalid."""
        new = _checked_new(new, datetime.now(UTC))
        async with self.write() as w:
            return await self._insert(w, new, by)

    @retried
    async def edit(self, id: int, new: NewPoll, *, by: User, version: int | None = None) -> Poll:
        """Until the first ballot anything may change; after that only the end, which may reopen it or be yet to come.

        Raises Stale when it is no longer at `version`; Invalid (of what may not change, its name), Forbidden, NotFound.
        """
        new, now = tidied(new), datetime.now(UTC)
        async with self.write() as w:
            await require(w, by.id, EDITOR)
            (old,), voted = await self.locked(w, (id,)), await _has_ballots(w, id)
            _check_version(old, version)
            if old.status == "trashed":
                raise Invalid({"status": "A poll in the trash is restored before it is changed."})
            opens_at = new.opens_at or min(old.opens_at, now)
            moved = new.closes_at != old.closes_at or opens_at != old.opens_at
            became = replace(
                old, question=new.question, kind=new.kind, results=new.results, visitors=new.visitors, opens_at=opens_at,
                closes_at=new.closes_at, status=status_at(now, opens_at, new.closes_at), version=old.version + 1,
            )  # fmt: skip
            rewritten = new.choices != tuple(choice.text for choice in old.choices)
            wrong = (wrong_end(new.closes_at, opens_at, now) if moved else {}) | wrong_words(new)
            refuse(wrong | (_other_questions(old, became, rewritten) if voted else {}))
            if rewritten:
                became = replace(became, choices=await choices.write(w, id, new.choices))
                await results.count(w, {id: 0})
            await change(w, old, became)
            await audit.note(w, by.id, "poll.edit", f"poll {id}", _told(old), _told(became))
        return became

    async def close(self, id: int, *, by: User, version: int | None = None) -> Poll:
        """It takes no votes any more, from now on. Twice is as once.

        Raises Stale when it is no longer at `version`; Invalid, Forbidden, NotFound.
        """
        return await self._step(id, "close", by, version=version)

    async def reopen(self, id: int, *, by: User, closes_at: datetime | None = None, version: int | None = None) -> Poll:
        """It takes votes again, until then or for ever. Raises as `close`."""
        return await self._step(id, "reopen", by, closes_at, version)

    async def trash(self, id: int, *, by: User) -> Poll:
        """Take it out of sight, ballots and all. Raises as `close`."""
        return await self._step(id, "trash", by)

    async def restore(self, id: int, *, by: User) -> Poll:
        """Out of the trash, as what the time makes of it by now. Raises as `close`."""
        return await self._step(id, "restore", by)

    async def locked(self, w: Write, ids: Sequence[int]) -> list[Poll]:
        """The rows under lock, in the order of their ids, so that two writers cannot deadlock. Raises NotFound for one."""
        if not ids:
            return []
        held = await w.fetch("SELECT id FROM polls WHERE id IN %s ORDER BY id FOR UPDATE", tuple(ids))
        if not held and len(ids) == 1:
            raise NotFound(f"poll {ids[0]}")
        # Read when all are held: choices are no part of the row, and a statement that waits for a lock may see them as they were.
        rows = await w.fetch(f"{self.rows_sql} ORDER BY p.id", tuple(row[0] for row in held)) if held else ()
        return [self.make(*row) for row in rows]

    @retried
    async def _step(
        self, id: int, action: Action, by: User, closes_at: datetime | None = None, version: int | None = None
    ) -> Poll:
        async with self.write() as w:
            await require(w, by.id, EDITOR)
            (old,) = await self.locked(w, (id,))
            _check_version(old, version)
            new = stepped(old, action, datetime.now(UTC), closes_at)
            if new is None:
                if old.status == _GOAL[action]:
                    return old
                raise Invalid({"status": _REFUSED[action]})
            await change(w, old, new)
            await audit.note(w, by.id, f"poll.{action}", f"poll {id}", old, new)
        return new

    async def _insert(self, w: Write, new: NewPoll, author: User) -> Poll:
        now = datetime.now(UTC)
        opens_at = new.opens_at or now
        poll = Poll(
            0, author.id, new.question, new.kind, new.results, new.visitors, status_at(now, opens_at, new.closes_at),
            opens_at, new.closes_at, (), now, 1,
        )  # fmt: skip
        id = await w.insert(
            "INSERT INTO polls (author_id, question, kind, results, visitors, status, opens_at, closes_at, created_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            poll.author_id, poll.question, poll.kind, poll.results, poll.visitors, poll.status, poll.opens_at, poll.closes_at,
            poll.created_at,
        )  # fmt: skip
        poll = replace(poll, id=id, choices=await choices.write(w, id, new.choices))
        await write_terms(w, poll, new=True)
        w.touch(*shown_in(poll), *results.shown_in(id))
        return poll


async def change(w: Write, old: Poll, new: Poll) -> None:
    """Make a row that the caller has locked be what it shall be, one version on; its slots follow. Choices are the caller's."""
    await w.execute(
        "UPDATE polls SET question = %s, kind = %s, results = %s, visitors = %s, status = %s, opens_at = %s, closes_at = %s, "
        "version = version + 1 WHERE id = %s",
        new.question, new.kind, new.results, new.visitors, new.status, new.opens_at, new.closes_at, new.id,
    )  # fmt: skip
    if (old.question, old.choices) != (new.question, new.choices):
        await write_terms(w, new)
    elif (old.status in SHOWN) != (new.status in SHOWN):
        await terms.show(w, terms.POLL, new.id, new.status in SHOWN)
    w.touch(*shown_in(old), *shown_in(new))


async def write_terms(w: Write, poll: Poll, *, new: bool = False) -> None:
    """Make what search knows of a poll be the poll's words."""
    found = await asyncio.to_thread(words, poll)
    await terms.write(w, terms.POLL, poll.id, found, shown=poll.status in SHOWN, at=poll.created_at, new=new)


def words(poll: Poll) -> dict[str, Posting]:
    """What it is found by. Takes tens of milliseconds for a long one: call it in a thread."""
    return terms.of_words(poll.author_id, poll.question, *(choice.text for choice in poll.choices))


def stepped(poll: Poll, action: Action, now: datetime, closes_at: datetime | None = None) -> Poll | None:
    """The poll after the action; None when it does not apply. `closes_at`: the end of one that is reopened. Raises Invalid."""
    new = replace(poll, version=poll.version + 1)
    match action, poll.status:
        case "close", "open":
            return replace(new, status="closed", closes_at=min(now, poll.closes_at or now))
        case "reopen", "closed":
            refuse(wrong_end(closes_at, poll.opens_at, now))
            return replace(new, status="open", closes_at=closes_at)
        case "trash", "scheduled" | "open" | "closed":
            return replace(new, status="trashed")
        case "restore", "trashed":
            return replace(new, status=status_at(now, poll.opens_at, poll.closes_at))
    return None


_GOAL: dict[Action, Status | None] = {"close": "closed", "reopen": "open", "trash": "trashed", "restore": None}
_REFUSED: dict[Action, str] = {
    "close": "Only an open poll can be closed.",
    "reopen": "Only a closed poll can be opened again.",
    "restore": "This poll is not in the trash.",
}


def _check_version(poll: Poll, version: int | None) -> None:
    if version is not None and version != poll.version:
        raise Stale(poll.version)


def _checked_new(new: NewPoll, now: datetime) -> NewPoll:
    new = tidied(new)
    refuse(wrong_end(new.closes_at, new.opens_at or now, now) | wrong_words(new))
    return new


def _other_questions(old: Poll, became: Poll, rewritten: bool) -> dict[str, str]:
    """What those who have voted were not asked, by field."""
    fields = [
        name
        for name in ("question", "kind", "results", "visitors", "opens_at")
        if getattr(old, name) != getattr(became, name)
    ]
    if rewritten:
        fields.append("choices")
    return dict.fromkeys(fields, "This cannot change any more: somebody has voted.")


def _told(poll: Poll) -> dict[str, Any]:
    """As the log shows it."""
    return asdict(poll) | {"choices": " · ".join(choice.text for choice in poll.choices)}


async def _has_ballots(w: Write, id: int) -> bool:
    return bool(await w.fetch("SELECT id FROM polls WHERE id = %s AND voters > 0", id))
