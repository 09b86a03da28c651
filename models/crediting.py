"""The built-in boards are counted: contributions become scores, each exactly once, whoever is killed meanwhile."""

from collections import Counter
from datetime import datetime

from models import best_scores
from models.best_scores import News
from models.boards import Boards
from models.periods import periods
from models.retrying import retried
from models.standings import Standings

ROUNDS = 20  # transactions in one go; what is left comes a second later
AT_ONCE = 500  # contributions in one transaction


class Crediting:
    """Empties the table `contributions`, which `models/contributions.py` fills."""

    def __init__(self, boards: Boards, standings: Standings) -> None:
        self.boards, self.standings, self.db = boards, standings, boards.db

    async def count(self) -> int:
        """Make scores of what is there, or of some of it; how many. What another worker has is left to it. Raises Busy."""
        if not await self.db.fetch("SELECT id FROM contributions LIMIT 1"):
            return 0  # as nearly always: without a transaction
        counted = 0
        for _ in range(ROUNDS):
            some = await self._some()
            counted += some
            if some < AT_ONCE:
                break
        return counted

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
            values = ", ".join(["(%s, %s, %s, %s)"] * len(rows))
            first = await w.insert(
                f"INSERT INTO scores (board_id, subject_id, score, created_at) VALUES {values}",  # noqa: S608
                *(value for row in rows for value in row[1:]),
            )
            sums = Counter[tuple[int, int, str]]()
            latest: dict[tuple[int, int, str], datetime] = {}
            for _, board_id, subject_id, score, at in rows:
                for period in periods(at, self.standings.zone):
                    one = board_id, subject_id, period.name
                    sums[one] += score
                    latest[one] = max(at, latest.get(one, at))
            # One order for all that change best scores, so that they cannot deadlock here.
            news = [
                News(
                    board_id, name, subject_id, total * boards[board_id].sign, latest[board_id, subject_id, name], first
                )
                for (board_id, subject_id, name), total in sorted(sums.items())
            ]
            await best_scores.merge(w, "sum", news)
            await w.execute("DELETE FROM contributions WHERE id IN %s", tuple(row[0] for row in rows))
        for board_id in boards:
            subjects = tuple({row[2] for row in rows if row[1] == board_id})
            changed = await self.standings.rows(self.db, board_id, subjects, self.standings.living())
            await self.standings.rankings.apply(changed)
        return len(rows)
