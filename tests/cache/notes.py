"""A table of notes in a real MySQL, read and written the way a model does it, in several processes whose steps a test holds."""

import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cache import Index, Key, List, Scope, Slot
from models.base import Table
from models.database import Database
from models.outbox import Outbox
from settings import MysqlAddress, Settings
from tests.cache.steps import Gate, Gates, Process, Stage
from tests.harness.wires import Wire

TABLE = """
CREATE TABLE notes (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) NOT NULL UNIQUE, text VARCHAR(200) NOT NULL,
    version BIGINT NOT NULL DEFAULT 1
) ENGINE=InnoDB
"""


@dataclass(frozen=True, slots=True)
class Named:
    id: int
    name: str
    text: str
    version: int


NAMED = Key("named", Named, ttl=60)
BY_NAME = Index("named.name", by=("name",), ttl=60)
ALL = Scope("named")
FIRST = List("named.first", scopes=(ALL,), ttl=60)


def shown_in(note: Named) -> tuple[Slot, ...]:
    return NAMED(note.id), BY_NAME(note.name), ALL()


class HeldDatabase(Database):
    """With a gate "after the outbox": all rows of it have been read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.gates = Gates()

    async def fetch(self, sql: str, *args: Any) -> tuple[tuple[Any, ...], ...]:
        rows = await super().fetch(sql, *args)
        if "FROM outbox" in sql and not rows:
            await self.gates.come("after the outbox")
        return rows


class Notes(Table[Named]):
    key = NAMED
    rows_sql = "SELECT id, name, text, version FROM notes WHERE id IN %s"
    locked_sql = "SELECT id, name, text, version FROM notes WHERE id = %s FOR UPDATE"

    async def text(self, id: int) -> str | None:
        note = await self.find(id)
        return note.text if note else None

    async def named(self, name: str) -> Named | None:
        return await self.by_index(
            BY_NAME(name), lambda note: note.name == name, "SELECT id FROM notes WHERE name = %s", name
        )

    async def first(self) -> list[int]:
        return [note.id for note in await self.all(FIRST(), "SELECT id FROM notes ORDER BY id LIMIT 50")]

    async def change(self, id: int, text: str, name: str = "") -> None:
        async with self.write() as w:
            old = await w.locked(Named, self.locked_sql, id)
            new = Named(id, name or old.name, text, old.version + 1)
            await w.execute(
                "UPDATE notes SET name = %s, text = %s, version = %s WHERE id = %s", new.name, text, new.version, id
            )
            w.touch(*shown_in(old), *shown_in(new))

    async def add(self, name: str, text: str) -> int:
        async with self.write() as w:
            id = await w.insert("INSERT INTO notes (name, text) VALUES (%s, %s)", name, text)
            w.touch(*shown_in(Named(id, name, text, 1)))
        return id

    async def remove(self, id: int) -> None:
        async with self.write() as w:
            old = await w.locked(Named, self.locked_sql, id)
            await w.execute("DELETE FROM notes WHERE id = %s", id)
            w.touch(*shown_in(old))


class CriticalNotes(Notes):
    critical = True


@dataclass(slots=True)
class Desk:
    """One process with its table."""

    process: Process
    db: HeldDatabase
    outbox: Outbox
    notes: Notes

    def hold(self, step: str) -> Gate:
        return self.process.hold(step)


class Desks:
    """Processes over one database and one Redis. Note 1 is named "a"; its text is "old"."""

    def __init__(self, stage: Stage, settings: Settings) -> None:
        self.stage, self.settings = stage, settings
        self._databases: list[HeldDatabase] = []

    async def start(self) -> None:
        self.truth = self._database(4, 5.0)
        await self.truth.fetch("SELECT 1")
        async with self.truth.connection() as connection:
            await connection.execute(TABLE)
            await connection.execute("DELETE FROM outbox")
            await connection.insert("INSERT INTO notes (id, name, text) VALUES (1, 'a', 'old')")

    async def open(
        self, *, size: int = 4, seconds: float = 5.0, mysql: Path | None = None, critical: bool = False, **options: Any
    ) -> Desk:
        """One more process; `size`: of its pool; `mysql`: the socket where it finds MySQL; the rest as `Stage.process`."""
        db, outbox = self._database(size, seconds, mysql), list[Outbox]()

        async def replay() -> None:
            if outbox:
                await outbox[0].replay()

        process = await self.stage.process(replay=replay, **options)
        outbox.append(Outbox(db, process.cache))
        return Desk(process, db, outbox[0], (CriticalNotes if critical else Notes)(db, process.cache))

    async def stored(self, id: int) -> str | None:
        """What MySQL itself holds."""
        rows = await self.truth.fetch("SELECT text FROM notes WHERE id = %s", id)
        return rows[0][0] if rows else None

    async def waiting(self) -> int:
        """How many rows wait in the outbox."""
        count: int = (await self.truth.fetch("SELECT COUNT(*) FROM outbox"))[0][0]
        return count

    def _database(self, size: int, seconds: float, socket: Path | None = None) -> HeldDatabase:
        address: MysqlAddress = self.settings.mysql
        if socket:
            address = address._replace(unix_socket=str(socket))
        self._databases.append(HeldDatabase(address, size=size, seconds=seconds))
        return self._databases[-1]

    async def close(self) -> None:
        for db in self._databases:
            await db.close()


class CommitWire(Wire):
    """A wire to MySQL that does something to the next COMMIT: `lose` its reply, or `delay` it until it is let through."""

    lose = False
    delay = False

    def __init__(self, path: Path, target: str) -> None:
        super().__init__(path, target)
        self.reached, self.through, self.done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def _relay(self, source: socket.socket, sink: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(source, 65536):
            commit = b"\x03COMMIT" in data
            if commit and self.delay:
                self.delay = False
                self.reached.set()
                await self.through.wait()
            if self.reached.is_set() and self.lose and not commit:
                self.lose = False
                self.done.set()
                return  # the answer: MySQL has committed, and nobody will hear of it
            if commit and self.lose:
                self.reached.set()
            await loop.sock_sendall(sink, data)
