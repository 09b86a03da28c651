"""How many have voted for what: changed with each ballot, so a row of its own in the cache."""

from dataclasses import dataclass
from typing import Any, ClassVar

from cache import Key, Slot
from models.base import Table, Write


@dataclass(frozen=True, slots=True)
class Result:
    """`votes` in the order of the poll's choices; of a poll that was read a moment earlier or later they may be others, as long
    as nobody has voted. `version` is raised with each change of the counts, and has nothing to do with the poll's."""

    poll_id: int
    voters: int
    votes: tuple[int, ...]
    version: int


BY_POLL = Key("poll.result", Result, by=("poll",), ttl=600)


def shown_in(poll_id: int) -> tuple[Slot, ...]:
    """Every remembered answer the counts of a poll appear in. A new key is not done until it is here."""
    return (BY_POLL(poll_id),)


class Results(Table[Result]):
    """By the poll's id."""

    key: ClassVar = BY_POLL
    rows_sql: ClassVar = (
        "SELECT p.id, p.voters, (SELECT GROUP_CONCAT(c.votes ORDER BY c.position) FROM choices c WHERE c.poll_id = p.id), "
        "p.counted FROM polls p WHERE p.id IN %s"
    )

    def make(self, *columns: Any) -> Result:
        poll_id, voters, votes, counted = columns
        return Result(poll_id, voters, tuple(map(int, votes.split(","))) if votes else (), counted)


async def recounted(w: Write, poll_id: int) -> None:
    """The choices are others; nobody has voted for any of them."""
    await w.execute("UPDATE polls SET counted = counted + 1 WHERE id = %s", poll_id)
    w.touch(*shown_in(poll_id))
