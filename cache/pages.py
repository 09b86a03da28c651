"""Rendered answers, kept in the process with the names they were made of and a stamp of the content of each.

While nothing of it has changed and L1 is open, a page is answered at once. Else one MGET over its names tells whether all stamps
are as they were: then it is the right page, whatever happened meanwhile, and is answered without being made again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from cache.admission import Admission
from cache.heat import ONE_IN
from cache.local import LONGEST, Local, Watch, now
from cache.reading import READING, Reading
from cache.sieve import Item
from cache.weights import weigh

PAGE = "page:"  # before the key of a page, where it stands among names
PAGE_OVERHEAD = 600  # B beside the answer and the names
NAME_OVERHEAD = 120  # B a name: its place in the page, and the page's in what watches the name
AGAIN = 600  # s within which a page must be made twice to be kept


class Answer(Protocol):
    """Whatever the handlers keep: `weight` is its bytes."""

    @property
    def weight(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Look:
    """A page as it is kept: given `at_once`, or after one question to Redis; its bytes, and what it was made of."""

    at_once: bool
    weight: int
    stamps: dict[str, int]


Kept = TypeVar("Kept", bound=Answer)
Get = Callable[[Sequence[str]], Awaitable[list[bytes | None] | None]]  # Link.get
Stamp = Callable[[bytes], int | None]  # records.stamp


class _Page(Item, Watch, Generic[Kept]):
    """`armed`: all its names are watched, and none has changed since it was made or looked at, at most until `until`."""

    __slots__ = ("_pages", "answer", "armed", "key", "names", "stamps", "until")
    names: tuple[str, ...]

    def __init__(self, pages: "Pages[Kept]", key: str, answer: Kept, stamps: dict[str, int]) -> None:
        names = tuple(stamps)
        bytes_ = answer.weight + answer.weight // 8  # measured: blocks of many sizes leave holes
        super().__init__(bytes_ + PAGE_OVERHEAD + sum(weigh(name) + NAME_OVERHEAD for name in names))
        self._pages, self.key, self.answer, self.armed = pages, key, answer, False
        self.names, self.stamps, self.until = names, tuple(stamps.values()), 0.0

    def lost(self) -> None:
        self._pages.disarm(self)

    def evict(self) -> None:
        self._pages.remove(self)


class Pages(Generic[Kept]):
    """The pages of this process, within the bytes of `local`. `get` is `Link.get`; `stamp` is `records.stamp`."""

    def __init__(self, local: Local, get: Get, stamp: Stamp) -> None:
        self._local, self._get, self._stamp = local, get, stamp
        self._pages: dict[str, _Page[Kept]] = {}
        self._admission = Admission(1 << 14, AGAIN)
        self._checks: dict[str, asyncio.Task[Kept | None]] = {}
        self._turns: dict[str, asyncio.Event] = {}
        self.hits = self.confirmed = self.refuted = self.tainted = self.made = self.joined = 0

    def __contains__(self, key: str) -> bool:
        """Whether there is a page, be it that `check` has to be asked, or one is being made anew (`turn`)."""
        return key in self._pages or key in self._turns

    def get(self, key: str) -> Kept | None:
        """The page, if it may be answered at this moment."""
        page = self._pages.get(key)
        if page is not None:
            moment = now()
            if (moment <= self._local.until or self._local.catch_up()) and page.armed and moment <= page.until:
                page.used = True
                self.hits += 1
                if not self.hits % ONE_IN:
                    self._local.heat.note(f"{PAGE}{key}")
                return page.answer
        return None

    async def check(self, key: str) -> Kept | None:
        """The page, if Redis says that it is as it would be made now: one trip. None: make it.

        Who asks for the same page in the same turn of the loop shares the trip; later ones do not, for a write may have returned
        in between.
        """
        page = self._pages.get(key)
        if page is None:
            return None
        flight = self._checks.get(key)
        if flight is None:
            flight = self._checks[key] = asyncio.create_task(self._confirm(page), name="check")
            # The task's first step comes before this, and Redis is asked in it or after it.
            asyncio.get_running_loop().call_soon(self._checks.pop, key, None)
        return await asyncio.shield(flight)

    async def _confirm(self, page: _Page[Kept]) -> Kept | None:
        ticket = self._local.ticket(*page.names)
        found = await self._get(page.names)
        if found is None:
            return None
        for data, stamp in zip(found, page.stamps, strict=True):
            if data is None or self._stamp(data) != stamp:
                self.refuted += 1
                self.remove(page)
                return None
        self.confirmed += 1
        page.used = True
        if ticket.alive and self._pages.get(page.key) is page:
            self._arm(page)
        return page.answer

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """In here, all that the cache answers is noted."""
        reading = Reading(self._local)
        token = READING.set(reading)
        try:
            yield reading
        finally:
            READING.reset(token)

    def begin(self) -> Reading:
        """As `reading`, from here to the end of this task."""
        reading = Reading(self._local)
        READING.set(reading)
        return reading

    def put(self, key: str, reading: Reading, answer: Kept) -> None:
        """Keep a page that was made under `reading`, from the second time on that it is made within `AGAIN` seconds.

        Not kept: what is tainted, and what was made of nothing that the cache knows.
        """
        self.made += 1
        if reading.why or not reading.stamps:
            self.tainted += 1
            return
        if not self._admission.again(key):
            return
        page = _Page(self, key, answer, reading.stamps)
        if page.weight > self._local.most // 8:
            self._local.too_big += 1
            return
        if old := self._pages.get(key):
            self.remove(old)
        self._pages[key] = page
        self._local.spare.add(page)
        if reading.alive:
            self._arm(page)
        self._local.make_room()

    def look(self, key: str) -> Look | None:
        """What is kept under the key; nothing changes by it."""
        page = self._pages.get(key)
        if page is None:
            return None
        at_once = page.armed and now() <= page.until and self._local.open
        return Look(at_once, page.weight, dict(zip(page.names, page.stamps, strict=True)))

    def forget(self, key: str) -> bool:
        """Make it anew when it is asked for again; whether there was one."""
        page = self._pages.get(key)
        if page is not None:
            self.remove(page)
        return page is not None

    def remove(self, page: _Page[Kept]) -> None:
        """The page, if it is still here."""
        if self._pages.get(page.key) is page:
            self.disarm(page)
            self._local.spare.remove(page)
            del self._pages[page.key]

    def disarm(self, page: _Page[Kept]) -> None:
        """Something of it may have changed: it waits to be looked at again, and goes first when room is needed."""
        if page.armed:
            page.armed = False
            self._local.unwatch(page)
            self._local.live.remove(page)
            self._local.spare.add(page)

    def _arm(self, page: _Page[Kept]) -> None:
        page.until = now() + LONGEST
        if not page.armed:
            page.armed = True
            self._local.watch(page)
            self._local.spare.remove(page)
            self._local.live.add(page)

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[bool]:
        """Of many who want to make the same page the first gets True at once; the others get False when it is done.

        These look again (`get`, `check`), and make it themselves if need be, without another turn.
        """
        done = self._turns.get(key)
        if done is not None:
            await done.wait()
            self.joined += 1
            yield False
            return
        done = self._turns[key] = asyncio.Event()
        try:
            yield True
        finally:
            del self._turns[key]
            done.set()
