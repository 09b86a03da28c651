"""How the table `best_scores` follows the scores: row by row as they come, or counted again from all of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from models.base import Write
from models.boards import Board, Keep
from models.periods import Period

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)

# What a score does to the row that stands. Assignments are carried out from left to right, so points come last.
_BETTER = "points IS NULL OR VALUES(points) < points"
_LATER = "VALUES(score_id) > score_id"


def _if(condition: str) -> str:
    columns = {"version": "version + 1", "achieved_at": "VALUES(achieved_at)", "points": "VALUES(points)"}
    set_id = f"score_id = IF({condition}, VALUES(score_id), score_id)"
    changes = [f"{name} = IF({condition}, {value}, {name})" for name, value in columns.items()]
    # The condition reads one of these two columns: that one changes last.
    return ", ".join([set_id, *changes] if "points" in condition else [*changes, set_id])


_MERGE: dict[Keep, str] = {
    "best": _if(_BETTER),
    "last": _if(_LATER),
    "sum": "version = version + 1, achieved_at = GREATEST(achieved_at, VALUES(achieved_at)), "
    "score_id = GREATEST(score_id, VALUES(score_id)), "
    "points = COALESCE(points, 0) + VALUES(points)",
}
_INSERT = "INSERT INTO best_scores (board_id, period, subject_id, points, achieved_at, score_id) VALUES "


class News(NamedTuple):
    """A new score, as a row of one period; `points`: the smaller the better."""

    board_id: int
    period: str
    subject_id: int
    points: int
    at: datetime
    score_id: int


async def merge(w: Write, keep: Keep, rows: Sequence[News]) -> None:
    """New scores of boards that keep the same, in their order. Raises Busy."""
    values = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(rows))
    await w.execute(
        f"{_INSERT}{values} ON DUPLICATE KEY UPDATE {_MERGE[keep]}", *(value for row in rows for value in row)
    )


async def recount(w: Write, board: Board, subjects: Sequence[int], which: Sequence[Period]) -> None:
    """The rows of some subjects and periods as all scores that count make them. Reads all scores of each subject there."""
    for subject_id in sorted(subjects):
        for one in which:
            # First the lock: a score that is being taken is counted here, or finds what was counted.
            await w.execute(
                f"{_INSERT}(%s, %s, %s, NULL, %s, 0) ON DUPLICATE KEY UPDATE version = version + 1",
                board.id, one.name, subject_id, datetime.now(UTC),
            )  # fmt: skip
            starts, ends = one.starts or ALWAYS[0], one.ends or ALWAYS[1]
            found = await w.fetch(_count(board), board.id, subject_id, starts, ends)
            points, at, score_id = _best(found)
            await w.execute(
                "UPDATE best_scores SET points = %s, achieved_at = COALESCE(%s, achieved_at), score_id = GREATEST(score_id, %s) "
                "WHERE board_id = %s AND period = %s AND subject_id = %s",
                points, at, score_id, board.id, one.name, subject_id,
            )  # fmt: skip


def _count(board: Board) -> str:
    """What all scores of one subject and period make: points, when, by which score. No row, or points NULL: no scores."""
    points, order = f"score * {board.sign}", "id DESC LIMIT 1"
    if board.keep == "best":
        order = f"{points}, created_at, id LIMIT 1"
    columns, order = f"{points}, created_at, id", f"ORDER BY {order}"
    if board.keep == "sum":
        columns, order = f"SUM({points}), MAX(created_at), MAX(id)", ""
    return (
        f"SELECT {columns} FROM scores WHERE board_id = %s AND subject_id = %s AND about IS NULL AND removed = 0 "  # noqa: S608
        f"AND created_at >= %s AND created_at < %s {order}"
    )


def counted_sql(board: Board) -> str:
    """(subject, points) as all scores of a period make them: board, its beginning and its end are asked for. Reads them all."""
    of = "FROM scores WHERE board_id = %s AND about IS NULL AND removed = 0 AND created_at >= %s AND created_at < %s"
    points = f"score * {board.sign}"
    if board.keep == "last":
        newest = f"SELECT MAX(id) {of} GROUP BY subject_id"
        return f"SELECT subject_id, {points} FROM scores WHERE id IN ({newest})"  # noqa: S608 - literals from above
    points = f"CAST(SUM({points}) AS SIGNED)" if board.keep == "sum" else f"MIN({points})"
    return f"SELECT subject_id, {points} {of} GROUP BY subject_id"


def _best(rows: Sequence[tuple[Any, ...]]) -> tuple[int | None, datetime | None, int]:
    if not rows or rows[0][0] is None:
        return None, None, 0
    points, at, score_id = rows[0]
    return int(points), at, score_id
