"""The rows of `files`: what one is, where it is remembered, and how those are changed that a transaction has locked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from pymysql.err import IntegrityError

from cache import Index, Key, List, Scope, Slot
from content.kinds import Kind
from content.terms import Posting
from models import terms, users
from models.base import Write
from models.errors import Invalid, Taken

Status = Literal["shown", "trashed"]


@dataclass(frozen=True, slots=True)
class File:
    """`stored_name` is its name in addresses. A resized copy has the `parent_id` it was made of, and the `box` that was asked
    for, "300x200"; an original has None and "". `width` and `height` in pixels, of images."""

    id: int
    owner_id: int
    name: str
    stored_name: str
    sha256: bytes
    md5: bytes
    mime: str
    kind: Kind
    size: int
    width: int | None
    height: int | None
    parent_id: int | None
    box: str
    status: Status
    created_at: datetime
    expires_at: datetime | None
    version: int

    @property
    def hash(self) -> str:
        """32 hex digits: the stored name without its suffix."""
        return self.stored_name[:32]

    @property
    def visible(self) -> bool:
        """Shown, and its time is not over: at that moment nobody sees it any more, whether the worker has come by or not."""
        return self.status == "shown" and (self.expires_at is None or datetime.now(UTC) < self.expires_at)


BY_ID = Key("file", File, ttl=600)
BY_NAME = Index("file.name", by=("name",), ttl=600)
BY_BOX = Index("file.box", by=("parent", "box"), ttl=600)
EVERYWHERE = Scope("files")
OF_OWNER = Scope("files.owner", by=("owner",))
NEWEST = List("files.latest", scopes=(EVERYWHERE,), ttl=600)
OWNED = List("files.owned", by=("owner", "before"), scopes=(OF_OWNER,), ttl=600)


def shown_in(file: File) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in. A new key is not done until it is here."""
    if file.parent_id is not None:  # no list has resized copies
        return BY_ID(file.id), BY_NAME(file.stored_name), BY_BOX(file.parent_id, file.box)
    return BY_ID(file.id), BY_NAME(file.stored_name), EVERYWHERE(), OF_OWNER(file.owner_id)


SELECT = (
    "SELECT id, owner_id, name, stored_name, sha256, md5, mime, kind, size, width, height, parent_id, box, status, created_at, "
    "expires_at, version FROM files"
)


async def locked(w: Write, id: int) -> File:
    """Raises NotFound."""
    return await w.locked(File, f"{SELECT} WHERE id = %s FOR UPDATE", id)


async def trashed_by(w: Write, id: int) -> int | None:
    """Who has put it in the trash; None when its time was over, or when it is not there."""
    rows = await w.fetch("SELECT trashed_by FROM files WHERE id = %s", id)
    who: int | None = rows[0][0]
    return who


async def copies(w: Write, original: File) -> list[File]:
    """The resized copies, in the trash or not, under lock."""
    sql = f"{SELECT} WHERE parent_id = %s ORDER BY id FOR UPDATE"
    return [File(*row) for row in await w.fetch(sql, original.id)]


async def of_bytes(w: Write, owner_id: int, sha256: bytes) -> File | None:
    """The member's original of these bytes that is not in the trash, under lock."""
    sql = f"{SELECT} WHERE owner_id = %s AND original = %s FOR UPDATE"
    rows = await w.fetch(sql, owner_id, sha256)
    return File(*rows[0]) if rows else None


async def insert(w: Write, file: File) -> File:
    """The row with its id."""
    id = await w.insert(
        "INSERT INTO files (owner_id, name, stored_name, sha256, md5, mime, kind, size, width, height, parent_id, box, "
        "status, original, created_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        file.owner_id, file.name, file.stored_name, file.sha256, file.md5, file.mime, file.kind, file.size, file.width,
        file.height, file.parent_id, file.box, file.status, file.sha256 if file.parent_id is None else None,
        file.created_at, file.expires_at,
    )  # fmt: skip
    file = replace(file, id=id)
    if file.parent_id is None:
        await write_terms(w, file, new=True)
    w.touch(*shown_in(file))
    return file


async def set_status(w: Write, old: File, status: Status, by_id: int | None) -> File:
    """Make a file be shown or trashed, and its copies with it; the picture of a member goes with its file. Raises Taken,
    Invalid."""
    if status == "shown" and old.expires_at and old.expires_at <= datetime.now(UTC):
        raise Invalid({"status": "The time of this file is over."})
    trashed_at = datetime.now(UTC) if status == "trashed" else None
    rows = [row for row in (old, *await copies(w, old)) if row.status != status]
    try:
        await w.execute(
            "UPDATE files SET status = %s, original = IF(%s = 'shown' AND parent_id IS NULL, sha256, NULL), "
            "trashed_at = %s, trashed_by = %s, version = version + 1 WHERE id IN %s",
            status, status, trashed_at, by_id, tuple(row.id for row in rows),
        )  # fmt: skip
    except IntegrityError:
        raise Taken({"status": "Its owner has uploaded the same file again."}) from None
    if status == "trashed" and by_id and by_id != old.owner_id:
        await take_away(w, old, by_id)
    if old.parent_id is None:
        await terms.show(w, terms.FILE, old.id, status == "shown")
    if status == "trashed" and old.kind == "image":
        for row in rows:
            await users.part_with(w, row.owner_id, row.stored_name, by_id)
    _touch(w, rows)
    return replace(old, status=status, version=old.version + 1)


async def take_away(w: Write, file: File, by_id: int) -> None:
    """What is in the trash of a file and its copies is an operator's to give back now, whoever has put it there."""
    ids = tuple(row.id for row in (file, *await copies(w, file)))
    await w.execute("UPDATE files SET trashed_by = %s WHERE id IN %s AND status = 'trashed'", by_id, ids)


async def delete(w: Write, rows: Sequence[File]) -> None:
    """For good."""
    for row in rows:
        await terms.delete(w, terms.FILE, row.id)
    await w.execute("DELETE FROM files WHERE id IN %s", tuple(row.id for row in rows))
    _touch(w, rows)


async def prolong(w: Write, old: File, until: datetime | None) -> File:
    """Show it until then, or for ever, and its copies with it."""
    rows = (old, *await copies(w, old))
    ids = tuple(row.id for row in rows)
    await w.execute("UPDATE files SET expires_at = %s, version = version + 1 WHERE id IN %s", until, ids)
    _touch(w, rows)
    return replace(old, expires_at=until, version=old.version + 1)


async def write_terms(w: Write, file: File, *, new: bool = False) -> None:
    """Make what search knows of a file be the words of its name."""
    shown = file.status == "shown"
    await terms.write(w, terms.FILE, file.id, words(file), shown=shown, at=file.created_at, new=new)


def words(file: File) -> dict[str, Posting]:
    """What it is found by."""
    return terms.of_words(file.owner_id, file.name)


def _touch(w: Write, rows: Sequence[File]) -> None:
    for row in rows:
        w.touch(*shown_in(row))
