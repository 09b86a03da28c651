"""Long lists in sheets, each found by where it begins (keyset): the thousandth costs what the first one costs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from models.database import Database
from models.errors import NotFound

Item = TypeVar("Item")
Other = TypeVar("Other")
PER_SHEET = 50
MANY = 10_000  # beyond this a list says "10,000+"
WINDOWS = (300, 700)  # rows looked through when a filter has no index of its own; then the reader is asked
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Keep = Callable[[Sequence[int]], Awaitable[set[int]]]


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted: by `column` and, where that is equal, by `id`; by `id` alone without a column.

    `descending`: the newest first. The names are literals of the models, never a visitor's words.
    """

    table: str
    column: str = ""
    descending: bool = True
    id: str = "id"

    @property
    def columns(self) -> str:
        return f"{self.id}, {self.column or self.id}"


class Walk(NamedTuple):
    """One walk along one index: `where` fixes the columns before the sorted one. A list may be several walks, merged."""

    where: str = "1 = 1"
    args: tuple[Any, ...] = ()
    force: str = ""  # the index to use, where the optimizer would choose another


class Place(NamedTuple):
    """Where a sheet begins: just after a row in the list's order, or just `before` it. `text` is Sheet.next or .previous."""

    text: str
    before: bool = False


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Item]):
    """Some rows of a list. `next` and `previous` lead to the sheets beside it; "" where there is none.

    `count`: all rows of the list, MANY + 1 for more than MANY, None when nobody counted.
    `looked_at`: how many rows were looked through, when the search was given up before the sheet was full; else 0.
    """

    items: tuple[Item, ...]
    next: str = ""
    previous: str = ""
    count: int | None = None
    looked_at: int = 0

    def of(self, items: Sequence[Other], *, count: int | None = None) -> "Sheet[Other]":
        """The same sheet with the rows themselves in place of their ids."""
        return Sheet(tuple(items), self.next, self.previous, count, self.looked_at)


async def sheet(
    db: Database,
    order: Order,
    walks: Sequence[Walk],
    *,
    place: Place | None = None,
    most: int = PER_SHEET,
    keep: Keep | None = None,
) -> Sheet[int]:
    """The ids of a sheet. `keep` says which of some ids are in the list, where no index can. Raises NotFound for a bad place."""
    back = bool(place and place.before)
    spot = _read(order, place.text) if place else None
    found, end, looked = await _looked_through(db, order, walks, spot, back, most + 1, keep)
    if back and len(found) <= most and end is None:
        return await sheet(db, order, walks, most=most, keep=keep)  # at the beginning: a full first sheet
    rows, more = found[:most], len(found) > most
    last = rows[-1] if more else end  # where the next one begins
    onward = _written(last) if last else ""
    given_up = looked if end and not more else 0
    ids = tuple(id for id, _ in rows)
    if back:
        # It came from the sheet that `spot` begins; the rows are turned into the list's order.
        first_of_next = _written(rows[0]) if rows else (place.text if place else "")
        return Sheet(ids[::-1], first_of_next, onward, None, given_up)
    return Sheet(ids, onward, _written(rows[0]) if spot and rows else (place.text if place else ""), None, given_up)


async def count(db: Database, order: Order, walks: Sequence[Walk], *, most: int | None = None) -> int:
    """How many rows there are, `most` + 1 (MANY + 1) for more: no more than that many index entries are read for each walk."""
    limit = 1 + (MANY if most is None else most)
    parts = [f"(SELECT 1 FROM {order.table} WHERE {walk.where} LIMIT {limit})" for walk in walks]  # noqa: S608
    if not parts:
        return 0
    args = [arg for walk in walks for arg in walk.args]
    rows = await db.fetch(f"SELECT COUNT(*) FROM ({' UNION ALL '.join(parts)}) some", *args)  # noqa: S608 - literals
    return min(int(rows[0][0]), limit)


_Spot = tuple[int, Any]  # a row's id and its sort value


async def _looked_through(
    db: Database, order: Order, walks: Sequence[Walk], spot: _Spot | None, back: bool, wanted: int, keep: Keep | None
) -> tuple[list[_Spot], _Spot | None, int]:
    """(the rows, where the search was given up or None at the list's end, how many rows were looked through)."""
    if keep is None:
        return await _walked(db, order, walks, spot, back, wanted), None, wanted
    kept: list[_Spot] = []
    looked = 0
    for window in WINDOWS:
        rows = await _walked(db, order, walks, spot, back, window)
        wanted_ids = await keep([id for id, _ in rows]) if rows else set()
        kept += [row for row in rows if row[0] in wanted_ids]
        looked += len(rows)
        if len(kept) >= wanted:
            return kept[:wanted], rows[-1], looked
        if len(rows) < window:
            return kept, None, looked
        spot = rows[-1]
    return kept, spot, looked


async def _walked(
    db: Database, order: Order, walks: Sequence[Walk], spot: _Spot | None, back: bool, most: int
) -> list[_Spot]:
    """The next rows of all walks together, in one trip."""
    down = order.descending != back
    bounds, bound_args = _bounds(order, spot, down)
    way = "DESC" if down else "ASC"
    by = f"{order.column} {way}, {order.id} {way}" if order.column else f"{order.id} {way}"
    parts, args = [], list[Any]()
    for walk in walks:
        table = f"{order.table} FORCE INDEX ({walk.force})" if walk.force else order.table
        parts.append(f"(SELECT {order.columns} FROM {table} WHERE {walk.where}{bounds} ORDER BY {by} LIMIT %s)")  # noqa: S608
        args += [*walk.args, *bound_args, most]
    if not parts:
        return []
    rows: list[Any] = list(await db.fetch(" UNION ALL ".join(parts), *args))
    if len(parts) > 1:
        # Only times and ids may be merged here: MySQL sorts texts by a collation that Python does not have.
        rows.sort(key=lambda row: (row[1], row[0]), reverse=down)
    return rows[:most]


def _bounds(order: Order, spot: _Spot | None, down: bool) -> tuple[str, tuple[Any, ...]]:
    if spot is None:
        return "", ()
    sign, (id, value) = "<" if down else ">", spot
    if not order.column:
        return f" AND {order.id} {sign} %s", (id,)
    column = order.column  # the first comparison is what the index can use
    return f" AND {column} {sign}= %s AND ({column} {sign} %s OR {order.id} {sign} %s)", (value, value, id)


def _written(row: _Spot) -> str:
    id, value = row
    if isinstance(value, datetime):
        value = (value - _EPOCH) // timedelta(microseconds=1)
        return f"{value}.{id}"
    return f"{id}" if value == id else f"{value}.{id}"


def _read(order: Order, text: str) -> _Spot:
    value, _, id = text.rpartition(".")
    if not (id.isascii() and id.isdecimal() and len(id) <= 18) or bool(order.column) != bool(value):
        raise NotFound(f"place {text[:100]!r}")
    if not order.column:
        return int(id), int(id)
    if not order.column.endswith("_at") and order.column != "at":
        return int(id), value
    if not (value.isascii() and value.isdecimal() and len(value) <= 17):
        raise NotFound(f"place {text[:100]!r}")
    return int(id), _EPOCH + timedelta(microseconds=int(value))
