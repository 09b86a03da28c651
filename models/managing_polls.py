"""What editors do to polls: closed, opened again, put in the trash, restored; one or many at once, and undone. And their list."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from models import audit, batches, polls, sheets
from models.batches import Changed
from models.errors import Invalid
from models.poll_rules import Status, status_at
from models.polls import Action, Poll, Polls, stepped
from models.retrying import retried
from models.roles import EDITOR, require
from models.sheets import Order, Place, Sheet, Walk
from models.users import User

ACTIONS: tuple[Action, ...] = ("close", "reopen", "trash", "restore")
STATUSES: tuple[Status, ...] = ("scheduled", "open", "closed", "trashed")
MOST_AT_ONCE = 100  # polls in one transaction
KIND = "polls"
NEWEST = Order("polls")


@dataclass(frozen=True, slots=True)
class Done:
    """The polls as they are now, those that the action did not apply to, and the batch that undoes it (or 0)."""

    polls: tuple[Poll, ...]
    left: tuple[int, ...]
    batch: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which polls an editor looks at. `ids`: what a search for words found; None when nobody searched."""

    statuses: tuple[Status, ...] = ("scheduled", "open", "closed")  # the trash is looked into only on purpose
    author_id: int | None = None
    ids: tuple[int, ...] | None = None


class PollManaging:
    """All need EDITOR, decided inside the transaction."""

    def __init__(self, table: Polls) -> None:
        self.polls = table

    @retried
    async def act(self, action: Action, ids: Sequence[int], *, by: User) -> Done:
        """The same for many polls, in one transaction; those that it does not apply to stay as they are.

        Raises Invalid, Forbidden; NotFound when a single one is not there.
        """
        if len(ids) > MOST_AT_ONCE:
            raise Invalid({"ids": "At most 100 at once."})
        async with self.polls.write() as w:
            await require(w, by.id, EDITOR)
            done, left, changed = list[Poll](), list[int](), list[Changed]()
            for old in await self.polls.locked(w, sorted(set(ids))):
                new = stepped(old, action, datetime.now(UTC))
                if new is None:
                    left.append(old.id)
                    continue
                await polls.change(w, old, new)
                await audit.note(w, by.id, f"poll.{action}", f"poll {old.id}", old, new)
                done.append(new)
                changed.append(Changed(new.id, new.version, _state(old)))
            batch = await batches.remember(w, KIND, by.id, changed)
        return Done(tuple(done), tuple(left), batch)

    @retried
    async def undo(self, batch: int, *, by: User) -> Done:
        """Make the polls of a batch what they were, but those that have changed since. Raises NotFound, Forbidden."""
        async with self.polls.write() as w:
            await require(w, by.id, EDITOR)
            rows = {row.id: row for row in await batches.take_back(w, batch, KIND, by.id)}
            done, left = list[Poll](), list[int]()
            for old in await self.polls.locked(w, sorted(rows)):
                if old.version != rows[old.id].version:
                    left.append(old.id)
                    continue
                new = _back(old, rows[old.id].was, datetime.now(UTC))
                await polls.change(w, old, new)
                await audit.note(w, by.id, "poll.undo", f"poll {old.id}", old, new)
                done.append(new)
        return Done(tuple(done), tuple(left), 0)

    async def sheet(self, wanted: Filter, place: Place | None = None, *, most: int = sheets.PER_SHEET) -> Sheet[Poll]:
        """Some polls, newest first, from MySQL. Raises NotFound for a bad place."""
        walks = _walks(wanted)
        found = await sheets.sheet(self.polls.db, NEWEST, walks, place=place, most=most)
        total = await sheets.count(self.polls.db, NEWEST, walks)
        return found.of(await self.polls.fresh().many(found.items), count=total)


def _walks(wanted: Filter) -> list[Walk]:
    """The index walks to merge, one for each status."""
    statuses, author = wanted.statuses, wanted.author_id
    if wanted.ids is not None:
        where, args = ("id IN %s AND status IN %s", (wanted.ids, statuses))
        if author is not None:
            return [Walk(f"{where} AND author_id = %s", (*args, author))] if wanted.ids else []
        return [Walk(where, args)] if wanted.ids else []
    if author is not None:
        return [Walk("author_id = %s AND status = %s", (author, status), "of_author") for status in statuses]
    return [Walk("status = %s", (status,), "newest") for status in statuses]


def _state(poll: Poll) -> str:
    return f"{poll.status} {poll.closes_at.isoformat() if poll.closes_at else ''}"


def _back(poll: Poll, state: str, now: datetime) -> Poll:
    """With the end it had, and the status that it would have by now."""
    status, _, at = state.partition(" ")
    closes_at = datetime.fromisoformat(at) if at else None
    living = status_at(now, poll.opens_at, closes_at)
    return replace(
        poll, closes_at=closes_at, status="trashed" if status == "trashed" else living, version=poll.version + 1
    )
