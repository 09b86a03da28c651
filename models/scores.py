"""Scores: taken once each, for ever kept, and what follows from them for the best scores of their periods."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from cache.boards import MOST_POINTS
from models import audit, best_scores
from models.boards import Board, Boards
from models.errors import Forbidden, Invalid, Taken
from models.intake import Intake, Submitted
from models.periods import periods
from models.retrying import retried
from models.roles import OPERATOR, require
from models.standings import Standings
from models.users import User

LONGEST_ID = 64  # characters of a sender's own name for a score
LARGEST, DIGITS = 18, 24  # a power of ten that no score comes near to, and digits that can be reckoned with exactly
_ROW = "SELECT id, board_id, subject_id, score, client_id, removed, created_at FROM scores "


@dataclass(frozen=True, slots=True)
class Score:
    """`score` in thousandths. `removed`: a moderator took it away."""

    id: int
    board_id: int
    subject_id: int
    score: int
    client_id: str | None
    removed: bool
    created_at: datetime


class Scores:
    """The table `scores`. Nothing of it is cached; the rankings hear of each change after its COMMIT, and from the worker
    if they did not (`models/reapplying.py`)."""

    def __init__(self, boards: Boards, standings: Standings) -> None:
        self.boards, self.standings, self.db = boards, standings, boards.db
        self._intake = Intake(boards, standings)

    async def submit(self, board: Board, score: Decimal | float | str, client_id: str, *, by: User) -> Submitted:
        """Take a score; `client_id` is the sender's own name for it, under which it counts once however often it is sent.

        Raises Invalid({"score" or "id"}); Taken({"id"}) when another score had that name; Forbidden, Busy.
        """
        thousandths = _checked(board, score, client_id)
        taken = await self._intake.take(board, by.id, thousandths, client_id)
        if taken.score != thousandths:
            raise Taken({"id": "Another score was sent under this id."})
        return taken

    async def remove(self, id: int, *, by: User) -> Score:
        """Take a score off its board. Twice is as once. Raises Forbidden, NotFound."""
        return await self._set_removed(id, True, by)

    async def restore(self, id: int, *, by: User) -> Score:
        """Undo `remove`."""
        return await self._set_removed(id, False, by)

    @retried
    async def _set_removed(self, id: int, removed: bool, by: User) -> Score:
        async with self.boards.write() as w:
            await require(w, by.id, OPERATOR)
            score = await w.locked(_score, _ROW + "WHERE id = %s AND about IS NULL FOR UPDATE", id)
            board = await w.locked(self.boards.make, self.boards.rows_sql, (score.board_id,))
            if board.builtin:
                raise Forbidden(f"board {board.id} is built in")
            if score.removed == removed:
                return score
            await w.execute("UPDATE scores SET removed = %s WHERE id = %s", removed, id)
            # Appended as everything is that changes a board: whoever applies what is new comes upon it.
            await w.insert(
                "INSERT INTO scores (board_id, subject_id, score, about, created_at) VALUES (%s, %s, 0, %s, %s)",
                score.board_id, score.subject_id, id, datetime.now(UTC),
            )  # fmt: skip
            which = periods(score.created_at, self.standings.zone)
            await best_scores.recount(w, board, (score.subject_id,), which)
            for _, entries in await self.standings.rows(w, board.id, (score.subject_id,), which):
                if any(abs(entry.points or 0) > MOST_POINTS for entry in entries):
                    raise Invalid({"score": "The sum of these scores is too large."})
            action = "score.remove" if removed else "score.restore"
            said = {"board": board.slug, "user": score.subject_id, "score": score.score / 1000}
            await audit.note(w, by.id, action, f"score {id}", None, said)
        await self.apply(score.board_id, (score.subject_id,), score.created_at)
        return Score(id, score.board_id, score.subject_id, score.score, score.client_id, removed, score.created_at)

    async def apply(self, board_id: int, subjects: Sequence[int], at: datetime) -> bool:
        """Bring the rankings of a moment up to what MySQL holds of some subjects; False: Redis has not confirmed it."""
        which = periods(at, self.standings.zone)
        return await self.standings.rankings.apply(await self.standings.rows(self.db, board_id, subjects, which))

    async def many(self, ids: Sequence[int]) -> list[Score]:
        """Those of some ids that are there, removed ones too, in no order."""
        rows = await self.db.fetch(_ROW + "WHERE id IN %s AND about IS NULL", tuple(ids)) if ids else ()
        return [_score(*row) for row in rows]


def _score(*columns: Any) -> Score:
    id, board_id, subject_id, score, client_id, removed, at = columns
    return Score(id, board_id, subject_id, score, client_id, bool(removed), at)


def thousandths(score: Decimal | float | str) -> int:
    """A score as it is kept. Raises Invalid({"score"})."""
    try:
        given = Decimal(str(score))
    except InvalidOperation:
        raise Invalid({"score": "A score is a number."}) from None
    if not given.is_finite():
        raise Invalid({"score": "A score is a number."})
    if not given:
        return 0
    # Looked at before anything is reckoned with it: a number like 1e900000 takes a minute to spell.
    if given.adjusted() >= LARGEST:
        raise Invalid({"score": "This number is too large."})
    if given.adjusted() < -3 or len(given.as_tuple().digits) > DIGITS or (whole := int(given * 1000)) != given * 1000:
        raise Invalid({"score": "A score has at most three decimals."})
    if abs(whole) > MOST_POINTS:
        raise Invalid({"score": "This number is too large."})
    return whole


def _checked(board: Board, score: Decimal | float | str, client_id: str) -> int:
    # MySQL takes "a" and "a " for the same.
    if not (0 < len(client_id) <= LONGEST_ID and client_id.isprintable() and client_id == client_id.strip()):
        raise Invalid({"id": "An id has 1 to 64 characters, and none of them at either end is a blank."})
    found = thousandths(score)
    if (board.least is not None and found < board.least) or (board.most is not None and found > board.most):
        raise Invalid({"score": "This board does not take such a score."})
    return found
