"""A load, from its lease to its fill: what happens to names that this process does not know.

Redis says under each name what is to be done: here is the value; you have the lease, so load and fill; somebody else has it, so
wait; a write is under way, so read MySQL and store nothing. Without Redis all is read from MySQL, a few loads at a time.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import Any, Protocol

from cache import records
from cache.counts import Families
from cache.flights import Flight, Found, Loaded
from cache.link import Ask, Fill, Granted, Link
from cache.tracking import Push, Tracking

log = logging.getLogger("plaza.cache")

LEASE = 3.0  # s; a load that takes longer is not stored, and others may have begun one of their own
PATIENCE = 3.0  # s for another process's load; then MySQL is read without filling
EARLY = 0.8  # of its time to live; from then on a record may be refreshed early

Load = Callable[[list[str]], Awaitable[dict[str, Any]]]


class Shape(Protocol):
    """What kind of answer stands under some names: rows of a class, or one list."""

    ttl: int

    def ask(self, name: str, *, force: bool = False, nominated: bool = False) -> Ask: ...

    def decode(self, data: bytes) -> Any:
        """Raises records.Unreadable."""

    def fill(self, name: str, value: Any, granted: Granted, *, soft: int, cost: int, ttl_ms: int) -> Fill | None:
        """None: too big to be stored."""


class Loader:
    """Asks Redis what to do, does it, and stores what it may. At most `loads` unstored loads at a time.

    The names of one call are of one family, in which it is counted what became of them.
    """

    def __init__(
        self, link: Link, tracking: Tracking, families: Families, tokens: Callable[[], bytes], loads: int
    ) -> None:
        self._link, self._tracking, self._families, self._tokens = link, tracking, families, tokens
        self._gate = asyncio.Semaphore(loads)

    async def load(self, shape: Shape, names: list[str], load: Load, flight: Flight) -> Loaded:
        """What is under each of the names, loaded where need be. Raises what `load` raises."""
        found: Loaded = {}
        force = set[str]()
        until = asyncio.get_running_loop().time() + PATIENCE
        awaited = ""  # a name that somebody else loads, whose push we wait for
        left = names
        family, waited = self._families.of(names[0]), set[str]()
        while left:
            with self._push(awaited) as push:
                asked = flight.ask()
                granted = await self._link.acquire(
                    [shape.ask(name, force=name in force) for name in left], self._tokens(), int(LEASE * 1000)
                )
                if granted is None:
                    return found | await self._unstored(left, load, flight, "down")
                todo, busy = self._sort(shape, dict(zip(left, granted, strict=True)), found, force, asked)
                came = found.keys() & set(left)
                family.l2 += len(came - waited)
                family.joined += len(came & waited)
                waited.update(busy)
                if todo:
                    found.update(await self._do(shape, todo, load, flight))
                    family.loaded += len(todo)
                left = [name for name in left if name not in found]
                if busy and (rest := until - asyncio.get_running_loop().time()) <= 0:
                    return found | await self._unstored(left, load, flight, "late")
                if busy and push is not None:  # registered before Redis was asked: no push is missed
                    await push.wait(min(rest, max(1, *(grant.rest_ms for grant in busy.values())) / 1000))
            awaited = next(iter(busy), "")
        return found

    def _sort(
        self, shape: Shape, granted: dict[str, Granted], found: Loaded, force: set[str], asked: int
    ) -> tuple[dict[str, Granted], dict[str, Granted]]:
        """(what we are to load, what another process loads); values go to `found`, names of unreadable ones to `force`."""
        todo: dict[str, Granted] = {}
        busy: dict[str, Granted] = {}
        for name, grant in granted.items():
            if grant.answer == "value":
                try:
                    found[name] = Found(shape.decode(grant.data), asked, grant.data)
                except records.Unreadable:
                    log.info("unreadable record under %s: read again", name)
                    force.add(name)
            elif grant.answer == "busy":
                busy[name] = grant
            else:
                todo[name] = grant
        return todo, busy

    def _push(self, name: str) -> AbstractContextManager[Push | None]:
        return self._tracking.push(name) if name else nullcontext()

    async def refresh(self, shape: Shape, names: Sequence[str], load: Load) -> None:
        """Load again what is about to expire, where nobody else does."""
        granted = await self._link.acquire(
            [shape.ask(name, nominated=True) for name in names], self._tokens(), int(LEASE * 1000)
        )
        todo = {
            name: grant
            for name, grant in zip(names, granted or (), strict=False)
            if grant.answer in ("refresh", "lease")
        }
        if todo:
            await self._do(shape, todo, load, Flight())
            self._families.of(names[0]).refreshed += len(todo)

    async def _do(self, shape: Shape, todo: dict[str, Granted], load: Load, flight: Flight) -> Loaded:
        """Read from MySQL, and store what we have the lease of."""
        leased = [name for name, grant in todo.items() if grant.answer != "bypass"]
        token = todo[leased[0]].token if leased else b""  # all are of one question
        try:
            # While a write holds everything up, nothing is kept, and every reader would load: those stand in line.
            async with nullcontext() if leased else self._gate:
                began, selected = perf_counter(), flight.ask()
                values = await load(list(todo))
            cost = int((perf_counter() - began) * 1_000_000)
            fills = {name: self._fill(shape, name, values.get(name), todo[name], cost) for name in leased}
        except BaseException:
            if leased:
                await self._link.release(leased, token)
            raise
        filled = flight.ask()
        stored = await self._store(fills, token)
        return {
            name: Found(values.get(name), filled if name in stored else selected, stored.get(name)) for name in todo
        }

    def _fill(self, shape: Shape, name: str, value: Any, grant: Granted, cost: int) -> Fill | None:
        ttl = shape.ttl * random.uniform(0.8, 1.0)  # noqa: S311 - so that what was filled together does not expire together
        if value is None:
            ttl = min(ttl, records.ABSENT_TTL)
        now = self._tracking.redis_ms
        soft = now + int(ttl * EARLY * 1000) if now else 0
        return shape.fill(name, value, grant, soft=soft, cost=cost, ttl_ms=max(1, int(ttl * 1000)))

    async def _store(self, fills: dict[str, Fill | None], token: bytes) -> dict[str, bytes]:
        """The records that Redis took, by name. A fill that fails is nobody's error."""
        items = [fill for fill in fills.values() if fill is not None]
        too_big = [name for name, fill in fills.items() if fill is None]
        if too_big:
            self._link.counts["too_big"] += len(too_big)
            await self._link.release(too_big, token)
        answers = await self._link.fill(items, token) if items else []
        return {
            item.name: item.record for item, answer in zip(items, answers or (), strict=False) if answer == "stored"
        }

    async def _unstored(self, names: list[str], load: Load, flight: Flight, why: str) -> Loaded:
        """Read from MySQL past Redis, because it is `down`, or what another process loads there comes too `late`."""
        async with self._gate:
            selected = flight.ask()
            values = await load(names)
        self._link.counts[f"unstored {why}"] += len(names)
        self._families.of(names[0]).loaded += len(names)
        return {name: Found(values.get(name), selected) for name in names}
