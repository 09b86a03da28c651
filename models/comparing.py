"""Whether what the levels would give is what MySQL holds. What differs is looked at again: a write in between is no fault.

A difference counts when a level has gone on giving the same old value for longer than any promise allows, while MySQL did not
change, and when no row of the outbox speaks for it.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cache import Slot, records
from models.database import Database
from models.errors import Busy
from models.inspector import Inspector
from models.levels import AWAY, judge, slot_of
from models.neighbours import ask_all

LOOKS, PAUSE = 3, 0.4  # times that a difference is looked at again, and s before each: L1 may be 0.3 s behind
NAMES_AT_ONCE = 200  # of one question to each level
_GONE = object()

Place = tuple[str, str]  # a level and a name


@dataclass(frozen=True, slots=True)
class Difference:
    """`held` is what the level would give, `truth` what MySQL holds: each a row, None, or a tuple."""

    level: str
    name: str
    held: Any
    truth: Any


@dataclass(frozen=True, slots=True)
class Compared:
    """`places`: names on levels that were compared. `untold`: names that MySQL could not be asked for."""

    places: int = 0
    untold: int = 0
    differences: tuple[Difference, ...] = ()

    def __add__(self, other: "Compared") -> "Compared":
        return Compared(self.places + other.places, self.untold + other.untold, self.differences + other.differences)


class Comparing:
    """Over the levels and the truth of an inspector."""

    def __init__(self, db: Database, inspector: Inspector) -> None:
        self._db, self._inspector = db, inspector

    async def compare(self, names: Iterable[str]) -> Compared:
        """What the levels hold under these names, with MySQL. Names that stand nowhere count for nothing.

        Raises Busy when Redis or MySQL does not answer: then nothing can be said.
        """
        compared, wanted = Compared(), list(dict.fromkeys(names))
        for at in range(0, len(wanted), NAMES_AT_ONCE):
            compared += await self._compare(
                [slot for name in wanted[at : at + NAMES_AT_ONCE] if (slot := slot_of(name))]
            )
        return compared

    async def _compare(self, slots: Sequence[Slot]) -> Compared:
        held = await self._held(slots)
        truth = await self._inspector.truth.of_all(list(dict.fromkeys(name for _, name in held)))
        untold = len({name for _, name in held} - truth.keys())
        held = {place: value for place, value in held.items() if place[1] in truth}
        suspects = {place: value for place, value in held.items() if value != truth[place[1]]}
        different = await self._persistent(suspects, truth) if suspects else {}
        return Compared(
            len(held), untold, tuple(Difference(*place, value, truth[place[1]]) for place, value in different.items())
        )

    async def _persistent(self, suspects: dict[Place, Any], truth: dict[str, Any]) -> dict[Place, Any]:
        """Those that stay as they are while MySQL does, and that the outbox does not excuse."""
        for _ in range(LOOKS):
            await asyncio.sleep(PAUSE)
            names = list(dict.fromkeys(name for _, name in suspects))
            held = await self._held([slot for name in names if (slot := slot_of(name))])
            now = await self._inspector.truth.of_all(names)
            suspects = {
                place: value for place, value in suspects.items()
                if held.get(place, _GONE) == value and now.get(place[1], _GONE) == truth[place[1]]
            }  # fmt: skip
            if not suspects:
                return {}
        waiting = await self._waiting()
        return {place: value for place, value in suspects.items() if _names_of(place[1]).isdisjoint(waiting)}

    async def _held(self, slots: Sequence[Slot]) -> dict[Place, Any]:
        """What each level would give, whose word is to be had. Raises Busy without Redis."""
        try:
            far = await self._inspector.far.values(slots)
        except AWAY as error:
            raise Busy(f"Redis does not answer: {error}") from error
        held: dict[Place, Any] = {("redis", name): value for name, value in far.items()}
        near = await ask_all(self._inspector.run, ("rows", tuple(slot.name for slot in slots)))
        for process, answer in near.items():
            if answer is not None and answer[0]["open"]:
                held |= {(process, name): _value(name, kept) for name, kept in answer[1].items() if kept["rest"] > 0}
        return held

    async def _waiting(self) -> set[str]:
        """The names of all rows of the outbox: what they name may still be old (G3)."""
        rows = await self._db.fetch("SELECT names FROM outbox ORDER BY id LIMIT 10000")
        return {name for row in rows for name in row[0].decode().split("\n")}


def _value(name: str, kept: dict[str, Any]) -> Any:
    data: bytes = kept["record"]
    return judge(name, data, records.head(data).stamps if records.kind(data) == records.VALUE else ()).value


def _names_of(name: str) -> set[str]:
    """The name, and those of its scopes: who touches one of them touches it."""
    slot = slot_of(name)
    return {name, *(scope.name for scope in slot.scopes)} if slot else {name}
