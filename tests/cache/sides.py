"""Processes by their link, their L1 and its connection of pushes, over the common Redis; what they read are plain keys."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from cache import records
from cache.link import Link
from cache.local import Local
from cache.pages import Pages
from cache.tracking import Tracking


@dataclass(slots=True)
class Side:
    """One process: its link, its L1, and the pushes that L1 lives by."""

    redis: Redis
    link: Link
    local: Local
    tracking: Tracking

    def keep(self, name: str, value: str = "old") -> None:
        """As after two reads."""
        for _ in range(2):
            self.local.put(self.local.ticket(name), name, value, stamp=1)

    def has(self, name: str) -> Any:
        entry = self.local.get(name)
        return entry and entry.value

    async def write(self, name: str) -> None:
        await self.redis.set(self.link.full(name), b"x", px=5000)


def connect(url: str) -> Redis:
    return Redis.from_url(url, protocol=3, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0))


async def until(claim: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not claim():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.002)


async def side(url: str, namespace: str, pushes: str = "") -> Side:
    """`pushes`: where the connection of pushes goes, if not to `url`."""
    redis = connect(url)
    link, local = Link(redis, namespace), Local(1 << 20)
    await link.start()
    tracking = Tracking(connect(pushes or url), namespace, link, local)
    tracking.start()
    await until(lambda: local.open)
    return Side(redis, link, local, tracking)


async def end(made: Side) -> None:
    await made.tracking.close()
    await made.link.close()
    await made.redis.aclose()
    await made.tracking._redis.aclose()


@dataclass(frozen=True, slots=True)
class Made:
    """An answer of the handlers'."""

    text: str

    @property
    def weight(self) -> int:
        return len(self.text)


@dataclass(slots=True)
class Maker:
    """Makes pages of records in Redis, as a handler does through the cache."""

    at: Side
    pages: Pages[Made]
    trips: int = 0
    made: int = 0

    async def make(self, key: str, *names: str) -> str:
        """The page made anew: the contents of these names."""
        self.made += 1
        with self.pages.reading() as reading:
            ticket = self.at.local.ticket(*names)
            found = await self.at.link.get(names)
            assert found
            for name, data in zip(names, found, strict=True):
                reading.saw(name, records.stamp(data) if data else None, ticket.alive)
            text = b"|".join(data or b"" for data in found).decode("latin-1")
        self.pages.put(key, reading, Made(text))
        return text

    async def kept(self, key: str, *names: str) -> None:
        """As after two readers."""
        for _ in range(2):
            await self.make(key, *names)

    async def checked(self, key: str) -> Made | None:
        before = self.at.link.counts["trips"]
        answer = await self.pages.check(key)
        self.trips += self.at.link.counts["trips"] - before
        return answer

    async def set(self, name: str, generation: int) -> None:
        """A record with a stamp of its own: the generation of a scope."""
        await self.at.redis.set(self.at.link.full(name), b"G" + generation.to_bytes(8, "big") + b"\0", px=60_000)


async def heard(maker: Maker, name: str, generation: int) -> None:
    """Another process writes, and we hear of it."""
    ticket = maker.at.local.ticket(name)
    await maker.set(name, generation)
    await until(lambda: not ticket.alive)
