"""How many have voted for what: changed with each ballot, so a row of its own in the cache."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from cache import Key, Slot
from models import choices
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
    rows_sql: ClassVar = f"SELECT p.id, p.voters, {choices.VOTES}, p.counted FROM polls p WHERE p.id IN %s"  # noqa: S608 - a literal

    def make(self, *columns: Any) -> Result:
        poll_id, voters, votes, counted = columns
        return Result(poll_id, voters, tuple(map(int, votes.split(","))) if votes else (), counted)


async def count(w: Write, voters: Mapping[int, int]) -> None:
    """The counts of some polls, which the caller has locked, have changed: by so many voters, or by none."""
    for id in sorted(voters):
        await w.execute("UPDATE polls SET counted = counted + 1, voters = voters + %s WHERE id = %s", voters[id], id)
        w.touch(*shown_in(id))
