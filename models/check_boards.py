"""`plaza check` of the boards: best scores against scores, scores against what members wrote, rankings against both."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cache.boards import unpack
from models.best_scores import ALWAYS, counted_sql
from models.boards import Board, Boards
from models.check import snapshot
from models.contributions import ANSWER, COMMENT, DISCUSSED, MEMBERS, POST, VOTE
from models.database import Connection
from models.periods import Period, periods
from models.standings import Standings, ranking

AGAIN = (1.0, 3.0)  # s after which a ranking is looked at again that differs
AT_ONCE = 5_000  # rows

# What the built-in boards must sum up to: and what was noted of that, counted already or not.
_MEMBERS = """
    SELECT author_id, SUM(n) FROM (SELECT author_id, %s n FROM posts WHERE status = 'published'
    UNION ALL SELECT author_id, %s n FROM comments WHERE status = 'shown'
    UNION ALL SELECT CAST(SUBSTRING(voter, 2) AS UNSIGNED), %s n FROM ballots WHERE LEFT(voter, 1) = 'u') w GROUP BY author_id"""
_DISCUSSED = "SELECT post_id, %s * COUNT(*) FROM comments WHERE status = 'shown' GROUP BY post_id"
_WRITTEN: dict[int, tuple[Any, ...]] = {MEMBERS: (_MEMBERS, POST, COMMENT, VOTE), DISCUSSED: (_DISCUSSED, ANSWER)}
_NOTED = """
    SELECT subject_id, SUM(n) FROM (SELECT subject_id, score n FROM scores WHERE board_id = %s AND about IS NULL AND removed = 0
    UNION ALL SELECT subject_id, score n FROM contributions WHERE board_id = %s) w GROUP BY subject_id HAVING SUM(n) <> 0"""


async def check_boards(boards: Boards, standings: Standings) -> list[str]:
    """One sentence for each disagreement; empty when all agrees. It may run while the site serves."""
    found: list[str] = []
    ranked = await boards.fresh().many(await boards.every_id())
    async with snapshot(boards.db) as connection:
        for board in ranked:
            found += await _check(connection, board, periods(datetime.now(UTC), standings.zone))
    later: list[str] = []
    for wait in (0.0, *AGAIN):  # scores that are taken meanwhile are in MySQL first
        await asyncio.sleep(wait)
        later = [sentence for board in ranked for sentence in await _check_rankings(standings, board)]
        if not later:
            break
    return found + later


async def _check(connection: Connection, board: Board, living: Sequence[Period]) -> list[str]:
    """The best scores of a board, and what a built-in one is made of."""
    found: list[str] = []
    for period in living:
        starts, ends = period.starts or ALWAYS[0], period.ends or ALWAYS[1]
        counted = dict(await connection.fetch(counted_sql(board), board.id, starts, ends))
        kept = await connection.fetch(
            "SELECT subject_id, points FROM best_scores WHERE board_id = %s AND period = %s AND points IS NOT NULL",
            board.id, period.name,
        )  # fmt: skip
        found += _differences(f"board {board.slug}, {period.name}: best score of", dict(kept), counted)
    if board.id in _WRITTEN:
        written = {id: int(n) for id, n in await connection.fetch(*_WRITTEN[board.id])}
        noted = {id: int(n) for id, n in await connection.fetch(_NOTED, board.id, board.id)}
        found += _differences(f"board {board.slug}: sum of", noted, written)
    return found


async def _check_rankings(standings: Standings, board: Board) -> list[str]:
    """Those of the board that are there."""
    found: list[str] = []
    for period in standings.living():
        shown = await standings.rankings.everything(ranking(board.id, period))
        if shown is None:
            continue
        kept: dict[int, tuple[int, int]] = {}
        after = 0
        while packed := await standings.after(board.id, period.name, after, AT_ONCE):
            rows = unpack(packed)
            kept |= {row.subject: (row.points, row.moment) for row in rows if row.points is not None}
            after = rows[-1].subject
        found += _differences(f"ranking {board.slug}, {period.name}: place of", shown, kept)
    return found


def _differences(what: str, kept: Mapping[int, Any], counted: Mapping[int, Any]) -> list[str]:
    wrong = sorted(id for id in kept.keys() | counted.keys() if kept.get(id) != counted.get(id))
    return [f"{what} {id}: says {kept.get(id)}, must be {counted.get(id)}" for id in wrong[:10]] + (
        [f"{what} {len(wrong) - 10} more"] if len(wrong) > 10 else []
    )
