"""How many rows each list has, by day: exact counts and page numbers without COUNT(*) or deep OFFSET.

A row's own transaction changes its lists' numbers. Page n is found by walking the days, newest first, then inside one day.
"""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from models.base import Counts, Write
from models.database import Connection, Database

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)


class Spot(NamedTuple):
    """Where the item at an offset is found: among those before `before`, newest first, after skipping `skip`."""

    total: int
    before: datetime
    skip: int


async def change(w: Write, old: Counts, new: Counts) -> None:
    """Make the numbers follow a row that was in `old` lists and is in `new` ones.

    They are written at the end of the transaction, once for all its rows: every writer of a day shares them, so nobody holds
    them during other work, and one order for all writers means that they cannot deadlock here.
    """
    if _write not in w.last:
        w.last.append(_write)
    w.counts.update(new)
    w.counts.subtract(old)


async def _write(connection: Connection, counts: Counts) -> None:
    rows = [(*counted, by) for counted, by in sorted(counts.items()) if by]  # in this order MySQL locks them
    if rows:
        marks = ", ".join(["%s"] * len(rows))
        await connection.execute(
            f"INSERT INTO tallies (list, day, n) VALUES {marks} ON DUPLICATE KEY UPDATE n = n + VALUES(n)",  # noqa: S608 - marks
            *rows,
        )


async def days(db: Database, name: str) -> list[tuple[date, int]]:
    """(day, number of rows), newest first, days without rows left out."""
    rows = await db.fetch("SELECT day, n FROM tallies WHERE list = %s AND n > 0 ORDER BY day DESC", name)
    return [(day, n) for day, n in rows]


async def total(db: Database, name: str) -> int:
    return sum(n for _, n in await days(db, name))


async def spot(db: Database, name: str, offset: int) -> Spot:
    """Where the row at `offset` (from 0, newest first) of a list is; beyond the end: before LONG_AGO, where nothing is."""
    rows = await days(db, name)
    count = sum(n for _, n in rows)
    passed = 0
    for day, n in rows:
        if passed + n > offset:
            after = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
            return Spot(count, after, offset - passed)
        passed += n
    return Spot(count, LONG_AGO, 0)
