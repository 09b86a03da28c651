"""What operators do to files: put in the trash, restored; one or many at once, and undone. And their list of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from content.kinds import Kind
from models import audit, batches, file_rows, quotas, sheets
from models.base import Write
from models.batches import Changed
from models.errors import Invalid, NotFound
from models.file_rows import File, Status
from models.files import Files
from models.retrying import retried
from models.roles import OPERATOR, require
from models.sheets import Order, Place, Sheet, Walk
from models.users import User

Action = Literal["trash", "restore"]
ACTIONS: tuple[Action, ...] = ("trash", "restore")
MOST_AT_ONCE = 100  # files in one transaction
KIND = "files"
NEWEST = Order("files")
_AFTER: dict[Action, Status] = {"trash": "trashed", "restore": "shown"}


@dataclass(frozen=True, slots=True)
class Done:
    """The files as they are now, those that the action did not apply to, and the batch that undoes it (or 0)."""

    files: tuple[File, ...]
    left: tuple[int, ...]
    batch: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which files an operator looks at. `ids`: what a search for names found; None when nobody searched."""

    status: Status = "shown"  # the trash is looked into only on purpose
    kind: Kind | None = None
    owner_id: int | None = None
    ids: tuple[int, ...] | None = None


class FileManaging:
    """All need OPERATOR, decided inside the transaction. Resized copies follow their originals, and are in no list."""

    def __init__(self, table: Files) -> None:
        self.files = table

    @retried
    async def act(self, action: Action, ids: Sequence[int], *, by: User) -> Done:
        """The same for many files, in one transaction; those that it does not apply to stay as they are.

        Raises Invalid, Forbidden; NotFound when none of them is there.
        """
        if len(ids) > MOST_AT_ONCE:
            raise Invalid({"ids": "At most 100 at once."})
        async with self.files.write() as w:
            await require(w, by.id, OPERATOR)
            done, left, changed = list[File](), list[int](), list[Changed]()
            for old in await self._locked(w, ids):
                new = await _set(w, old, _AFTER[action], f"file.{action}", by)
                if new is None:
                    left.append(old.id)
                else:
                    done.append(new)
                    changed.append(Changed(new.id, new.version, old.status))
            batch = await batches.remember(w, KIND, by.id, changed)
        return Done(tuple(done), tuple(left), batch)

    @retried
    async def undo(self, batch: int, *, by: User) -> Done:
        """Make the files of a batch what they were, but those that have changed since. Raises NotFound, Forbidden."""
        async with self.files.write() as w:
            await require(w, by.id, OPERATOR)
            rows = {row.id: row for row in await batches.take_back(w, batch, KIND, by.id)}
            done, left = list[File](), list[int]()
            for old in await self._locked(w, list(rows)):
                was: Status = "shown" if rows[old.id].was == "shown" else "trashed"
                same = old.version == rows[old.id].version
                new = await _set(w, old, was, "file.undo", by) if same else None
                if new is None:
                    left.append(old.id)
                else:
                    done.append(new)
        return Done(tuple(done), tuple(left), 0)

    async def sheet(self, wanted: Filter, place: Place | None = None, *, most: int = sheets.PER_SHEET) -> Sheet[File]:
        """Some originals, the newest first, from MySQL; the count is None where only reading all of them would give it."""
        db = self.files.db
        walk, kind = _walk(wanted)

        async def keep(ids: Sequence[int]) -> set[int]:
            sql = "SELECT id FROM files WHERE id IN %s AND kind = %s"
            return {row[0] for row in await db.fetch(sql, tuple(ids), kind)}

        found = await sheets.sheet(db, NEWEST, [walk], place=place, most=most, keep=keep if kind else None)
        total = None if kind else await sheets.count(db, NEWEST, [walk])
        return found.of(await self.files.fresh().many(found.items), count=total)

    async def _locked(self, w: Write, ids: Sequence[int]) -> list[File]:
        """The originals under lock, in the order of their ids, their owners' quotas before them: nobody waits in a circle."""
        ids = tuple(sorted(set(ids)))
        found = await w.fetch("SELECT id, owner_id FROM files WHERE id IN %s AND parent_id IS NULL", ids or (0,))
        for owner_id in sorted({owner_id for _, owner_id in found}):
            await quotas.held(w, owner_id)
        rows = [await file_rows.locked(w, id) for id, _ in sorted(found)]
        if ids and not rows:
            raise NotFound("files")
        return rows


async def _set(w: Write, old: File, status: Status, action: str, by: User) -> File | None:
    """None when it is so already, or cannot be: its time is over, or its owner has uploaded the same anew."""
    if old.status == status:
        if status == "trashed":
            await file_rows.take_away(w, old, by.id)
        return None
    try:
        new = await file_rows.set_status(w, old, status, by.id if status == "trashed" else None)
    except Invalid:
        return None
    await audit.note(w, by.id, action, f"file {old.id}", {"status": old.status}, {"status": new.status})
    return new


def _walk(wanted: Filter) -> tuple[Walk, Kind | None]:
    """The walk along an index, and the kind if that must be asked of each row."""
    where, args = "parent_id IS NULL AND status = %s", (wanted.status,)
    if wanted.ids is not None:
        more = [(column, value) for column, value in (("kind", wanted.kind), ("owner_id", wanted.owner_id)) if value]
        some: tuple[Any, ...] = (wanted.ids or (0,), *args, *(value for _, value in more))
        return Walk(f"id IN %s AND {where}{''.join(f' AND {column} = %s' for column, _ in more)}", some), None
    if wanted.owner_id is not None:
        return Walk(f"owner_id = %s AND {where}", (wanted.owner_id, *args), "of_owner"), wanted.kind
    if wanted.kind is not None:
        return Walk(f"kind = %s AND {where}", (wanted.kind, *args), "of_kind"), None
    return Walk(where, args, "newest"), None
