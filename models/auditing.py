"""The audit log as operators look through it: by who, what, which row and when."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models import sheets
from models.audit import Entry, decoded
from models.database import Database
from models.sheets import Order, Place, Sheet, Walk

NEWEST = Order("audit_log")
AT_ONCE = 500  # lines in one statement of an export


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines; "" and None do not matter. `since` is the first moment, `until` the first that is too late."""

    target: str = ""
    actor_id: int | None = None
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None


class Auditing:
    """Reads the table `audit_log`, which `models.audit` writes."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def sheet(self, wanted: Filter, place: Place | None = None, *, most: int = sheets.PER_SHEET) -> Sheet[Entry]:
        """Some lines, newest first; the count is None where only reading all of them would give it."""
        between = await self._between(wanted)
        if between is None:
            return Sheet((), count=0)
        # The narrowest first: its index is walked, and the others look at what it brings.
        chosen = [(name, getattr(wanted, name)) for name in ("target", "actor_id", "action") if getattr(wanted, name)]
        span, args = between
        walk = Walk(f"{chosen[0][0]} = %s{span}", (chosen[0][1], *args)) if chosen else Walk(f"1 = 1{span}", args)
        rest = chosen[1:]

        async def keep(ids: Sequence[int]) -> set[int]:
            where = " AND ".join(f"{column} = %s" for column, _ in rest)
            sql = f"SELECT id FROM audit_log WHERE id IN %s AND {where}"  # noqa: S608 - literals from above
            return {row[0] for row in await self.db.fetch(sql, tuple(ids), *(value for _, value in rest))}

        found = await sheets.sheet(self.db, NEWEST, (walk,), place=place, most=most, keep=keep if rest else None)
        total = None if rest else await sheets.count(self.db, NEWEST, (walk,))
        return found.of(await self._many(found.items), count=total)

    async def export(self, wanted: Filter) -> AsyncIterator[Entry]:
        """All of the lines, newest first, some at a time: a log of any length takes no memory to speak of."""
        place: Place | None = None
        while True:
            sheet = await self.sheet(wanted, place, most=AT_ONCE)
            for entry in sheet.items:
                yield entry
            if not sheet.next:
                return
            place = Place(sheet.next)

    async def actions(self) -> list[str]:
        """Every action that the log knows; the index is skipped through, not read."""
        return [row[0] for row in await self.db.fetch("SELECT DISTINCT action FROM audit_log ORDER BY action")]

    async def _between(self, wanted: Filter) -> tuple[str, tuple[int, ...]] | None:
        """The ids of the span of time; None when nothing happened in it.

        Ids follow the time of writing, but for transactions that ran side by side: exact enough for the bounds of a day.
        """
        sql, args = "", list[int]()
        for moment, sign, found_by in (
            (wanted.since, ">=", "SELECT id FROM audit_log WHERE at >= %s ORDER BY at, id LIMIT 1"),
            (wanted.until, "<=", "SELECT id FROM audit_log WHERE at < %s ORDER BY at DESC, id DESC LIMIT 1"),
        ):
            if moment:
                rows = await self.db.fetch(found_by, moment)
                if not rows:
                    return None
                sql += f" AND id {sign} %s"
                args.append(rows[0][0])
        return sql, tuple(args)

    async def _many(self, ids: Sequence[int]) -> list[Entry]:
        if not ids:
            return []
        rows: Sequence[Any] = await self.db.fetch(
            "SELECT id, at, actor_id, ip, action, target, was, became FROM audit_log WHERE id IN %s ORDER BY id DESC",
            tuple(ids),
        )
        return [decoded(*row) for row in rows]
