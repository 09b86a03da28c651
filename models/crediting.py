"""The built-in boards are counted: contributions become scores, each exactly once, whoever is killed meanwhile."""

from collections import defaultdict
from datetime import datetime

from models import best_scores
from models.base import Write
from models.best_scores import News
from models.boards import Board, Boards
from models.periods import Period, periods
from models.retrying import retried
from models.standings import Standings

AT_ONCE = 500  # credits in one transaction


class Crediting:
    """Empties the table `contributions`, which `models/contributions.py` fills."""

    def __init__(self, boards: Boards, standings: Standings) -> None:
        self.boards, self.standings, self.db = boards, standings, boards.db

    async def count(self) -> int:
        """Make scores of what is there; how many. What another worker has is left to it. Raises Busy."""
        if not await self.db.fetch("SELECT id FROM contributions LIMIT 1"):
            return 0  # as nearly always: without a transaction
        counted = 0
        while (some := await self._some()) == AT_ONCE:
            counted += some
        return counted + some

    @retried
    async def _some(self) -> int:
        async with self.boards.write() as w:
            rows = await w.fetch(
                "SELECT id, board_id, subject_id, score, at FROM contributions ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
                AT_ONCE,
            )
            if not rows:
                return 0
            boards = {board.id: board for board in await self.boards.many(tuple({row[1] for row in rows}))}
            sums: dict[tuple[int, int], dict[tuple[Period, ...], list[tuple[int, datetime]]]] = defaultdict(dict)
            for _, board_id, subject_id, score, at in rows:
                which = periods(at, self.standings.zone)
                sums[board_id, subject_id].setdefault(which, []).append((score, at))
            # One order for all that change best scores, so that they cannot deadlock here.
            for (board_id, subject_id), parts in sorted(sums.items()):
                for which, credited in parts.items():
                    await self._credit(w, boards[board_id], subject_id, which, credited)
            await w.execute("DELETE FROM contributions WHERE id IN %s", tuple(row[0] for row in rows))
        for board_id in boards:
            subjects = tuple({row[2] for row in rows if row[1] == board_id})
            news = await self.standings.rows(self.db, board_id, subjects, self.standings.living())
            await self.standings.rankings.apply(news)
        return len(rows)

    async def _credit(
        self, w: Write, board: Board, subject_id: int, which: tuple[Period, ...], credited: list[tuple[int, datetime]]
    ) -> None:
        """The scores of a subject that belong to the same periods, and their sum."""
        total, at, last = sum(score for score, _ in credited), max(at for _, at in credited), 0
        for score, moment in credited:
            last = await w.insert(
                "INSERT INTO scores (board_id, subject_id, score, created_at) VALUES (%s, %s, %s, %s)",
                board.id, subject_id, score, moment,
            )  # fmt: skip
        rows = [News(board.id, one.name, subject_id, total * board.sign, at, last) for one in which]
        await best_scores.merge(w, board.keep, rows)
