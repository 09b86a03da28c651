"""The table of a history: declared, read and written as the site's tables are, with what makes its answers checkable.

`prove_versions` counts each key's writes and is locked by each of them, so a version rises through a deletion too.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from cache import Index, Key, List, Scope, Slot
from commands.proving.ledger import KEYS
from models.base import Table, Write

TABLES = (
    """CREATE TABLE IF NOT EXISTS prove_notes (
        id INT PRIMARY KEY, version BIGINT NOT NULL, nonce BIGINT NOT NULL, name INT NOT NULL UNIQUE, shelf INT NOT NULL,
        text TEXT NOT NULL, KEY (shelf)) ENGINE=InnoDB""",
    "CREATE TABLE IF NOT EXISTS prove_versions (id INT PRIMARY KEY, version BIGINT NOT NULL) ENGINE=InnoDB",
    "DELETE FROM prove_notes",
    "DELETE FROM prove_versions",
)


@dataclass(frozen=True, slots=True)
class Note:
    id: int
    version: int
    nonce: int
    name: int  # the number of a unique value
    shelf: int
    text: str


# They live for a few seconds, so that a history sees them expire, and be refreshed early.
NOTE = Key("prove.note", Note, ttl=6)
NAMED = Index("prove.named", by=("name",), ttl=6)
NOTES = Scope("prove.notes")
SHELF = Scope("prove.shelf", by=("shelf",))
ON_SHELF = List("prove.on_shelf", by=("shelf",), scopes=(SHELF,), ttl=6)
CENSUS = List("prove.census", scopes=(NOTES,), ttl=6)

_COLUMNS = "SELECT id, version, nonce, name, shelf, text FROM prove_notes "


def spelt(name: int) -> str:
    """What a name is called in the cache: with signs that must be quoted."""
    return f"náme:{name} 名"


def shown_in(note: Note) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in."""
    return NOTE(note.id), NAMED(spelt(note.name)), SHELF(note.shelf), NOTES()


class Notes(Table[Note]):
    key: ClassVar = NOTE
    rows_sql: ClassVar = _COLUMNS + "WHERE id IN %s"

    async def named(self, name: int) -> Note | None:
        """The note that has this name now."""
        slot = NAMED(spelt(name))
        sql = "SELECT id FROM prove_notes WHERE name = %s"
        return await self.by_index(slot, lambda note: note.name == name, sql, name)

    async def on_shelf(self, shelf: int) -> list[Note]:
        return await self.all(ON_SHELF(shelf), "SELECT id FROM prove_notes WHERE shelf = %s ORDER BY id", shelf)

    async def ids_on_shelf(self, shelf: int) -> tuple[int, ...]:
        return await self.ids(ON_SHELF(shelf), "SELECT id FROM prove_notes WHERE shelf = %s ORDER BY id", shelf)

    async def census(self) -> tuple[int, ...]:
        """id, version, id, version, ... of all notes."""

        async def load() -> tuple[int, ...]:
            rows = await self.db.fetch("SELECT id, version FROM prove_notes ORDER BY id")
            return tuple(number for row in rows for number in row)

        return await self.items(CENSUS(), load)

    @asynccontextmanager
    async def changing(self, keys: Sequence[int]) -> AsyncIterator["Change"]:
        """A transaction that holds the locks of these keys, taken in this order."""
        async with self.write() as w:
            old: dict[int, Note | None] = {}
            versions: dict[int, int] = {}
            for key in keys:
                rows = await w.fetch("SELECT version FROM prove_versions WHERE id = %s FOR UPDATE", key)
                versions[key] = rows[0][0] + 1
                found = await w.fetch(_COLUMNS + "WHERE id = %s FOR UPDATE", key)
                old[key] = Note(*found[0]) if found else None
            yield Change(w, old, versions)


class CriticalNotes(Notes):
    """The same table, whose writes always leave an outbox row."""

    critical = True


class Change:
    """What a transaction does to rows it has locked."""

    def __init__(self, w: Write, old: dict[int, Note | None], versions: dict[int, int]) -> None:
        self.w, self.old, self.versions = w, old, versions
        self.new: dict[int, Note | None] = dict(old)

    async def put(self, note: Note) -> Note:
        """Insert or change; the row gets its new version."""
        note = replace(note, version=self.versions[note.id])
        values: tuple[Any, ...] = (note.version, note.nonce, note.name, note.shelf, note.text)
        if self.new[note.id] is None:
            await self.w.execute("INSERT INTO prove_notes VALUES (%s, %s, %s, %s, %s, %s)", note.id, *values)
        else:
            sql = "UPDATE prove_notes SET version = %s, nonce = %s, name = %s, shelf = %s, text = %s WHERE id = %s"
            await self.w.execute(sql, *values, note.id)
        self.new[note.id] = note
        return note

    async def delete(self, key: int) -> None:
        await self.w.execute("DELETE FROM prove_notes WHERE id = %s", key)
        self.new[key] = None

    async def finish(self) -> None:
        """Count the versions up, and touch what the old and the new rows are shown in."""
        for key, version in self.versions.items():
            await self.w.execute("UPDATE prove_versions SET version = %s WHERE id = %s", version, key)
            for note in (self.old[key], self.new[key]):
                self.w.touch(NOTE(key), NOTES(), *(shown_in(note) if note else ()))


def first_rows() -> list[str]:
    """The statements that make an empty table of it."""
    numbers = ", ".join(f"({key}, 0)" for key in range(1, KEYS + 1))
    return [*TABLES, f"INSERT INTO prove_versions VALUES {numbers}"]  # noqa: S608 - numbers of ours
