"""Boards with scores on them, and their rankings as the worker builds them once somebody has looked."""

from models import Models
from models.boards import Board, NewBoard
from models.periods import WINDOWS
from models.users import User
from tests.harness.people import People


async def race(models: Models, people: People, **scores: float) -> Board:
    """A board of this name, with one score each of people by their first names."""
    board = await models.boards.create(NewBoard("race", "The race", "Run fast.", page="/about"), by=people.olga)
    await built(models, board)
    for name, score in scores.items():
        await models.scores.submit(board, score, "first", by=person(people, name))
    return board


def person(people: People, name: str) -> User:
    found = people.named(name)
    assert found, name
    return found


async def built(models: Models, board: Board) -> None:
    for window in WINDOWS:
        await models.standings.top(board, window)
    await models.reapplying.build()
