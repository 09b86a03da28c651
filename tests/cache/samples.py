"""The row and the list that most tests of the cache remember, and how rows are asked for by their slots."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cache import Cache, Key, List, Scope, Slot

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Note:
    id: int
    text: str


NOTE = Key("note", Note, ttl=60)
NOTES = Scope("notes")
PAGE = List("notes.page", by=("n",), scopes=(NOTES,), ttl=60)


async def rows(
    cache: Cache, cls: type[Row], slots: Sequence[Slot], load: Callable[[list[Slot]], Awaitable[dict[Slot, Row]]]
) -> dict[Slot, Row | None]:
    """As `Cache.named`, by slots."""
    by_name = {slot.name: slot for slot in slots}

    async def load_named(names: list[str]) -> dict[str, Row]:
        return {slot.name: row for slot, row in (await load([by_name[name] for name in names])).items()}

    found = await cache.named(cls, list(by_name), slots[0].ttl, load_named)
    return {slot: found[slot.name] for slot in slots}
