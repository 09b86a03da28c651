"""What writes must still make forgotten: a row in the transaction of each write that Redis did not hear of, or that is critical.

The worker takes them off one by one (`sweep`). A process that could not reach Redis goes through all of them (`replay`)
before it believes what Redis holds. Doing a row twice does no harm: what it names is read again.
"""

from collections.abc import Iterable
from typing import Any

from cache import Cache, Slot
from models.database import Database
from models.errors import Busy
from models.retrying import retried

OLD = 2.0  # s; a writer that lives has ended its own write by then
AT_ONCE = 500  # rows in one transaction, or in one SELECT
NAMES_AT_ONCE = 2000  # in one question to Redis, which serves nobody else meanwhile: 20 to 40 ms
MOST_TOLD = 10_000  # rows; there are so many or more
SETTLED = 60.0  # s after which no mark of a writer stands any more: such rows need no writer's name


async def keep(connection: Any, writer: bytes, slots: Iterable[Slot]) -> None:
    """Leave a row for these slots; `connection` is a `Write`, or a `Connection` after the transaction."""
    names = "\n".join(slot.name for slot in slots).encode()
    await connection.execute("INSERT INTO outbox (writer, names, at) VALUES (%s, %s, NOW(6))", writer, names)


class Outbox:
    """The table `outbox`. Nothing of it is cached."""

    def __init__(self, db: Database, cache: Cache) -> None:
        self.db, self._cache = db, cache

    @retried
    async def sweep(self, older_than: float = OLD) -> int:
        """Make forgotten what rows older than that many seconds name, and delete them; how many. Rows that another worker has are
        left to it. Raises Busy when Redis cannot be told: they stay."""
        rows = await self.db.fetch(
            "SELECT id FROM outbox WHERE at < NOW(6) - INTERVAL %s SECOND ORDER BY at LIMIT 1", older_than
        )
        if not rows:
            return 0  # as nearly always: without a transaction
        async with self.db.transaction() as connection:
            rows = await connection.fetch(
                "SELECT id, writer, names, at < NOW(6) - INTERVAL %s SECOND FROM outbox "
                "WHERE at < NOW(6) - INTERVAL %s SECOND ORDER BY at LIMIT %s FOR UPDATE SKIP LOCKED",
                SETTLED, older_than, AT_ONCE,
            )  # fmt: skip
            if rows:
                await self._end(rows)
                await connection.execute("DELETE FROM outbox WHERE id IN %s", tuple(row[0] for row in rows))
            await connection.commit()
        return len(rows)

    async def waiting(self) -> tuple[int, float]:
        """(how many rows wait, at most MOST_TOLD; the age of the oldest in seconds). Raises Busy."""
        rows = await self.db.fetch(
            "SELECT COUNT(*), COALESCE(TIMESTAMPDIFF(MICROSECOND, MIN(at), NOW(6)), 0) / 1000000 "
            "FROM (SELECT at FROM outbox ORDER BY at LIMIT %s) AS oldest", MOST_TOLD,
        )  # fmt: skip
        return int(rows[0][0]), float(rows[0][1])

    async def replay(self) -> None:
        """Make forgotten what all rows name, and what this process owes; the rows stay for the worker.

        Raises Busy when MySQL or Redis do not answer.
        """
        before = -1
        # Again, if a write of ours has returned meanwhile that Redis did not hear of.
        while self._cache.unconfirmed != before:
            before, last = self._cache.unconfirmed, 0
            if not await self._cache.settle():
                raise Busy("Redis could not be told what to forget")
            while rows := await self.db.fetch(
                "SELECT id, writer, names, at < NOW(6) - INTERVAL %s SECOND FROM outbox WHERE id > %s ORDER BY id LIMIT %s",
                SETTLED, last, AT_ONCE,
            ):  # fmt: skip
                await self._end(rows)
                last = rows[-1][0]

    async def _end(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """The old ones together, which after a long outage are many; the others each under its own writer."""
        old: dict[str, None] = {}
        ends: list[tuple[list[str], bytes]] = []
        for _, writer, data, settled in rows:
            names = data.decode().split("\n")
            if settled:
                old.update(dict.fromkeys(names))
            else:
                ends.append((names, writer))
        together = list(old)
        for at in range(0, len(together), NAMES_AT_ONCE):
            ends.append((together[at : at + NAMES_AT_ONCE], self._cache.writer()))
        for names, writer in ends:
            if not await self._cache.end_named(names, writer, force=True):
                raise Busy("Redis could not be told what to forget")


async def keep_after(db: Database, writer: bytes, slots: Iterable[Slot]) -> None:
    """Leave a row for a write that is committed already. Raises Busy."""
    async with db.connection() as connection:
        await keep(connection, writer, slots)
