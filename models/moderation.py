"""What moderators do to comments: approved, held, put in the trash; one or many at once, and undone. And their list of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from models import audit, batches, comments, replies, sheets
from models.base import Write
from models.batches import Changed
from models.comment_rules import Status
from models.comments import Comment, Comments
from models.errors import Invalid, NotFound
from models.retrying import retried
from models.roles import EDITOR, require
from models.sheets import Order, Place, Sheet, Walk
from models.users import User

Action = Literal["approve", "hold", "trash"]
ACTIONS: tuple[Action, ...] = ("approve", "hold", "trash")
STATUSES: tuple[Status, ...] = ("held", "shown", "trashed")
MOST_AT_ONCE = 100  # comments in one transaction
LONGEST_REASON = 200  # characters
KIND = "comments"
NEWEST = Order("comments")
_AFTER: dict[Action, Status] = {"approve": "shown", "hold": "held", "trash": "trashed"}


@dataclass(frozen=True, slots=True)
class Done:
    """The comments as they are now, those that the action did not apply to, and the batch that undoes it (or 0)."""

    comments: tuple[Comment, ...]
    left: tuple[int, ...]
    batch: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which comments a moderator looks at. `ids`: what a search for words found; None when nobody searched."""

    statuses: tuple[Status, ...] = ("held", "shown")  # the trash is looked into only on purpose
    author_id: int | None = None
    post_id: int | None = None
    ids: tuple[int, ...] | None = None


class Moderation:
    """All need EDITOR, who may delete comments too, decided inside the transaction."""

    def __init__(self, table: Comments) -> None:
        self.comments = table

    @retried
    async def act(self, action: Action, ids: Sequence[int], *, by: User, reason: str = "") -> Done:
        """The same for many comments, in one transaction. `reason` is what their authors are told; approving clears it.

        Raises Invalid, Forbidden; NotFound when none of them is there.
        """
        if len(ids) > MOST_AT_ONCE:
            raise Invalid({"ids": "At most 100 at once."})
        reason = " ".join(reason.split())
        if len(reason) > LONGEST_REASON:
            raise Invalid({"reason": "A reason has at most 200 characters."})
        async with self.comments.write() as w:
            await require(w, by.id, EDITOR)
            pairs, left = [], []
            for old in await self._locked(w, ids):
                if old.status == _AFTER[action]:
                    left.append(old.id)
                else:
                    said = "" if action == "approve" else reason
                    pairs.append((old, replace(old, status=_AFTER[action], reason=said, version=old.version + 1)))
            await self._change(w, f"comment.{action}", pairs, by)
            changed = [Changed(new.id, new.version, f"{old.status} {old.reason}") for old, new in pairs]
            batch = await batches.remember(w, KIND, by.id, changed)
        return Done(tuple(new for _, new in pairs), tuple(left), batch)

    @retried
    async def undo(self, batch: int, *, by: User) -> Done:
        """Make the comments of a batch what they were, but those that have changed since. Raises NotFound, Forbidden."""
        async with self.comments.write() as w:
            await require(w, by.id, EDITOR)
            rows = {row.id: row for row in await batches.take_back(w, batch, KIND, by.id)}
            pairs, left = [], []
            for old in await self._locked(w, list(rows)):
                if old.version != rows[old.id].version:
                    left.append(old.id)
                    continue
                status, _, reason = rows[old.id].was.partition(" ")
                new = replace(old, status=cast(Status, status), reason=reason, version=old.version + 1)
                pairs.append((old, new))
            await self._change(w, "comment.undo", pairs, by)
        return Done(tuple(new for _, new in pairs), tuple(left), 0)

    async def sheet(
        self, wanted: Filter, place: Place | None = None, *, most: int = sheets.PER_SHEET
    ) -> Sheet[Comment]:
        """Some comments, newest first, from MySQL; the count is None where only reading all of them would give it."""
        db = self.comments.db
        walks, rest = _walks(wanted)

        async def keep(ids: Sequence[int]) -> set[int]:
            column, value = rest[0]
            sql = f"SELECT id FROM comments WHERE id IN %s AND {column} IN %s"  # noqa: S608 - a literal from below
            return {row[0] for row in await db.fetch(sql, tuple(ids), value)}

        found = await sheets.sheet(db, NEWEST, walks, place=place, most=most, keep=keep if rest else None)
        total = None if rest else await sheets.count(db, NEWEST, walks)
        return found.of(await self.comments.fresh().many(found.items), count=total)

    async def _change(self, w: Write, action: str, pairs: Sequence[tuple[Comment, Comment]], by: User) -> None:
        await comments.change(w, pairs)
        for old, new in pairs:
            await audit.note(w, by.id, action, f"comment {old.id}", old, new)
            if (old.status, new.status) == ("held", "shown") and new.parent_id is not None:
                await replies.tell(w, self.comments.mails, new.id, author_id=new.author_id, root_id=new.parent_id)

    async def _locked(self, w: Write, ids: Sequence[int]) -> list[Comment]:
        """The rows under lock, in the order of their ids, so that two writers cannot deadlock."""
        ids = tuple(sorted(set(ids)))
        rows = await w.fetch(self.comments.rows_sql + " ORDER BY id FOR UPDATE", ids) if ids else ()
        if not rows and len(ids) == 1:
            raise NotFound(f"comment {ids[0]}")
        return [self.comments.make(*row) for row in rows]


def _walks(wanted: Filter) -> tuple[list[Walk], list[tuple[str, tuple[Any, ...]]]]:
    """The index walks to merge, one for each status, and (column, values) of what else a row must be."""
    author, post = wanted.author_id, wanted.post_id
    if wanted.ids is not None:
        chosen = [
            ("status", wanted.statuses),
            *((name, (id,)) for name, id in (("author_id", author), ("post_id", post)) if id),
        ]
        where = " AND ".join(f"{column} IN %s" for column, _ in chosen)
        return [Walk(f"id IN %s AND {where}", (wanted.ids, *(v for _, v in chosen)))] if wanted.ids else [], []
    if author is not None:
        walks = [Walk("author_id = %s AND status = %s", (author, status), "of_author") for status in wanted.statuses]
        return walks, [] if post is None else [("post_id", (post,))]
    if post is not None:
        return [Walk("post_id = %s AND status = %s", (post, status), "of_post") for status in wanted.statuses], []
    return [Walk("status = %s", (status,), "managed") for status in wanted.statuses], []
