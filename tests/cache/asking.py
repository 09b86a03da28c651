"""Links of several processes to a Redis of the test's own, and short spellings of what they ask."""

import asyncio
from itertools import count
from typing import Any

from redis.asyncio import Redis

from cache import records
from cache.link import Ask, Fill, Granted, Link
from tests.cache.steps import client, until

SECONDS = 0.3  # that the link on a relay waits for an answer
TOKEN, WRITER = b"t" * 16, b"w" * 16
ROW, LIST = 77, records.LIST_SCHEMA
LONG = 60_000  # ms; longer than any test
_ids = count(1)


def fresh() -> bytes:
    """A token, or a writer: never the same twice."""
    return b"nonce..." + next(_ids).to_bytes(8, "big")


def record(text: str, *, version: int = 1, schema: int = ROW, stamps: tuple[bytes, ...] = ()) -> bytes:
    """A record V, whose payload the scripts do not look at."""
    data = bytearray(records.encode_list(stamps, (text,)))
    data[1:3], data[4:12] = schema.to_bytes(2, "big"), version.to_bytes(8, "big")
    return bytes(data)


class Desk:
    """A link, Redis itself, and questions spelt shortly."""

    def __init__(self, link: Link, redis: Redis) -> None:
        self.link, self.redis = link, redis

    async def acquire(self, name: str, token: bytes, *, lease: int = LONG, **more: Any) -> Granted:
        granted = await self.link.acquire([Ask(name, more.pop("schema", ROW), **more)], token, lease)
        assert granted is not None
        return granted[0]._replace(token=b"")

    async def acquire_list(self, name: str, token: bytes, *scopes: str, **more: Any) -> Granted:
        return await self.acquire(name, token, schema=LIST, scopes=scopes, **more)

    async def fill(self, name: str, data: bytes, token: bytes, *scopes: str, ttl: int = LONG) -> str:
        filled = await self.link.fill([Fill(name, data, ttl, scopes)], token)
        assert filled is not None
        return filled[0]

    async def get(self, name: str) -> bytes | None:
        found = await self.link.get([name])
        assert found is not None
        return found[0]

    async def stored(self, name: str, data: bytes) -> None:
        """As a reader leaves it."""
        token = fresh()
        assert (await self.acquire(name, token)).answer == "lease"
        assert await self.fill(name, data, token) == "stored"

    async def stored_list(self, name: str, *scopes: str) -> bytes:
        token = fresh()
        granted = await self.acquire_list(name, token, *scopes)
        data = record("items", version=0, schema=LIST, stamps=granted.stamps)
        assert (granted.answer, await self.fill(name, data, token, *scopes)) == ("lease", "stored")
        return data

    async def begin(self, records: list[str], scopes: list[str] | None = None, hold: int = LONG) -> bytes:
        writer = fresh()
        assert await self.link.begin(records, scopes or [], writer, hold)
        return writer

    async def end(self, writer: bytes, records: list[str], scopes: list[str] | None = None) -> None:
        assert await self.link.end(records, scopes or [], writer)

    async def overdue(self, begun: bytes, *names: str) -> None:
        """Wait until Redis' clock has passed the deadline of a writer in the tombstones and generations of these names."""
        due = 0
        for name in names:
            data = await self.get(name) or b""
            at = data.find(begun)
            due = max(due, int.from_bytes(data[at + 16 : at + 24], "big") if at >= 0 else 0)
        while True:
            seconds, micros = await self.redis.time()
            if seconds * 1000 + micros // 1000 > due:
                return
            await asyncio.sleep(0.005)


class Links:
    """Links of several processes to one Redis, each with the changes that it told."""

    def __init__(self) -> None:
        self.made: list[tuple[Link, Redis]] = []

    def open(self, url: str, *, seconds: float = 5.0, **more: Any) -> Link:
        redis = client(url, seconds)
        self.made.append((Link(redis, "l", **more), redis))
        return self.made[-1][0]

    async def close(self) -> None:
        for link, redis in self.made:
            await link.close()
            await redis.aclose()


def told(link: Link) -> list[tuple[bool, str]]:
    """(up, epoch) at each change from now on."""
    changes: list[tuple[bool, str]] = []
    link.on_change(lambda: changes.append((link.up, link.epoch)))
    return changes


async def back(link: Link) -> None:
    await until(lambda: link.up)
