"""Cache-aside: read what is remembered, load and fill what is not, forget what a write changed. `docs/cache.md` has the protocol.

A read asks, in this order: the process's own level (L1), a load that is in the air, Redis (one MGET for all that is asked in
one turn of the loop), and then it loads: what is missing is leased in Redis, read from MySQL, and filled. A write puts tombstones
before COMMIT and takes them away after it. Redis slow or away is never an error to a reader.
"""

import itertools
import logging
import random
import secrets
from asyncio import Task
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from itertools import zip_longest
from math import log as ln
from typing import Any, TypeVar

from cache import records
from cache.flights import Flights
from cache.link import Link
from cache.loading import Load, Loader, Shape
from cache.local import Local
from cache.reading import LOAD, READING, Reading
from cache.shapes import Items, Rows
from cache.slots import Slot, is_scope
from cache.tracking import Tracking

log = logging.getLogger("plaza.cache")

LOADS = 8  # unstored loads of a process at a time: Redis is away, or another process does not come to an end
MOST_REFRESHED = 64  # names that are being refreshed early at a time
MISSING: Any = object()  # what L1 says of a name that it does not know; None is a row that is known not to be there

Row = TypeVar("Row")


class Cache:
    """One process's view of the remembered rows and lists.

    `asked` hears of each question to Redis how many rows or lists were remembered and how many were not, before those are loaded.
    Those in `ended` hear of each write that has ended here which names are to be read anew.
    """

    def __init__(
        self,
        link: Link,
        local: Local,
        tracking: Tracking,
        *,
        asked: Callable[[int, int], None] = lambda found, missing: None,
        loads: int = LOADS,
    ) -> None:
        self.link, self.local, self.tracking = link, local, tracking
        self._asked, self._flights = asked, Flights(local.families)
        self._nonce, self._count = secrets.token_bytes(8), itertools.count(1)
        self._loader = Loader(link, tracking, local.families, self.writer, loads)
        self._refreshing: set[str] = set()
        self._owed: list[tuple[list[str], bytes]] = []
        self.unconfirmed = 0  # ends that Redis did not confirm, ever
        self.ended = list[Callable[[Sequence[str]], None]]()

    def near(self, name: str) -> Any:
        """What L1 has under the name: a row, None for a row that is not there, MISSING when it cannot say."""
        reading = READING.get()
        if reading is LOAD or (entry := self.local.get(name)) is None:
            return MISSING
        if reading is not None:
            reading.saw(name, entry.stamp, True)
        return entry.value

    async def named(
        self,
        cls: Callable[..., Row],
        names: Iterable[str],
        ttl: int,
        load: Callable[[list[str]], Awaitable[dict[str, Row]]],
    ) -> dict[str, Row | None]:
        """The row under each of the names, which share a class and a time to live (seconds); None where there is none: one MGET,
        then one `load` for all that are missing.

        No row is older than a write that had returned when this was called (L1: 0.3 s before). Raises what `load` raises, and
        nothing because of Redis. Rows are shared: nobody may change them.
        """
        found: dict[str, Any] = {}
        reading, local = READING.get(), self.local
        wanted = dict.fromkeys(names)
        if reading is not LOAD and local.open:
            for name in wanted:
                if (entry := local.get(name)) is not None:
                    found[name] = entry.value
                    if reading is not None:
                        reading.saw(name, entry.stamp, True)
            if len(found) == len(wanted):
                return found
        flights = self._flights
        flying = flights.flying
        unknown = (
            [name for name in wanted if name not in found and name not in flying] if found or flying else list(wanted)
        )
        shape = Rows(cls, ttl)
        if unknown:
            before = len(found)
            await self._ask(shape, unknown, found, reading, load)
            local.families.of(unknown[0]).l2 += len(found) - before
        missing = [name for name in wanted if name not in found]
        self._asked(len(wanted) - len(missing), len(missing))
        if missing:
            loaded = await flights.found(missing, lambda names, flight: self._loader.load(shape, names, load, flight))
            for name, one in loaded.items():
                found[name] = one.value
                if reading is not None:
                    reading.saw(name, records.stamp(one.record), False)
        return found

    async def _ask(
        self, shape: Rows, names: list[str], found: dict[str, Any], reading: Reading | None, load: Load
    ) -> None:
        """What Redis has of the rows goes to `found`, and to L1."""
        local, decode = self.local, records.decode_row
        keeping = reading is not None or local.open
        tickets = [local.ticket(name) for name in names] if keeping else []
        local.heat.passed(names)
        answers = await self.link.get(names)
        if answers is None:
            return
        early = self._early()
        late = []
        for at, data in enumerate(answers):
            if data is None:
                continue
            name = names[at]
            try:
                found[name] = None if data == records.ABSENT else decode(shape.cls, data)
            except records.Unreadable:
                continue  # a lease, a tombstone, or of another schema: Redis says what is to be done
            soft = 0
            if early is not None and data != records.ABSENT:
                soft, cost = records.expiry(data)
                if soft and early(soft, cost):
                    late.append(name)
            if keeping:
                stamp = records.stamp(data) or 0
                local.put(tickets[at], name, found[name], stamp=stamp, until=soft)
                if reading is not None:
                    reading.saw(name, stamp, tickets[at].alive)
        if late:
            self._refresh(shape, late, load)

    async def items(self, slot: Slot, load: Callable[[], Awaitable[tuple[Any, ...]]]) -> tuple[Any, ...]:
        """The items of a list, remembered or loaded, with the promises of `named`.

        `load` gives ids and small numbers, in their final order.
        """
        reading, name = READING.get(), slot.name
        if reading is not LOAD and (entry := self.local.get(name)) is not None:
            items, stamps = entry.value
            if reading is not None:
                _saw_list(reading, slot, entry.stamp, stamps, True)
            result: tuple[Any, ...] = items
            return result

        async def load_named(_: list[str]) -> dict[str, Any]:
            return {name: await load()}

        shape = Items(slot)
        if name not in self._flights.flying:
            found = await self._ask_list(shape, slot, reading, load_named)
            if found is not None:
                self.local.families.of(name).l2 += 1
                self._asked(1, 0)
                return found
        self._asked(0, 1)
        loaded = await self._flights.found(
            (name,), lambda names, flight: self._loader.load(shape, names, load_named, flight)
        )
        one = loaded[name]
        if reading is not None:
            stamps = records.decode_list(one.record)[0] if one.record else ()
            _saw_list(reading, slot, records.stamp(one.record), stamps, False)
        return one.value  # type: ignore[no-any-return]

    async def _ask_list(self, shape: Items, slot: Slot, reading: Reading | None, load: Load) -> tuple[Any, ...] | None:
        """The items as Redis has them, if they hold still."""
        names = (slot.name, *(scope.name for scope in slot.scopes))
        ticket = self.local.ticket(*names)
        self.local.heat.passed(names[:1])
        answers = await self.link.get(names)
        if answers is None or (data := answers[0]) is None:
            return None
        try:
            stamps, items = records.decode_list(data)
        except records.Unreadable:
            return None
        if stamps != tuple(map(records.generation, answers[1:])):  # of other code the list may have other scopes, too
            return None
        soft, cost = records.expiry(data)
        early = self._early()
        if early is not None and soft and early(soft, cost):
            self._refresh(shape, [slot.name], load)
        content = records.stamp(data) or 0
        self.local.put(ticket, slot.name, (items, stamps), stamp=content, until=soft)
        if reading is not None:
            _saw_list(reading, slot, content, stamps, ticket.alive)
        return items

    def _early(self) -> Callable[[int, int], bool] | None:
        """Whether a record of (soft expiry in ms, cost in us) is to be refreshed now: XFetch, one draw for all that a
        question brings. None while the clock of Redis is not known."""
        if not (now := self.tracking.redis_ms):
            return None
        gap = -ln(1.0 - random.random()) / 1000  # noqa: S311 - no secret
        return lambda soft, cost: now + cost * gap >= soft

    def _refresh(self, shape: Shape, names: list[str], load: Load) -> None:
        """Load them again while the old values still stand; the lease in Redis elects one process to do it."""
        names = [name for name in names if name not in self._refreshing][: MOST_REFRESHED - len(self._refreshing)]
        if names:
            self._refreshing.update(names)
            task = self.own(self._loader.refresh(shape, names, load), "refresh")
            task.add_done_callback(lambda _: self._refreshing.difference_update(names))

    def writer(self) -> bytes:
        """The name of one write, and of one load, as Redis knows it: 16 bytes that no other has."""
        return self._nonce + next(self._count).to_bytes(8, "big")

    async def begin(self, slots: Iterable[Slot], writer: bytes, hold: float) -> bool:
        """Just before COMMIT: nobody reads or fills these until `end`, or for `hold` seconds. True: Redis has confirmed it."""
        record, scope = _apart(slot.name for slot in slots)
        return await self.link.begin(record, scope, writer, int(hold * 1000))

    async def end(self, slots: Iterable[Slot], writer: bytes) -> bool:
        """After COMMIT, and after a rollback: nobody gets an older answer for these from now on. True when Redis has
        confirmed it. It may come twice, and without `begin`.
        """
        return await self.end_named([slot.name for slot in slots], writer)

    async def end_named(self, names: Sequence[str], writer: bytes, *, force: bool = False) -> bool:
        """The same by name. `force`: while the link is down too, for the replay of the outbox."""
        record, scope = _apart(names)
        try:
            confirmed = await self.link.end(record, scope, writer, force=force)
            self.unconfirmed += not confirmed
            return confirmed
        finally:
            self.local.drop(names)
            for heard in self.ended:
                heard(names)

    async def drop(self, slots: Iterable[Slot]) -> None:
        """Read these again: they contradict each other, or an operator says so."""
        await self.end(slots, self.writer())

    async def drop_family(self, family: str) -> bool:
        """Read all of a family again, in every process; one trip, however many there are. False: Redis has not confirmed it."""
        return await self.link.drop(family)

    def owe(self, slots: Iterable[Slot], writer: bytes) -> None:
        """An `end` that neither Redis nor the outbox took; this process does it before it believes Redis again."""
        self._owed.append(([slot.name for slot in slots], writer))

    async def settle(self) -> bool:
        """Do what is owed; False when Redis did not confirm it."""
        while self._owed:
            names, writer = self._owed[0]
            if not await self.end_named(names, writer, force=True):
                return False
            self._owed.pop(0)
        return True

    def own(self, work: Coroutine[Any, Any, Any], name: str = "own") -> Task[Any]:
        """A task of the cache's: nobody's going away stops it, and `close` waits for it."""
        return self._flights.own(work, name)

    async def close(self) -> None:
        """Wait for the loads, refreshes and ends under way; each has time-outs of its own."""
        await self._flights.settle()


def _apart(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """(records and lists, scopes)."""
    both: tuple[list[str], list[str]] = [], []
    for name in names:
        both[is_scope(name)].append(name)
    return both


def _saw_list(reading: Reading, slot: Slot, content: int | None, stamps: Sequence[bytes], alive: bool) -> None:
    """A list depends on its own record and on the generation of each scope."""
    reading.saw(slot.name, content, alive)
    for scope, stamp in zip_longest(slot.scopes, stamps[: len(slot.scopes)]):
        reading.saw(scope.name, None if stamp is None else records.stamp(records.GENERATION + stamp), alive)
