"""Files: what members have uploaded, and the resized copies of it. The bytes lie in a `content.storage`."""

import mimetypes
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, NamedTuple

from cache import Cache
from content import filenames
from content.kinds import Found
from content.storage import Incoming, Storage
from models import audit, blobs, file_rows, quotas
from models.asking import answers
from models.base import Table, Write
from models.counts import COUNTS
from models.database import Database
from models.errors import Forbidden, Invalid, NotFound, QuotaFull, TooLarge
from models.file_rows import BY_BOX, BY_ID, BY_NAME, NEWEST, OWNED, SELECT, File
from models.quotas import Usage
from models.retrying import retried
from models.roles import LOGIN, OPERATOR, has, require
from models.users import User
from settings import Settings

LATEST = 50  # files of the list of the newest
PER_PAGE = 30  # of a member's own
MOST_COPIES = 20  # of one file
COUNTS.update({"files.stored": 0, "files.known": 0, "files.resized": 0})


class Added(NamedTuple):
    """Not `created`: the owner had these bytes already."""

    file: File
    created: bool


class Files(Table[File]):
    """Who adds, restores or deletes files of a member holds that member's row of `file_quotas` first, then rows of `files` by
    id, then of `blobs`: so they wait for each other, and never in a circle."""

    key: ClassVar = BY_ID
    rows_sql: ClassVar = f"{SELECT} WHERE id IN %s"

    def __init__(self, db: Database, cache: Cache, storage: Storage, settings: Settings) -> None:
        super().__init__(db, cache)
        self.storage, self._settings = storage, settings

    async def shown(self, id: int) -> File:
        """Raises NotFound for what nobody sees any more, too."""
        return _visible(await self.one(id))

    @answers(BY_NAME)
    async def named(self, stored_name: str) -> File:
        """Raises NotFound for what nobody sees any more, too."""
        return _visible(await self._by_name(stored_name))

    async def _by_name(self, stored_name: str) -> File | None:
        sql = "SELECT id FROM files WHERE stored_name = %s"
        return await self.by_index(BY_NAME(stored_name), lambda row: row.stored_name == stored_name, sql, stored_name)

    @answers(BY_BOX)
    async def resized(self, parent_id: int, box: str) -> File | None:
        """The copy of a file for that box, if there is one."""
        sql = "SELECT id FROM files WHERE parent_id = %s AND box = %s"
        slot = BY_BOX(parent_id, box)
        file = await self.by_index(slot, lambda row: (row.parent_id, row.box) == (parent_id, box), sql, parent_id, box)
        return file if file and file.visible else None

    async def latest(self, start: int = 0, limit: int = 20) -> list[File]:
        """The newest originals of all members; beyond LATEST there are none."""
        files = await self.many((await self._newest())[max(0, start) :][: max(0, limit)])
        return [file for file in files if file.visible]

    @answers(NEWEST)
    async def _newest(self) -> tuple[int, ...]:
        return await self.ids(
            NEWEST(),
            "SELECT id FROM files FORCE INDEX (newest) WHERE parent_id IS NULL AND status = 'shown' ORDER BY id DESC LIMIT %s",
            LATEST,
        )

    @answers(OWNED)
    async def of_owner(self, owner_id: int, before: int = 0) -> list[File]:
        """A member's originals, the newest first, at most PER_PAGE; `before`: the id of the last one seen, or 0."""
        files = await self.all(
            OWNED(owner_id, before),
            "SELECT id FROM files FORCE INDEX (of_owner) WHERE owner_id = %s AND parent_id IS NULL AND status = 'shown' "
            "AND id < %s ORDER BY id DESC LIMIT %s",
            owner_id, before or 1 << 62, PER_PAGE,
        )  # fmt: skip
        return [file for file in files if file.visible]

    async def usage(self, user_id: int) -> Usage:
        """What a member's files take now, from MySQL."""
        return await quotas.usage(self.db, user_id)

    async def admit(self, owner: User, size: int) -> None:
        """Before the bytes come: whether they may. Raises Forbidden, TooLarge, QuotaFull."""
        self._bounded(size)
        async with self.db.connection() as connection:
            await require(connection, owner.id, LOGIN)
            self._affordable(await quotas.usage(connection, owner.id), size)

    @retried
    async def add(
        self, incoming: Incoming, name: str, found: Found, *, by: User, expires: timedelta | None = None
    ) -> Added:
        """Keep what `by` has sent, for ever or as long as `expires` says. Of bytes that the owner has already there is the first
        record, for the longer of both times. Raises Forbidden, TooLarge, QuotaFull."""
        await incoming.finish()
        self._bounded(incoming.size)
        now = datetime.now(UTC)
        until = now + expires if expires else None
        async with self.write() as w:
            await require(w, by.id, LOGIN)
            used = await quotas.held(w, by.id)
            if known := await file_rows.of_bytes(w, by.id, incoming.sha256):
                if known.visible:
                    longer = known.expires_at and (until is None or until > known.expires_at)
                    COUNTS["files.known"] += 1
                    return Added(await file_rows.prolong(w, known, until) if longer else known, created=False)
                await file_rows.set_status(w, known, "trashed", None)  # the worker has not come by yet
            name = filenames.clean(name)
            file = await self._store(w, _new(incoming, found, by.id, name, now, until), incoming, used)
        COUNTS["files.stored"] += 1
        return Added(file, created=True)

    @retried
    async def add_resized(self, parent: File, box: str, incoming: Incoming, found: Found, *, by: User) -> File:
        """Keep a copy of another size; the one that exists wins. It counts in the quota of the original's owner.

        Raises Forbidden, NotFound, QuotaFull; Invalid when there are MOST_COPIES.
        """
        await incoming.finish()
        async with self.write() as w:
            await require(w, by.id, LOGIN)
            used = await quotas.held(w, parent.owner_id)
            original = _visible(await file_rows.locked(w, parent.id))
            copies = await file_rows.copies(w, original)
            for copy in copies:
                if copy.box == box:
                    return copy if copy.visible else await file_rows.set_status(w, copy, "shown", None)
            if original.parent_id is not None or len(copies) >= MOST_COPIES:
                raise Invalid({"w": "There are no more sizes of this file. Use one of those that there are."})
            name = filenames.resized(original.name, box, mimetypes.guess_extension(found.mime) or "")
            new = _new(incoming, found, original.owner_id, name, datetime.now(UTC), original.expires_at)
            copy = await self._store(w, replace(new, parent_id=original.id, box=box), incoming, used)
        COUNTS["files.resized"] += 1
        return copy

    @retried
    async def trash(self, id: int, *, by: User) -> File:
        """Take it out of sight, with its resized copies; by its owner, and by operators. Twice is as once.

        Raises Forbidden, NotFound.
        """
        async with self.write() as w:
            bits = await require(w, by.id, LOGIN)
            old = await file_rows.locked(w, id)
            if old.owner_id != by.id and not has(bits, OPERATOR):
                raise Forbidden(f"file {id} is not user {by.id}'s")
            if old.status == "trashed":
                if old.owner_id != by.id:
                    await file_rows.take_away(w, old, by.id)
                return old
            new = await file_rows.set_status(w, old, "trashed", by.id)
            await audit.note(w, by.id, "file.trash", f"file {id}", {"status": old.status}, {"status": new.status})
        return new

    async def trash_named(self, stored_name: str, *, by: User) -> File:
        """The same; to others than those who may, what nobody sees any more is not there. Raises Forbidden, NotFound."""
        file = await self._by_name(stored_name)
        if file is None:
            raise NotFound(stored_name)
        try:
            return await self.trash(file.id, by=by)
        except Forbidden:
            _visible(file)
            raise

    @retried
    async def restore(self, id: int, *, by: User) -> File:
        """The opposite; what an operator has taken away, only operators give back. Raises Forbidden; NotFound, also for a copy
        whose original cannot be seen; Taken when the owner has uploaded the same anew; Invalid when its time is over."""
        async with self.write() as w:
            bits = await require(w, by.id, LOGIN)
            for owner_id, parent_id in await w.fetch("SELECT owner_id, parent_id FROM files WHERE id = %s", id):
                await quotas.held(w, owner_id)
                if parent_id is not None:
                    _visible(await file_rows.locked(w, parent_id))
            old = await file_rows.locked(w, id)
            own = old.owner_id == by.id and await file_rows.trashed_by(w, id) in (None, by.id)
            if not own and not has(bits, OPERATOR):
                raise Forbidden(f"file {id} is not user {by.id}'s to restore")
            if old.status == "shown":
                return old
            new = await file_rows.set_status(w, old, "shown", None)
            await audit.note(w, by.id, "file.restore", f"file {id}", {"status": old.status}, {"status": new.status})
        return new

    async def _store(self, w: Write, file: File, incoming: Incoming, used: Usage) -> File:
        self._affordable(used, file.size)
        await blobs.hold(w, self.storage, incoming)
        await quotas.change(w, file.owner_id, file.size, 1)
        return await file_rows.insert(w, file)

    def _bounded(self, size: int) -> None:
        if size > self._settings.max_upload:
            raise TooLarge({"file": "This file is too large."}, self._settings.max_upload)

    def _affordable(self, used: Usage, size: int) -> None:
        left = max(0, self._settings.quota - used.bytes)
        if size > left:
            raise QuotaFull({"file": "There is no room left for this file. Delete others; it takes a day."}, left)


def _visible(file: File | None) -> File:
    if file is None or not file.visible:
        raise NotFound("file")
    return file


def _new(incoming: Incoming, found: Found, owner_id: int, name: str, now: datetime, until: datetime | None) -> File:
    """An original that is not stored yet, of what has been sent."""
    return File(
        0, owner_id, name, secrets.token_hex(16) + filenames.suffix(name), incoming.sha256, incoming.md5, found.mime,
        found.kind, incoming.size, found.width, found.height, None, "", "shown", now, until, 1,
    )  # fmt: skip
