"""News of polls between processes: who has changed one says so on a channel of Redis, and who has readers waiting hears it.

Nothing depends on a word of it: what gets lost is found a few seconds later by `models/live.py`.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Iterable

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from cache import Cache
from models import polls, results
from models.counts import COUNTS

log = logging.getLogger("plaza.live")

MOST_UNTOLD = 1_000  # polls that wait to be told of; more are left to be found
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # s between two tries to subscribe, and up to half as much again
SILENCE = (
    5.0  # s after which Redis is asked whether it still hears us; it is gone when it does not answer for as long again
)
_FAMILIES = (polls.BY_ID.family, results.BY_POLL.family)
COUNTS.update({"live.told": 0, "live.untold": 0})


class News:
    """What is told is what a write has made forgotten, whichever method wrote; so no method has to think of it."""

    def __init__(self, redis: Redis, cache: Cache, namespace: str) -> None:
        self._redis, self._cache = redis, cache
        self._channel = f"{namespace}:live"
        self._untold: set[int] = set()
        self._telling = False
        cache.ended = self._ended

    def _ended(self, names: Iterable[str]) -> None:
        """A write has ended, and these names of the cache are read anew. It neither waits nor fails."""
        parts = (name.partition(":") for name in names)
        if not (changed := {int(id) for family, _, id in parts if family in _FAMILIES}):
            return
        if not self._cache.link.up or len(self._untold) >= MOST_UNTOLD:
            COUNTS["live.untold"] += len(changed)
            return
        self._untold |= changed
        if not self._telling:
            self._telling = True
            self._cache.own(self._tell(), "news")

    async def _tell(self) -> None:
        """What comes together meanwhile goes out together."""
        try:
            while self._untold:
                told, self._untold = self._untold, set()
                try:
                    await self._redis.publish(self._channel, " ".join(map(str, told)))
                    COUNTS["live.told"] += len(told)
                except (RedisError, OSError, TimeoutError) as error:
                    COUNTS["live.untold"] += len(told)
                    log.info("nobody was told of a change: %s", error)
        finally:
            self._telling = False

    async def hear(self, heard: Callable[[Collection[int] | None], None]) -> None:
        """Until cancelled, call with the polls that others, and we, tell of. None: some may have been missed, as whenever
        a connection is new."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._redis.pubsub() as connection:
                    await connection.subscribe(self._channel)
                    while (said := await _next(connection)) is not None:
                        pause = FIRST_PAUSE
                        heard(said or None)
                log.warning("no news from Redis: it does not answer")
            except (RedisError, OSError, TimeoutError) as error:
                if pause == FIRST_PAUSE:
                    log.warning("no news from Redis: %s", error)
            except Exception:
                log.exception("a mistake in the news")
            await asyncio.sleep(pause * random.uniform(1.0, 1.5))  # noqa: S311 - no secret
            pause = min(2 * pause, LONGEST_PAUSE)


async def _next(connection: PubSub) -> list[int] | None:
    """The polls of the next message; none of them when the subscription begins; None when Redis has gone without a word."""
    asked = False
    while (message := await connection.get_message(timeout=SILENCE)) is None or message["type"] == "pong":
        if message is None:
            if asked:
                return None
            await connection.ping()
        asked = message is None
    return [int(id) for id in message["data"].split()] if message["type"] == "message" else []
