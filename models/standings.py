"""Who stands where on a board: from the ranking in Redis, or from MySQL while that is not there.

The table `best_scores` has a row for each subject and period; the rankings follow it (`cache/boards.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from cache.boards import NO_POINTS, Entry, Placed, Ranking, Rankings, View, ranks
from models.base import Write
from models.boards import Board
from models.database import Database
from models.periods import Period, Window, period, periods

MOST_COUNTED = (
    1_000  # rows that are counted in MySQL for a rank; further down it is not known while the ranking is not there
)
MOST_SHOWN = 100  # of the first
MOST_NEIGHBOURS = 10  # on each side

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', achieved_at)"
# As cache.boards.ENTRY: HEX spells a negative number as two's complement.
_PACKED = "UNHEX(CONCAT(" + ", ".join(
    f"LPAD(HEX({column}), 16, '0')" for column in ("subject_id", "version", _MOMENT, f"COALESCE(points, {NO_POINTS})")
) + "))"  # fmt: skip
_ROWS = "SELECT subject_id, points, achieved_at FROM best_scores WHERE board_id = %s AND period = %s AND points IS NOT NULL "
_BESIDE = (
    "AND (points {0} %s OR points = %s AND achieved_at {0} %s OR points = %s AND achieved_at = %s AND subject_id {0} %s) "
    "ORDER BY points {1}, achieved_at {1}, subject_id {1} LIMIT %s"
)
_ABOVE, _BELOW = _BESIDE.format("<", "DESC"), _BESIDE.format(">", "ASC")


class Place(NamedTuple):
    """`subject_id`: a user's or a post's, as the board says. `rank` from 1, equal scores equal ranks (1, 2, 2, 4); None: it
    is being counted. `score` in thousandths."""

    rank: int | None
    subject_id: int
    score: int
    achieved_at: datetime


@dataclass(frozen=True, slots=True)
class Top:
    """The first of a board; `players` in all, None while they are being counted."""

    places: tuple[Place, ...]
    players: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one subject stands. `beats`: the share of all others whose score is worse, in percent; None for whoever is
    alone, and while it is being counted. `around`: its neighbours, itself among them."""

    rank: int | None
    score: int
    achieved_at: datetime
    beats: float | None
    players: int | None
    around: tuple[Place, ...]


