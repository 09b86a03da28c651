"""Rendered answers, kept in the process with the names they were made of and a stamp of the content of each.

While nothing of it has changed and L1 is open, a page is answered at once. Else one MGET over its names tells whether all stamps
are as they were: then it is the right page, whatever happened meanwhile, and is answered without being made again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Generic, Protocol, TypeVar

from cache.admission import Admission
from cache.local import Local, Ticket, Watch
from cache.reading import READING, Reading
from cache.sieve import Item
from cache.weights import weigh

PAGE_OVERHEAD = 600  # B beside the answer and the names
NAME_OVERHEAD = 120  # B a name: its place in the page, and the page's in what watches the name
AGAIN = 600  # s within which a page must be made twice to be kept


class Answer(Protocol):
    """Whatever the handlers keep: `weight` is its bytes."""

    @property
    def weight(self) -> int: ...


Kept = TypeVar("Kept", bound=Answer)
Get = Callable[[Sequence[str]], Awaitable[list[bytes | None] | None]]  # Link.get
Stamp = Callable[[bytes], int | None]  # records.stamp


class _Page(Item, Watch):
    __slots__ = ("_pages", "answer", "armed", "key", "names", "stamps")

    def __init__(self, pages: "Pages[Kept]", key: str, answer: Kept, stamps: dict[str, int]) -> None:
        names = tuple(stamps)
        super().__init__(answer.weight + PAGE_OVERHEAD + sum(weigh(name) + NAME_OVERHEAD for name in names))
        self._pages, self.key, self.answer, self.armed = pages, key, answer, False
        self.names, self.stamps = names, tuple(stamps.values())

    def lost(self) -> None:
        self._pages.disarm(self)

    def evict(self) -> None:
        self._pages.remove(self)


class Pages(Generic[Kept]):
    """The pages of this process, within the bytes of `local`. `get` is `Link.get`; `stamp` is `records.stamp`."""

    def __init__(self, local: Local, get: Get, stamp: Stamp) -> None:
        self._local, self._get, self._stamp = local, get, stamp
        self._pages: dict[str, _Page] = {}
        self._admission = Admission(1 << 14, AGAIN)
        self._checks: dict[str, asyncio.Future[Kept | None]] = {}
        self._made: dict[str, asyncio.Event] = {}
        self.hits = self.confirmed = self.refuted = self.tainted = 0

    def get(self, key: str) -> Kept | None:
        """The page, if it may be answered at this moment."""

    async def check(self, key: str) -> Kept | None:
        """The page, if Redis says that it is as it would be made now: one trip. None: make it."""

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """In here, all that the cache answers is noted."""

    def put(self, key: str, reading: Reading, answer: Kept) -> None:
        """Keep a page that was made under `reading`, if nothing taints it and it is made for the second time in `AGAIN` seconds."""

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[bool]:
        """Of many who want to make the same page the first gets True at once; the others get False when it is done.

        These look again (`get`, `check`) and then make it themselves.
        """
        yield True
