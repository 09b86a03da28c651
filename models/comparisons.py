"""Writes that are to be compared on every level: one of many leaves a row, in its own transaction, for the worker's auditor.

So none is lost when a process or Redis is, and none is compared that was rolled back. What has no room is counted, not kept.
"""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cache import Slot
from models.counts import COUNTS
from models.database import Connection, Database
from models.retrying import retried

AFTER = (1.0, 10.0, 60.0)  # s after its write, each of the looks
MOST_WAITING = 10_000  # rows; with more of them the auditor could not keep up anyway
MOST_NAMES = 200  # of one write
AT_ONCE = 100  # rows of one look
MOST_KEPT = 1_000  # violations

COUNTS["auditor.dropped"] = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """A write, and how often it has been looked at. `late`: seconds since it was to be. `trace`: what was seen before."""

    id: int
    writer: bytes
    names: tuple[str, ...]
    at: datetime
    looks: int
    late: float
    trace: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """A level gave something else than MySQL held. `trace`: the write, its slots, what was seen when, both values."""

    id: int
    at: datetime
    level: str
    name: str
    trace: dict[str, Any]


def chosen(one_in: int) -> bool:
    """Whether this write is one of those that are compared; 0: none is."""
    return one_in > 0 and random.randrange(one_in) == 0  # noqa: S311 - a sample


async def keep(connection: Connection, writer: bytes, slots: Iterable[Slot]) -> None:
    """Leave a row for a write that is about to be committed."""
    if await connection.fetch("SELECT id FROM comparisons ORDER BY id LIMIT 1 OFFSET %s", MOST_WAITING - 1):
        COUNTS["auditor.dropped"] += 1
        return
    names = "\n".join([slot.name for slot in slots][:MOST_NAMES]).encode()
    await connection.execute(
        "INSERT INTO comparisons (writer, names, at, due, trace) "
        "VALUES (%s, %s, NOW(6), NOW(6) + INTERVAL %s MICROSECOND, '[]')",
        writer, names, int(AFTER[0] * 1_000_000),
    )  # fmt: skip


class Comparisons:
    """The tables `comparisons` and `violations`. Nothing of them is cached."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def due(self) -> list[Comparison]:
        """Those that are to be looked at now, the latest one first to be late. Raises Busy."""
        rows = await self.db.fetch(
            "SELECT id, writer, names, at, looks, TIMESTAMPDIFF(MICROSECOND, due, NOW(6)) / 1000000, trace FROM comparisons "
            "WHERE due <= NOW(6) ORDER BY due LIMIT %s",
            AT_ONCE,
        )
        return [
            Comparison(id, writer, tuple(names.decode().split("\n")), at, looks, float(late), tuple(json.loads(trace)))
            for id, writer, names, at, looks, late, trace in rows
        ]

    @retried
    async def looked(self, done: Sequence[Comparison]) -> None:
        """These have been looked at once more, as their `looks` and `trace` say: they come again, or are through. Raises Busy."""
        async with self.db.transaction() as connection:
            for one in done:
                if one.looks >= len(AFTER):
                    await connection.execute("DELETE FROM comparisons WHERE id = %s", one.id)
                    continue
                await connection.execute(
                    "UPDATE comparisons SET looks = %s, trace = %s, due = at + INTERVAL %s MICROSECOND WHERE id = %s",
                    one.looks, json.dumps(one.trace), int(AFTER[one.looks] * 1_000_000), one.id,
                )  # fmt: skip
            await connection.commit()

    @retried
    async def found(self, level: str, name: str, trace: dict[str, Any]) -> None:
        """Keep a violation; of the oldest only so many stay. Raises Busy."""
        async with self.db.connection() as connection:
            id = await connection.insert(
                "INSERT INTO violations (at, level, name, trace) VALUES (NOW(6), %s, %s, %s)",
                level, name[:500], json.dumps(trace, ensure_ascii=False),
            )  # fmt: skip
            await connection.execute("DELETE FROM violations WHERE id <= %s", id - MOST_KEPT)

    async def violations(self, most: int = 20) -> list[Violation]:
        """The latest, the newest first. Raises Busy."""
        rows = await self.db.fetch("SELECT id, at, level, name, trace FROM violations ORDER BY id DESC LIMIT %s", most)
        return [Violation(id, at, level, name, json.loads(trace)) for id, at, level, name, trace in rows]