class Standings:
    """Reads the table `best_scores`, and the rankings made of it. `zone`: where days begin at midnight."""

    def __init__(self, db: Database, rankings: Rankings, zone: ZoneInfo) -> None:
        self.db, self.rankings, self.zone = db, rankings, zone

    def current(self, window: Window) -> Period:
        return period(window, datetime.now(UTC), self.zone)

    async def top(self, board: Board, window: Window, n: int = 10) -> Top:
        """The first `n` (at most 100). Raises Busy."""
        now, n = self.current(window), min(max(n, 1), MOST_SHOWN)
        view = await self.rankings.look(ranking(board.id, now), first=n)
        if isinstance(view, View):
            return Top(_places(view.first, board), view.members)
        rows = await self.db.fetch(_ROWS + "ORDER BY points, achieved_at, subject_id LIMIT %s", board.id, now.name, n)
        known = ranks([points for _, points, _ in rows])
        return Top(tuple(_place(rank, board, *row) for rank, row in zip(known, rows, strict=True)), None)

    async def place(self, board: Board, window: Window, subject_id: int, *, neighbours: int = 0) -> Standing | None:
        """Where a subject stands, with as many `neighbours` on each side (at most 10); None: it has no score there. Raises
        Busy."""
        now, k = self.current(window), min(max(neighbours, 0), MOST_NEIGHBOURS)
        view = await self.rankings.look(ranking(board.id, now), first=0, subject=subject_id, neighbours=k)
        if not isinstance(view, View):
            return await self._place(board, now, subject_id, k)
        mine = view.mine
        if mine is None:
            return None
        beats = 100 * mine.worse / (view.members - 1) if view.members > 1 else None
        own = next(one for one in mine.around if one.subject == subject_id)
        return Standing(
            mine.better + 1, mine.points * board.sign, _at(own.moment), beats, view.members, _places(mine.around, board)
        )

    async def _place(self, board: Board, now: Period, subject_id: int, k: int) -> Standing | None:
        """From MySQL: whoever is far down has no rank for the moment, for counting to there takes long."""
        async with self.db.connection() as connection:
            rows = await connection.fetch(_ROWS + "AND subject_id = %s", board.id, now.name, subject_id)
            if not rows:
                return None

            async def beside(sql: str, one: tuple[Any, ...], most: int) -> Sequence[tuple[Any, ...]]:
                subject, points, at = one
                args = (board.id, now.name, points, points, at, points, at, subject, most)
                return await connection.fetch(_ROWS + sql, *args)

            above = [*reversed(await beside(_ABOVE, rows[0], k))]
            around = (*above, *rows, *await beside(_BELOW, rows[0], k))
            before = await beside(_ABOVE, around[0], MOST_COUNTED + 1)
        known: Sequence[int | None] = [None] * len(around)
        if len(before) <= MOST_COUNTED:
            better = sum(points < around[0][1] for _, points, _ in before)
            known = ranks([points for _, points, _ in around], place=len(before), better=better)
        places = tuple(_place(rank, board, *row) for rank, row in zip(known, around, strict=True))
        mine = places[len(above)]
        return Standing(mine.rank, mine.score, mine.achieved_at, None, None, places)

    async def rows(
        self, read: Write | Database, board_id: int, subjects: Sequence[int], which: Sequence[Period]
    ) -> list[tuple[Ranking, list[Entry]]]:
        """What MySQL holds of some subjects of a board, as news for the rankings of some periods."""
        found: dict[str, list[Entry]] = {one.name: [] for one in which}
        for name, *columns in await read.fetch(
            f"SELECT period, subject_id, version, {_MOMENT}, points FROM best_scores "  # noqa: S608 - a literal from above
            "WHERE board_id = %s AND period IN %s AND subject_id IN %s",
            board_id, tuple(found), tuple(subjects),
        ):  # fmt: skip
            found[name].append(Entry(*columns))
        return [(ranking(board_id, one), found[one.name]) for one in which if found[one.name]]

    async def after(self, board_id: int, name: str, subject_id: int, most: int) -> bytes:
        """The rows of one period by subject, at most so many, after `subject_id`, packed as rankings take them."""
        # MySQL packs them itself: of a million rows, reading their columns took longer than all the rest.
        rows = await self.db.fetch(
            f"SELECT GROUP_CONCAT({_PACKED} ORDER BY subject_id SEPARATOR '') FROM ("  # noqa: S608 - a literal from above
            "SELECT subject_id, version, achieved_at, points FROM best_scores "
            "WHERE board_id = %s AND period = %s AND subject_id > %s ORDER BY subject_id LIMIT %s) some",
            board_id, name, subject_id, most,
        )  # fmt: skip
        return rows[0][0] or b""

    def living(self, at: datetime | None = None) -> tuple[Period, ...]:
        """The periods that have a ranking at a moment (now), and those that were over a little before it."""
        at = at or datetime.now(UTC)
        both = (*periods(at, self.zone), *periods(at - timedelta(minutes=2), self.zone))
        return tuple({one.name: one for one in both}.values())


def ranking(board_id: int, one: Period) -> Ranking:
    return Ranking(f"{board_id}:{one.name}", one.ends)


def _place(rank: int | None, board: Board, subject_id: int, points: int, at: datetime) -> Place:
    return Place(rank, subject_id, points * board.sign, at)


def _places(placed: Iterable[Placed], board: Board) -> tuple[Place, ...]:
    return tuple(_place(one.rank, board, one.subject, one.points, _at(one.moment)) for one in placed)


def _at(moment: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment)
