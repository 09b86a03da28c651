"""News between processes of Nginx's store: who has made a page for it says of what, and who has written says what is over.

Nothing depends on a word of it: a page of which nothing is heard goes by itself, at most `page_ttl` seconds after it was begun.
What cannot be said of a write is said later, for as long as it can matter.
A message is a list of entries: ["made", key, begun, names] and ["wrote", at, names], moments in seconds since 1970.
"""

import asyncio
import logging
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgpack
from redis.asyncio import Redis

from cache import Cache
from cache.boards import Rankings
from models.counts import COUNTS
from models.hearing import hear
from models.traces import TRACE

log = logging.getLogger("plaza.edge")

BUNDLE = 0.002  # s; what is said within them goes out together
MOST_UNTOLD = 10_000  # pages that wait to be told; of more nobody hears
MOST_NAMES = 100_000  # that writes have made forgotten, and that wait
AT_ONCE = 500  # entries of a message
AGAIN = 0.5  # s until it is said once more what could not be told of writes
LONGEST = 60.0  # s that it is worth saying: no page lives for longer (`page_ttl`)
COUNTS.update({"edge.made": 0, "edge.wrote": 0, "edge.untold": 0, "edge.unread": 0})

Entry = list[Any]
_ANY = "surrogatepass"  # a name may be made of what somebody has sent


class EdgeNews:
    """What is told of writes is what they have made forgotten, whichever method wrote; so no method has to think of it."""

    def __init__(self, redis: Redis, cache: Cache, rankings: Rankings, namespace: str) -> None:
        self._redis, self._cache = redis, cache
        self._channel = f"{namespace}:edge"
        self._made: list[Entry] = []
        self._wrote: dict[str, float] = {}  # when a write of each name last ended
        self._teller: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        cache.ended.append(self._ended)
        rankings.ended.append(self._ended)

    def made(self, key: str, begun: float, names: Sequence[str]) -> None:
        """A page is handed over to be stored. `begun`: before anything of it was read. `names`: of what it was made, as far as
        the cache knows. It neither waits nor fails."""
        if not self._cache.link.up or len(self._made) >= MOST_UNTOLD:
            COUNTS["edge.untold"] += 1
            return
        COUNTS["edge.made"] += 1
        self._made.append(["made", key, begun, list(names)])
        self._begin()

    def _ended(self, names: Sequence[str]) -> None:
        """A write has ended, and these names of the cache are read anew: pages that were begun before now are over. While Redis
        is away it is kept, to be said when Redis is back."""
        if len(self._wrote) >= MOST_NAMES:
            COUNTS["edge.untold"] += 1
            return
        COUNTS["edge.wrote"] += 1
        self._wrote.update(dict.fromkeys(names, time.time()))
        self._begin()

    def _begin(self) -> None:
        if self._teller is None or self._teller.done():
            self._teller = asyncio.create_task(self._tell(), name="edge news")

    async def _tell(self) -> None:
        TRACE.set(None)  # no request waits for it
        while self._made or self._wrote:
            await asyncio.sleep(BUNDLE)
            made, self._made = self._made[:AT_ONCE], self._made[AT_ONCE:]
            wrote, self._wrote = self._wrote, {}
            try:
                # Of the names of several writes the last end counts: a page too many is made anew, and none too few.
                last = [["wrote", max(wrote.values()), list(wrote)]] if wrote else []
                await self._redis.publish(self._channel, msgpack.packb([*made, *last], unicode_errors=_ANY))
            except Exception as error:
                log.info("nobody was told of %s pages and %s names: %s", len(made), len(wrote), error)
                COUNTS["edge.untold"] += len(made)
                worth = time.time() - LONGEST
                self._wrote = {name: at for name, at in wrote.items() if at > worth} | self._wrote
                if self._closing.is_set():
                    COUNTS["edge.untold"] += len(self._wrote)
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN):
                        await self._closing.wait()

    async def close(self) -> None:
        """Say what there is to say, once."""
        self._closing.set()
        if self._teller is not None:
            await self._teller

    async def hear(self, heard: Callable[[list[Entry] | None], None]) -> None:
        """Until cancelled, call with the entries that others, and we, tell. None: some may have been missed."""

        def told(message: bytes | None) -> None:
            try:
                entries = None if message is None else msgpack.unpackb(message, unicode_errors=_ANY)
            except (ValueError, msgpack.UnpackException) as error:  # of another version of ours
                COUNTS["edge.unread"] += 1
                log.warning("news that nobody understands: %s", error)
                return
            heard(entries)

        await hear(self._redis, self._channel, told)


@lru_cache(1 << 14)
def surrogate_key(name: str) -> str:
    """What a CDN knows a name of the cache by, in `Surrogate-Key` and in what it is told to purge: 8 characters."""
    return urlsafe_b64encode(blake2b(name.encode(errors=_ANY)).digest())[:8].decode()
