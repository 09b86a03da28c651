"""What the worker does for the boards: scores that a ranking may not have heard of are applied again, and rankings are
built."""

import asyncio
import logging
from collections import defaultdict, deque
from time import monotonic
from typing import Any

from cache.boards import ENTRY, Entry, Ranking
from models.boards import Boards
from models.counts import COUNTS
from models.errors import Busy
from models.standings import Standings, ranking

log = logging.getLogger("plaza.boards")

MARGIN = 20.0  # s that a score may take from its id to its COMMIT: longer than a transaction
WIDE_MARGIN = 120.0  # s; a COMMIT in doubt may be carried out a minute later
WIDE = 10.0  # s between two looks as far back
AT_ONCE = 2_000  # scores whose subjects are applied in one go
PART = 1_000  # members of a ranking that is being built: Redis serves nobody else for some 10 ms
FAR_BEHIND = 100_000  # scores; of a worker who comes to more than that, rankings are built anew
FIRST = 100  # rankings that one round builds
COUNTS.update({"boards.reapplied": 0, "boards.built": 0, "boards.distrusted": 0})


class Reapplying:
    """Knows which scores it has seen. A score that becomes visible is applied once by this, whether or not its writer did
    it too."""

    def __init__(self, boards: Boards, standings: Standings) -> None:
        self.boards, self.standings, self.rankings, self.db = boards, standings, standings.rankings, boards.db
        self._seen: set[int] = set()
        self._marks: deque[tuple[float, int]] = deque()  # (when, the highest id that was there)
        self._looked_wide = 0.0
        self._from: int | None = None  # all scores up to this one are applied, and none below it will appear

    async def sweep(self) -> int:
        """Apply what has become visible since the last time; how many scores. Raises Busy when Redis or MySQL cannot be
        asked: then the same are applied the next time."""
        now = monotonic()
        rows = await self.db.fetch("SELECT MAX(id) FROM scores")
        newest = rows[0][0] or 0
        if self._marks and newest < self._marks[-1][1]:
            self._from = None  # MySQL has lost what it had: nothing that was seen of it counts
        start = self._from if self._from is not None else await self._begin(newest)
        wide = now - self._looked_wide >= WIDE
        floor = max(start, self._before(now - (WIDE_MARGIN if wide else MARGIN)))
        applied = 0
        while True:
            rows = await self.db.fetch(
                "SELECT id, board_id, subject_id FROM scores WHERE id > %s ORDER BY id LIMIT %s", floor, AT_ONCE
            )
            new = [row for row in rows if row[0] not in self._seen]
            await self._apply(new)
            self._seen.update(row[0] for row in new)
            applied += len(new)
            COUNTS["boards.reapplied"] += len(new)
            if len(rows) < AT_ONCE:
                break
            floor = rows[-1][0]
        self._marks.append((now, newest))
        self._looked_wide = now if wide else self._looked_wide
        await self._forget_old(now)
        return applied

    async def build(self) -> int:
        """Build the rankings that readers have missed; how many."""
        built = 0
        for _ in range(FIRST):
            name = await self.rankings.wanted()
            if name is None:
                break
            built += await self.build_one(name)
        COUNTS["boards.built"] += built
        return built

    async def build_one(self, name: str) -> bool:
        """Build a ranking of now by its name, going on where another has stopped; False: it needed none, or another does it."""
        board_id, _, period_name = name.partition(":")
        found = {one.name: one for one in self.standings.living()}.get(period_name)
        claim = await self.rankings.claim(ranking(int(board_id), found)) if found else None
        if claim is None:
            return False
        began, count = monotonic(), 0
        packed, sending = await self.standings.after(int(board_id), period_name, claim.after, PART), None
        try:
            while len(packed) == PART * ENTRY.size:
                # While Redis takes one part, MySQL gives the next.
                sending = asyncio.create_task(self.rankings.build(claim, packed, done=False), name="build a ranking")
                count += PART
                last = ENTRY.unpack_from(packed, len(packed) - ENTRY.size)[0]
                packed = await self.standings.after(int(board_id), period_name, last, PART)
                if not await sending:
                    return False
        finally:
            if sending is not None and not sending.done():
                sending.cancel()
        built = await self.rankings.build(claim, packed, done=True)
        if count:
            log.info(
                "built ranking %s: %s members in %.1f s", name, count + len(packed) // ENTRY.size, monotonic() - began
            )
        return built

    async def _begin(self, newest: int) -> int:
        """Where the last worker has come to. When nobody knows, the rankings that stand are not to be trusted."""
        reached = await self.rankings.reached()
        if reached is None:
            raise Busy("Redis cannot be asked")
        if reached == 0 or newest < reached or newest - reached > FAR_BEHIND:
            COUNTS["boards.distrusted"] += 1
            for board_id in await self.boards.every_id():
                living = [ranking(board_id, one) for one in self.standings.living()]
                if not await self.rankings.forget(living):
                    raise Busy("Redis cannot be asked")
            # What is not committed yet may have lower ids than what is there.
            reached = max(0, newest - FAR_BEHIND // 2)
        self._from = reached
        self._seen.clear()
        self._marks.clear()
        return reached

    async def _apply(self, rows: list[tuple[Any, ...]]) -> None:
        by_board: dict[int, set[int]] = defaultdict(set)
        for _, board_id, subject_id in rows:
            by_board[board_id].add(subject_id)
        news: list[tuple[Ranking, list[Entry]]] = []
        for board_id, subjects in by_board.items():
            news += await self.standings.rows(self.db, board_id, tuple(subjects), self.standings.living())
        if not await self.rankings.apply(news):
            raise Busy("Redis cannot be asked")

    def _before(self, moment: float) -> int:
        """The highest id that was there at a moment: what came with a lower one has been seen, or will never come."""
        found = 0
        for when, id in self._marks:
            if when > moment:
                break
            found = id
        return found

    async def _forget_old(self, now: float) -> None:
        """Let go what no look will reach again, and tell how far all is applied."""
        floor = self._before(now - WIDE_MARGIN)
        while len(self._marks) > 1 and self._marks[1][0] <= now - WIDE_MARGIN:
            self._marks.popleft()
        if floor and floor != self._from:
            self._from = floor
            self._seen = {id for id in self._seen if id > floor}
        await self.rankings.reached(self._from or None)
