"""What every table does the same way: read through the cache, write in one transaction, forget exactly what changed."""

import asyncio
import copy
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Generic, Self, TypeVar

from cache import MISSING, Cache, Key, Slot
from cache.slots import Value
from models import comparisons, outbox
from models.asking import WANTED, Answered
from models.database import Connection, Database
from models.errors import Busy, NotFound

log = logging.getLogger("plaza.mysql")

Row = TypeVar("Row")
Item = TypeVar("Item")
Counts = Counter[tuple[str, date]]  # (list, day) -> how often

TRANSACTION_SECONDS = 8.0  # a transaction is given up after this
HOLD = TRANSACTION_SECONDS + 2.0  # s; a tombstone set before COMMIT outlives any transaction
DOUBT = 60.0  # s for which MySQL is asked what became of a COMMIT: it may carry it out after it stood still for longer than HOLD
PATIENCE = 1.0  # s that a writer waits for the end of a COMMIT that was not answered


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Page `page_index` (from 1) of `page_count` pages; `item_count` items there are in all."""

    items: tuple[Item, ...]
    page_index: int
    page_count: int
    item_count: int

    @property
    def has_next(self) -> bool:
        return self.page_index < self.page_count

    @property
    def has_previous(self) -> bool:
        return self.page_index > 1


class Write:
    """One transaction, and the slots that it must make forgotten."""

    def __init__(self, connection: Connection, writer: bytes = b"") -> None:
        self._connection = connection
        self.writer = writer  # as the cache knows this write
        self.kept = False  # there is a row of it in the outbox
        self.doubtful: int | None = None  # the connection, as MySQL knows it, whose COMMIT may not have been answered
        self.touched: dict[str, Slot] = {}
        self.counts: Counts = Counter()  # what `tallies` shall change
        # Done just before COMMIT, when the tombstones stand: a step gets no Write, so that it can touch nothing more.
        self.last: list[Callable[[Connection, Counts], Awaitable[None]]] = []
        self.fetch, self.execute, self.insert = connection.fetch, connection.execute, connection.insert

    @property
    def broken(self) -> bool:
        """What became of the last statement is not known."""
        return self._connection.broken

    def touch(self, *slots: Slot) -> None:
        """Every remembered answer that the old or the new row appears in."""
        self.touched.update((slot.name, slot) for slot in slots)

    async def locked(self, row: Callable[..., Row], sql: str, *args: Any) -> Row:
        """The row as it is now, held until the end: `sql` says FOR UPDATE. Raises NotFound."""
        rows = await self._connection.fetch(sql, *args)
        if not rows:
            raise NotFound(sql.partition("FROM ")[2].split()[0])
        return row(*rows[0])


class Table(Generic[Row]):
    """All SQL that names one table.

    `key` and `row` say how a row is remembered and made of its columns; `rows_sql` reads the rows of several primary keys
    (`... WHERE id IN %s`), its columns in the order of the row's fields, the primary key first. A `critical` table leaves a row
    in the outbox with each write: what a writer that is killed while Redis loses its memory has left is gone within seconds.
    """

    key: ClassVar[Key[Any]]
    rows_sql: ClassVar[str]
    critical: ClassVar[bool] = False

    def __init__(self, db: Database, cache: Cache) -> None:
        self.db, self._cache = db, cache
        self._fresh = False

    def fresh(self) -> Self:
        """The same table, read around the cache: what MySQL holds now. For checks and manage pages."""
        table = copy.copy(self)
        table._fresh = True
        return table

    def make(self, *columns: Any) -> Row:
        """The row made of its columns, in the order of `rows_sql`. A table whose columns need converting overrides it."""
        row: Row = self.key.row(*columns)
        return row

    async def one(self, id: Value) -> Row:
        """The row, from the nearest level that has it. Raises NotFound."""
        row: Row | None = MISSING if self._fresh else self._cache.near(self.key.named(id))
        if row is MISSING:
            row = await self.find(id)
        if row is None:
            raise NotFound(f"{self.key.name} {id!r}")
        return row

    async def find(self, id: Value) -> Row | None:
        """The row, or None."""
        rows = await self.many((id,))
        return rows[0] if rows else None

    async def many(self, ids: Sequence[Value]) -> list[Row]:
        """The rows in the order asked for, those left out that are not there: one Redis trip, at most one SELECT."""
        if not ids:
            return []
        if self._fresh:
            fresh = await self._select(tuple(dict.fromkeys(ids)))
            return [fresh[id] for id in ids if id in fresh]
        named, key = self.key.named, self.key
        names = [named(id) for id in ids]

        async def load(wanted: list[str]) -> dict[str, Row]:
            by_name = dict(zip(names, ids, strict=True))
            rows = await self._select(tuple(by_name[name] for name in wanted))
            return {named(id): row for id, row in rows.items()}

        found = await self._cache.named(key.row, names, key.ttl, load)
        return [row for name in names if (row := found[name]) is not None]

    async def by_index(self, slot: Slot, holds: Callable[[Row], bool], sql: str, *args: Any) -> Row | None:
        """The row that a unique value leads to. `sql` selects its primary key; `holds` says whether a row still has the value."""

        async def load(_: list[str]) -> dict[str, Pointer]:
            rows = await self.db.fetch(sql, *args)
            return {slot.name: Pointer(rows[0][0])} if rows else {}

        if WANTED.get() == slot.name:
            raise Answered((await load([])).get(slot.name))
        if not self._fresh:
            pointer = (await self._cache.named(Pointer, [slot.name], slot.ttl, load))[slot.name]
            row = await self.find(pointer.id) if pointer else None
            if pointer is None or (row is not None and holds(row)):
                return row
            # One of the two is older than the other (races R12, R13): both go, and MySQL decides.
            await self._cache.drop((slot, self.key(pointer.id)))
        # Number and row in one statement: between two of them the value could move to another row.
        rows = await self.db.fetch(self.rows_sql.replace("IN %s", f"IN ({sql})"), *args)
        return self.make(*rows[0]) if rows else None

    async def all(self, slot: Slot, sql: str, *args: Any) -> list[Row]:
        """The rows of a list, in its order; `sql` selects their primary keys."""
        return await self.many(await self.ids(slot, sql, *args))

    async def ids(self, slot: Slot, sql: str, *args: Any) -> tuple[int, ...]:
        """The first column of `sql`, remembered under `slot`."""

        async def load() -> tuple[int, ...]:
            return tuple(row[0] for row in await self.db.fetch(sql, *args))

        return await self.items(slot, load)

    async def items(self, slot: Slot, load: Callable[[], Awaitable[tuple[Any, ...]]]) -> tuple[Any, ...]:
        """An answer of ids and small numbers, remembered under `slot` until one of its scopes is touched."""
        if wanted := WANTED.get():
            answer = await load()
            if wanted == slot.name:
                raise Answered(answer)
            return answer
        return await (load() if self._fresh else self._cache.items(slot, load))

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Write]:
        """The only way to change a row: a transaction, committed at the end; what it touched is forgotten when it returns.

        Any error during COMMIT is ambiguous, so the slots are forgotten as if it had been committed: not before MySQL is through
        with that connection, for a COMMIT that is carried out late would leave behind what was filled before it. Raises Busy;
        Deadlock, for `retried`.
        """
        write: Write | None = None
        committing, began = False, time.clock_gettime(time.CLOCK_BOOTTIME)
        try:
            async with asyncio.timeout(TRANSACTION_SECONDS), self.db.transaction() as connection:
                write = Write(connection, self._cache.writer())
                yield write
                slots = tuple(write.touched.values())
                committing = bool(slots)
                if slots and (not await self._cache.begin(slots, write.writer, HOLD) or self.critical):
                    await outbox.keep(connection, write.writer, slots)
                    write.kept = True
                # What all writers share is held for no trip to Redis.
                for step in write.last:
                    await step(connection, write.counts)
                if slots and comparisons.chosen(self.db.compare_every):
                    # When nothing is waited for any more: the looks count from this moment.
                    await comparisons.keep(connection, write.writer, slots)
                if time.clock_gettime(time.CLOCK_BOOTTIME) - began > TRANSACTION_SECONDS:
                    raise Busy("the process stood still")  # longer than the tombstones were meant to stand (race R10)
                write.doubtful = connection.thread
                await connection.commit()
                write.doubtful = None
        except TimeoutError as error:
            raise Busy("the transaction took too long") from error
        finally:
            if write and committing:
                if not write.broken:
                    write.doubtful = None  # MySQL has answered, whatever it said
                forgotten = self._cache.own(self._forget(write))
                if write.doubtful is None:
                    await asyncio.shield(forgotten)
                else:  # of such a COMMIT nothing is promised: the tombstones stand until MySQL is through with it
                    await asyncio.wait((forgotten,), timeout=PATIENCE)

    def own(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do it in a task that nobody's going away stops, and that is waited for at the end of the process."""
        self._cache.own(work)

    async def _forget(self, write: Write) -> None:
        slots, began = tuple(write.touched.values()), time.monotonic()
        while write.doubtful is not None and time.monotonic() - began < DOUBT:
            try:
                await self.db.see_off(write.doubtful)
                break
            except Busy:
                await asyncio.sleep(0.25)
        if await self._cache.end(slots, write.writer) or write.kept:
            return
        try:
            await outbox.keep_after(self.db, write.writer, slots)
        except Busy as error:  # the tombstones of `begin` stand for HOLD, and this process remembers
            self._cache.owe(slots, write.writer)
            log.warning("a write could not be ended, nor kept in the outbox: %s", error)

    async def _select(self, ids: tuple[Value, ...]) -> dict[Value, Row]:
        return {columns[0]: self.make(*columns) for columns in await self.db.fetch(self.rows_sql, ids)}


@dataclass(frozen=True, slots=True)
class Pointer:
    """What an index entry holds: the primary key that a unique value leads to."""

    id: int
