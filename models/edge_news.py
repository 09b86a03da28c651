"""News between processes of Nginx's store: who has made a page for it says of what, and who has written says what is over.

Nothing depends on a word of it: a page of which nothing is heard goes by itself, at most `page_ttl` seconds after it was begun.
A message is a list of entries: ["made", key, begun, names] and ["wrote", at, names], moments in seconds since 1970.
"""

import asyncio
import logging
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgpack
from redis.asyncio import Redis
from redis.exceptions import RedisError

from cache import Cache
from cache.boards import Rankings
from models.counts import COUNTS
from models.hearing import hear
from models.traces import TRACE

log = logging.getLogger("plaza.edge")

BUNDLE = 0.002  # s; what is said within them goes out together
MOST_UNTOLD = 10_000  # entries that wait to be told; of more nobody hears
AT_ONCE = 500  # entries of a message
COUNTS.update({"edge.made": 0, "edge.wrote": 0, "edge.untold": 0, "edge.unread": 0})

Entry = list[Any]
_ANY = "surrogatepass"  # a name may be made of what somebody has sent


class EdgeNews:
    """What is told of writes is what they have made forgotten, whichever method wrote; so no method has to think of it."""

    def __init__(self, redis: Redis, cache: Cache, rankings: Rankings, namespace: str) -> None:
        self._redis, self._cache = redis, cache
        self._channel = f"{namespace}:edge"
        self._untold: list[Entry] = []
        self._telling = False
        cache.ended.append(self._ended)
        rankings.ended.append(self._ended)

    def made(self, key: str, begun: float, names: Sequence[str]) -> None:
        """A page is handed over to be stored. `begun`: before anything of it was read. `names`: of what it was made, as far as
        the cache knows. It neither waits nor fails."""
        self._say("made", [key, begun, list(names)])

    def _ended(self, names: Sequence[str]) -> None:
        """A write has ended, and these names of the cache are read anew: pages that were begun before now are over."""
        self._say("wrote", [time.time(), list(names)])

    def _say(self, what: str, told: Entry) -> None:
        if not self._cache.link.up or len(self._untold) >= MOST_UNTOLD:
            COUNTS["edge.untold"] += 1
            return
        COUNTS[f"edge.{what}"] += 1
        self._untold.append([what, *told])
        if not self._telling:
            self._telling = True
            self._cache.own(self._tell(), "edge news")

    async def _tell(self) -> None:
        TRACE.set(None)  # no request waits for it
        try:
            while self._untold:
                await asyncio.sleep(BUNDLE)
                told, self._untold = self._untold[:AT_ONCE], self._untold[AT_ONCE:]
                try:
                    await self._redis.publish(self._channel, msgpack.packb(told, unicode_errors=_ANY))
                except (RedisError, OSError, TimeoutError) as error:
                    COUNTS["edge.untold"] += len(told)
                    log.info("nobody was told of %s pages and writes: %s", len(told), error)
        finally:
            self._telling = False

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
