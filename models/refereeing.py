"""What operators do to boards and to the scores on them: many at once, with ten minutes to undo it, and their lists of both."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from models import batches, sheets
from models.batches import Changed
from models.boards import Board, Boards, Status
from models.errors import Invalid, NotFound
from models.retrying import retried
from models.roles import OPERATOR, require
from models.scores import Score, Scores
from models.sheets import Order, Place, Sheet, Walk
from models.users import User

Action = Literal["open", "close", "hide"]
ACTIONS: tuple[Action, ...] = ("open", "close", "hide")
Ruling = Literal["remove", "restore"]
RULINGS: tuple[Ruling, ...] = ("remove", "restore")
MOST_AT_ONCE = 100
_AFTER: dict[Action, Status] = {"open": "open", "close": "closed", "hide": "hidden"}
_BOARDS, _SCORES = "boards", "scores"  # kinds of batches


@dataclass(frozen=True, slots=True)
class Done:
    """How many rows changed, how many stayed as they were, and the batch that undoes it (0: nothing to undo)."""

    changed: int
    left: int
    batch: int = 0


class Refereeing:
    """All need OPERATOR. Each row changes in a transaction of its own, and its ranking after that: what is interrupted has done a
    part, which the log tells."""

    def __init__(self, boards: Boards, scores: Scores) -> None:
        self.boards, self.scores, self.db = boards, scores, boards.db

    async def act(self, action: Action, ids: Sequence[int], *, by: User) -> Done:
        """Open, close or hide boards. Raises Invalid, Forbidden; NotFound when none of them is there."""
        rows: list[Changed] = []
        for old in await self._boards(ids):
            new = await self.boards.set_status(old.id, _AFTER[action], by=by)
            if new.version != old.version:
                rows.append(Changed(new.id, new.version, old.status))
        return Done(len(rows), len(set(ids)) - len(rows), await self._remember(_BOARDS, rows, by))

    async def undo(self, batch: int, *, by: User) -> Done:
        """Give the boards of a batch the status they had, but those that have changed since. Raises NotFound, Forbidden."""
        rows = {row.id: row for row in await self._take_back(_BOARDS, batch, by)}
        same = [board for board in await self._boards(list(rows)) if board.version == rows[board.id].version]
        for board in same:
            await self.boards.set_status(board.id, cast(Status, rows[board.id].was), by=by)
        return Done(len(same), len(rows) - len(same))

    async def rule(self, ruling: Ruling, ids: Sequence[int], *, board: Board, by: User) -> Done:
        """Remove scores from their board, or restore them. Raises Invalid, Forbidden; NotFound when none of them is there."""
        removed, rows = ruling == "remove", list[Changed]()
        for score in await self._scores(board, ids):
            if score.removed != removed:
                await self._set(removed)(score.id, by=by)
                rows.append(Changed(score.id, 0, ruling))
        return Done(len(rows), len(set(ids)) - len(rows), await self._remember(_SCORES, rows, by))

    async def overrule(self, batch: int, *, board: Board, by: User) -> Done:
        """The opposite for the scores of a batch, but those for which somebody has done that. Raises NotFound, Forbidden."""
        rows = {row.id: row for row in await self._take_back(_SCORES, batch, by)}
        same = [one for one in await self._scores(board, list(rows)) if one.removed == (rows[one.id].was == "remove")]
        for score in same:
            await self._set(not score.removed)(score.id, by=by)
        return Done(len(same), len(rows) - len(same))

    async def sheet(self, place: Place | None = None) -> Sheet[Board]:
        """Some boards, the oldest first, hidden ones too, from MySQL."""
        found = await sheets.sheet(self.db, Order("boards", descending=False), (Walk(),), place=place)
        return found.of(await self.boards.fresh().many(found.items))

    async def scores_sheet(self, board: Board, user_id: int | None = None, place: Place | None = None) -> Sheet[Score]:
        """Some scores of a board, or of one member on it, the newest first, removed ones too. Nobody counts them."""
        walk = Walk("board_id = %s AND about IS NULL", (board.id,), "newest")
        if user_id is not None:
            walk = Walk("board_id = %s AND subject_id = %s AND about IS NULL", (board.id, user_id), "of_subject")
        found = await sheets.sheet(self.db, Order("scores"), (walk,), place=place)
        rows = {score.id: score for score in await self.scores.many(found.items)}
        return found.of([rows[id] for id in found.items if id in rows])

    async def _boards(self, ids: Sequence[int]) -> list[Board]:
        found = await self.boards.fresh().many(_few(ids))
        if ids and not found:
            raise NotFound("boards")
        return found

    async def _scores(self, board: Board, ids: Sequence[int]) -> list[Score]:
        found = [score for score in await self.scores.many(_few(ids)) if score.board_id == board.id]
        if ids and not found:
            raise NotFound("scores")
        return found

    def _set(self, removed: bool) -> Callable[..., Coroutine[Any, Any, Score]]:
        return self.scores.remove if removed else self.scores.restore

    @retried
    async def _remember(self, kind: str, rows: Sequence[Changed], by: User) -> int:
        async with self.boards.write() as w:
            return await batches.remember(w, kind, by.id, rows)

    @retried
    async def _take_back(self, kind: str, batch: int, by: User) -> list[Changed]:
        async with self.boards.write() as w:
            await require(w, by.id, OPERATOR)
            return await batches.take_back(w, batch, kind, by.id)


def _few(ids: Sequence[int]) -> list[int]:
    """Each id once, in order. Raises Invalid."""
    if len(ids) > MOST_AT_ONCE:
        raise Invalid({"ids": "At most 100 at once."})
    return sorted(set(ids))
