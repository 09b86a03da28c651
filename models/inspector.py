"""What each level holds for one name, whether a reader would be given it, and whether it is true; and how it is dropped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from cache import Cache, Slot, records
from cache.slots import Family
from models import audit
from models.base import Table
from models.database import Database
from models.errors import Busy
from models.levels import AWAY, Far, Held, judge
from models.nearby import State
from models.neighbours import ask_all
from models.questions import shown_name
from models.retrying import retried
from models.roles import ADMINISTER, require
from models.truth import Truth, Unanswerable
from models.users import User

LONGEST = 60  # characters of what a line of the audit log is about

NEAR_SERVED = "The process answers it by itself, and asks nobody."
NEAR_NOTHING = "The process keeps nothing under this name, and asks Redis."
NEAR_SHUT = "The process answers nothing by itself now: it cannot prove that it has heard of all changes."
NEAR_ENDED = "The process keeps it, but not for longer: it asks Redis."
SILENT = "The process did not answer in time."
AWAY_NOW = "Redis does not answer: readers ask MySQL."
BREAKER = "Redis is not asked by this process at this moment: readers ask MySQL."


@dataclass(frozen=True, slots=True)
class Level:
    """One level's word. `equal`: it is what MySQL holds; None where there is nothing to compare."""

    name: str
    held: Held
    equal: bool | None


@dataclass(frozen=True, slots=True)
class Looked:
    """A slot on all levels: the processes, then Redis. `truth` is MySQL's, if it could be asked: else `untold` says why not."""

    slot: Slot
    levels: tuple[Level, ...]
    truth: Any
    untold: str = ""

    @property
    def old(self) -> bool:
        """Whether some reader would be given something else than MySQL holds."""
        return any(level.equal is False and level.held.served for level in self.levels)


@dataclass(frozen=True, slots=True)
class PageKept:
    """A whole page in one process: given `at_once`, or after Redis was asked. `names`: what it was made of; `changed`: of which
    the content is another one now, so that the next reader gets a new page; `asked`: Redis could be asked for that."""

    process: str
    key: str
    at_once: bool
    weight: int
    names: tuple[str, ...]
    changed: tuple[str, ...]
    asked: bool


class Inspector:
    """`run` is where the processes of this host listen."""

    def __init__(self, db: Database, redis: Redis, cache: Cache, run: Path) -> None:
        self.cache, self.run = cache, run
        self.truth, self.far = Truth(()), Far(cache, redis)
        self._table = Table[Any](db, cache)

    def know(self, tables: Iterable[Any]) -> None:
        """These can be asked what MySQL holds."""
        self.truth = Truth(tables)

    async def look(self, slot: Slot) -> Looked:
        """What each level holds. MySQL is read last: what differs may have been written in between. Never raises for a server
        that is away."""
        near = await ask_all(self.run, ("rows", (slot.name,)))
        try:
            far = await self.far.look(slot)
            if not self.cache.link.up:
                far = Held(far.kind, False, BREAKER, far.facts, far.value)
        except AWAY as error:
            far = Held("nothing", False, AWAY_NOW, {"error": str(error)})
        truth, untold = None, ""
        try:
            truth = await self.truth.of(slot.name)
        except (Unanswerable, Busy) as error:
            untold = str(error)
        said = [*((process, _near(slot, answer)) for process, answer in near.items()), ("redis", far)]
        levels = [
            Level(name, held, held.value == truth if held.readable and not untold else None) for name, held in said
        ]
        return Looked(slot, tuple(levels), truth, untold)

    async def pages(self, keys: Sequence[str]) -> list[PageKept]:
        """The pages that are kept whole under the keys, in each process."""
        answers = await ask_all(self.run, ("page", tuple(keys)))
        return [
            PageKept(process, key, kept["at_once"], kept["weight"], kept["names"], kept["changed"], kept["asked"])
            for process, found in answers.items()
            for key, kept in (found or {}).items()
        ]

    @retried
    async def drop(self, slot: Slot, *, by: User | None) -> None:
        """Read it again, on every level: a write that touches it and changes nothing. Raises Forbidden, Busy."""
        async with self._table.write() as w:
            if by:
                await require(w, by.id, ADMINISTER)
            w.touch(slot)
            await audit.note(w, by.id if by else None, "cache.drop", shown_name(slot.name)[:LONGEST])

    @retried
    async def drop_family(self, family: Family, *, by: User | None) -> None:
        """Read all of a family again. Raises Forbidden; Busy when Redis cannot be asked: then nothing is done."""
        async with self._table.write() as w:
            if by:
                await require(w, by.id, ADMINISTER)
            await audit.note(w, by.id if by else None, "cache.drop_family", family.family)
            if not await self.cache.drop_family(family.family):
                raise Busy("Redis could not be told")

    @retried
    async def drop_pages(self, path: str, keys: Sequence[str], *, by: User | None) -> int:
        """Make the pages kept under the keys anew, in all processes of this host; how many there were. Raises Forbidden."""
        async with self._table.write() as w:
            if by:
                await require(w, by.id, ADMINISTER)
            await audit.note(w, by.id if by else None, "cache.drop_page", path[:LONGEST])
        answers = await ask_all(self.run, ("forget", tuple(keys)))
        return sum(answer or 0 for answer in answers.values())


def _near(slot: Slot, answer: Any) -> Held:
    """What a process has said about the one name it was asked for."""
    if answer is None:
        return Held("nothing", False, SILENT, {})
    state, rows = State(**answer[0]), answer[1]
    facts: dict[str, Any] = {} if state.fence_age is None else {"fence_s": state.fence_age}
    kept = rows.get(slot.name)
    if kept is None:
        return Held("nothing", False, NEAR_NOTHING if state.open else NEAR_SHUT, facts)
    data = kept["record"]
    generations = (
        records.head(data).stamps if records.kind(data) == records.VALUE else ()
    )  # a push would have dropped it
    held = judge(slot.name, data, generations)
    facts |= {"age_s": kept["age"], "rest_s": kept["rest"], "bytes": kept["weight"]}
    why = NEAR_SHUT if not state.open else NEAR_ENDED if kept["rest"] <= 0 else NEAR_SERVED if held.served else held.why
    return Held(held.kind, why == NEAR_SERVED, why, facts | held.facts, held.value)
