"""Scores that come at the same time are taken in one transaction: one COMMIT for all that wait for it, and one word to Redis."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from pymysql.err import IntegrityError

from cache.boards import MOST_POINTS, Entry, Ranking
from models import best_scores
from models.base import Write
from models.best_scores import News
from models.boards import Board, Boards
from models.counts import COUNTS
from models.errors import Busy, Forbidden, Invalid, ModelError, Taken
from models.gathering import Gathering
from models.periods import periods
from models.retrying import retried
from models.roles import LOGIN, who_has
from models.standings import Standings

TRIES = 3  # when another process takes the same score meanwhile
COUNTS.update({"boards.scores": 0, "boards.unapplied": 0, "boards.commits": 0})


class Submitted(NamedTuple):
    """`score` in thousandths. Not `created`: it had been taken before, and is not counted again."""

    id: int
    score: int
    created: bool


Name = tuple[int, int, str]  # board, subject, and the sender's own name for the score
Outcome = Submitted | ModelError


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """A score in thousandths that is to be taken."""

    board: Board
    subject_id: int
    score: int
    client_id: str
    at: datetime

    @property
    def name(self) -> Name:
        return self.board.id, self.subject_id, self.client_id


class Intake:
    """Takes the scores of a process, all that wait together."""

    def __init__(self, boards: Boards, standings: Standings) -> None:
        self.boards, self.standings = boards, standings
        self._gathering = Gathering[Wish, Submitted](self._taken, boards.own, line=attrgetter("board.id"))

    async def take(self, board: Board, subject_id: int, score: int, client_id: str) -> Submitted:
        """The score as it was taken now, or before under the same name. Raises Forbidden, Invalid, Busy."""
        return await self._gathering.take(Wish(board, subject_id, score, client_id, datetime.now(UTC)))

    async def _taken(self, wishes: Sequence[Wish]) -> list[Outcome]:
        for last in (False,) * (TRIES - 1) + (True,):
            try:
                return await self._take(wishes)
            except IntegrityError:  # one of them was taken by another process meanwhile: then it is known now
                if last:
                    raise Taken({"id": "Another score was sent under this id."}) from None
        raise AssertionError

    @retried
    async def _take(self, wishes: Sequence[Wish]) -> list[Outcome]:
        async with self.boards.write() as w:
            known = await _known(w, wishes)
            may = await who_has(w, {wish.subject_id for wish in wishes}, LOGIN)
            boards = await self.boards.held(w, {wish.board.id for wish in wishes})
            refused = {wish: error for wish in wishes if (error := _refused(wish, boards.get(wish.board.id), may))}
            allowed = [wish for wish in wishes if wish not in refused]
            new = {wish.name: wish for wish in reversed(allowed) if wish.name not in known}
            if new:
                await _insert(w, list(new.values()))
                known |= await _known(w, list(new.values()))
                await self._merge(w, list(new.values()), known)
            news = await self._news(w, [wish for wish in allowed if wish.name in known])
            if any(abs(entry.points or 0) > MOST_POINTS for _, entries in news for entry in entries):
                raise Invalid({"score": "The sum of these scores is too large."})
        COUNTS["boards.commits"] += 1
        COUNTS["boards.scores"] += len(new)
        COUNTS["boards.unapplied"] += 0 if await self.standings.rankings.apply(news) else len(new)
        return [
            refused.get(wish) or Submitted(*known[wish.name], created=new.get(wish.name) is wish) for wish in wishes
        ]

    async def _merge(self, w: Write, new: Sequence[Wish], known: dict[Name, tuple[int, int]]) -> None:
        """In one order for all who change best scores, so that they cannot deadlock here."""
        ordered = sorted(new, key=lambda wish: (wish.board.keep, wish.board.id, wish.subject_id, known[wish.name][0]))
        for keep, some in groupby(ordered, key=attrgetter("board.keep")):
            rows = [
                News(wish.board.id, period.name, wish.subject_id, points, wish.at, known[wish.name][0])
                for wish in some
                for points in (wish.score * wish.board.sign,)
                for period in periods(wish.at, self.standings.zone)
            ]
            await best_scores.merge(w, keep, rows)

    async def _news(self, w: Write, wishes: Sequence[Wish]) -> list[tuple[Ranking, list[Entry]]]:
        """Of those that were known before as well: whoever sends again may not have heard of it, nor the ranking."""
        subjects: dict[int, set[int]] = defaultdict(set)
        for wish in wishes:
            subjects[wish.board.id].add(wish.subject_id)
        found: list[tuple[Ranking, list[Entry]]] = []
        for board_id, some in subjects.items():
            found += await self.standings.rows(w, board_id, tuple(some), self.standings.living())
        return found


def _refused(wish: Wish, board: Board | None, may: set[int]) -> ModelError | None:
    if wish.subject_id not in may or board is None or board.status != "open" or board.builtin:
        return Forbidden(f"user {wish.subject_id} or board {wish.board.id}")
    # Its sense or its bounds may be others than those that the score was looked at with.
    if board.version != wish.board.version:
        return Busy("the board has changed")
    return None


async def _known(w: Write, wishes: Sequence[Wish]) -> dict[Name, tuple[int, int]]:
    """Those that were taken already: id and score."""
    rows = await w.fetch(
        "SELECT board_id, subject_id, client_id, id, score FROM scores WHERE (board_id, subject_id, client_id) IN %s",
        tuple(wish.name for wish in wishes),
    )
    return {(board_id, subject_id, client_id): (id, score) for board_id, subject_id, client_id, id, score in rows}


async def _insert(w: Write, wishes: Sequence[Wish]) -> None:
    values = ", ".join(["(%s, %s, %s, %s, %s)"] * len(wishes))
    rows = ((*wish.name, wish.score, wish.at) for wish in wishes)
    await w.execute(
        f"INSERT INTO scores (board_id, subject_id, client_id, score, created_at) VALUES {values}",  # noqa: S608
        *(value for row in rows for value in row),
    )
