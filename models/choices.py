"""The choices of a poll: made with it, and counted for with each ballot."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from models.base import Write

# All of a poll's, in their order, as one text: what `unpacked` reads. No text of a choice has a line break.
PACKED = (
    "(SELECT GROUP_CONCAT(c.id, ' ', c.text ORDER BY c.position SEPARATOR '\\n') FROM choices c WHERE c.poll_id = p.id)"
)
VOTES = "(SELECT GROUP_CONCAT(c.votes ORDER BY c.position) FROM choices c WHERE c.poll_id = p.id)"


class Choice(NamedTuple):
    """One of the answers."""

    id: int
    text: str


def unpacked(packed: str | None) -> tuple[Choice, ...]:
    """The choices in PACKED."""
    pairs = (line.partition(" ") for line in packed.split("\n")) if packed else ()
    return tuple(Choice(int(id), text) for id, _, text in pairs)


async def write(w: Write, poll_id: int, texts: Sequence[str]) -> tuple[Choice, ...]:
    """Make these the choices of a poll for which nobody has voted."""
    await w.execute("DELETE FROM choices WHERE poll_id = %s", poll_id)
    sql = "INSERT INTO choices (poll_id, position, text) VALUES (%s, %s, %s)"
    return tuple([Choice(await w.insert(sql, poll_id, place, text), text) for place, text in enumerate(texts)])


async def count(w: Write, votes: Mapping[int, int]) -> None:
    """Add to the votes of some choices, by their ids."""
    if any(votes.values()):
        ids = sorted(votes)
        cases = " ".join(["WHEN %s THEN %s"] * len(ids))
        pairs = [value for id in ids for value in (id, votes[id])]
        await w.execute(f"UPDATE choices SET votes = votes + CASE id {cases} END WHERE id IN %s", *pairs, tuple(ids))  # noqa: S608
