"""A row, a list, and a truth that they are loaded from, whose answers a test can hold back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from tornado.ioloop import IOLoop

from cache import Cache, Link, Local, Slot, Tracking
from settings import Settings
from tests.cache.samples import NOTE, NOTES, PAGE, Note, rows


@dataclass(slots=True)
class Truth:
    """What MySQL is elsewhere. With `hold` a load has read its rows, and answers when `free` is called."""

    rows: dict[int, str] = field(default_factory=dict)
    loads: int = 0
    held: asyncio.Event = field(default_factory=asyncio.Event)
    _gate: asyncio.Event | None = None

    def hold(self) -> None:
        self._gate, self.held = asyncio.Event(), asyncio.Event()

    def free(self) -> None:
        if self._gate:
            self._gate.set()
        self._gate = None

    async def _answer(self) -> None:
        self.loads += 1
        self.held.set()
        if gate := self._gate:
            await gate.wait()

    async def notes(self, slots: list[Slot]) -> dict[Slot, Note]:
        found = {NOTE(id): Note(id, text) for id, text in self.rows.items()}
        await self._answer()
        return {slot: found[slot] for slot in slots if slot in found}

    async def page(self) -> tuple[int, ...]:
        ids = tuple(sorted(self.rows))
        await self._answer()
        return ids


@dataclass(slots=True)
class Reader:
    """One process: its cache over the truth. `key` is what stands in Redis under a slot's name."""

    cache: Cache
    truth: Truth

    @property
    def link(self) -> Link:
        return self.cache.link

    def key(self, slot: Slot) -> bytes:
        return self.link.full(slot.name)

    async def note(self, id: int) -> Note | None:
        return (await rows(self.cache, Note, [NOTE(id)], self.truth.notes))[NOTE(id)]

    async def page(self) -> tuple[int, ...]:
        return await self.cache.items(PAGE(1), self.truth.page)

    async def write(self, id: int, text: str) -> None:
        """As a transaction does it: begin, commit, end."""
        slots, writer = (NOTE(id), NOTES()), self.cache.writer()
        await self.cache.begin(slots, writer, 10)
        self.truth.rows[id] = text
        await self.cache.end(slots, writer)


def connect(settings: Settings) -> Redis:
    return Redis.from_url(
        settings.redis, protocol=3, socket_timeout=settings.redis_timeout,
        socket_connect_timeout=settings.redis_timeout, retry=Retry(NoBackoff(), 0),
        max_connections=1000,
    )  # fmt: skip


@pytest.fixture
def choices() -> dict[str, Any]:
    """200 connections at one moment take their time on a busy machine."""
    return {"redis_timeout": 10.0}


@pytest.fixture
def truth() -> Truth:
    return Truth({1: "old"})


@pytest.fixture
def redis(io_loop: IOLoop, settings: Settings) -> Iterator[Redis]:
    """The test's own look into Redis."""
    client = connect(settings)
    yield client
    io_loop.run_sync(client.aclose)


@asynccontextmanager
async def opened(settings: Settings, truth: Truth, *, near: bool = False, kept: bool = True) -> AsyncIterator[Reader]:
    """One process; `near`: it hears what others write, and (`kept`) answers by itself what it has just read."""
    redis = connect(settings)
    debts: list[Cache] = []

    async def replay() -> None:
        for cache in debts:
            if not await cache.settle():
                raise OSError("Redis could not be told what to forget")

    link, local = Link(redis, settings.namespace, replay=replay), Local(1 << 20, on=near and kept)
    tracking = Tracking(redis, settings.namespace, link, local)
    cache = Cache(link, local, tracking)
    debts.append(cache)
    await link.start()
    if near:
        tracking.start()
    try:
        yield Reader(cache, truth)
    finally:
        await cache.close()
        await tracking.close()
        await link.close()
        await redis.aclose()


@pytest.fixture
def process(io_loop: IOLoop, settings: Settings, truth: Truth) -> Iterator[Callable[..., Awaitable[Reader]]]:
    """`await process()` is one more process over the same truth and the same Redis."""
    stack = AsyncExitStack()

    async def make(*, near: bool = False, kept: bool = True) -> Reader:
        return await stack.enter_async_context(opened(settings, truth, near=near, kept=kept))

    yield make
    io_loop.run_sync(stack.aclose)


@pytest.fixture
def one(io_loop: IOLoop, process: Callable[..., Awaitable[Reader]]) -> Reader:
    reader: Reader = io_loop.run_sync(process)
    return reader


@pytest.fixture
def other(io_loop: IOLoop, process: Callable[..., Awaitable[Reader]]) -> Reader:
    reader: Reader = io_loop.run_sync(process)
    return reader
