"""What members write counts on the built-in boards: noted in the transaction that writes it, and counted by the worker.

So nobody who writes waits for a row that all writers share.
"""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from models.base import Write

MEMBERS, DISCUSSED = 1, 2  # the boards' ids, as the migration made them
POST, COMMENT, VOTE = (
    10_000,
    2_000,
    1_000,
)  # thousandths that a member gets for each; of a poll for the first ballot alone
ANSWER = 1_000  # thousandths that a post gets for each comment


class Contribution(NamedTuple):
    """A score (thousandths) for a subject of a built-in board; `at`: the moment whose day, week and month it counts for."""

    board_id: int
    subject_id: int
    score: int
    at: datetime


def of_post(author_id: int, at: datetime) -> Contribution:
    return Contribution(MEMBERS, author_id, POST, at)


def of_comment(author_id: int, post_id: int, at: datetime) -> tuple[Contribution, ...]:
    return Contribution(MEMBERS, author_id, COMMENT, at), Contribution(DISCUSSED, post_id, ANSWER, at)


def of_vote(user_id: int, at: datetime) -> Contribution:
    return Contribution(MEMBERS, user_id, VOTE, at)


async def change(w: Write, old: Counter[Contribution], new: Counter[Contribution]) -> None:
    """Make the boards follow rows that counted for `old` and count for `new`."""
    difference = Counter(new)
    difference.subtract(old)
    rows = [(one.board_id, one.subject_id, one.score * by, one.at) for one, by in difference.items() if by]
    if rows:
        values = ", ".join(["(%s, %s, %s, %s)"] * len(rows))
        await w.execute(
            f"INSERT INTO contributions (board_id, subject_id, score, at) VALUES {values}",  # noqa: S608 - placeholders
            *(value for row in rows for value in row),
        )
