"""News of polls between processes: who has changed one says so on a channel of Redis, and who has readers waiting hears it.

Nothing depends on a word of it: what gets lost is found a few seconds later by `models/live.py`.
"""

import logging
from collections.abc import Callable, Collection, Iterable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cache import Cache
from models import polls, results
from models.counts import COUNTS
from models.hearing import hear

log = logging.getLogger("plaza.live")

MOST_UNTOLD = 1_000  # polls that wait to be told of; more are left to be found
_FAMILIES = (polls.BY_ID.family, results.BY_POLL.family)
COUNTS.update({"live.told": 0, "live.untold": 0})


class News:
    """What is told is what a write has made forgotten, whichever method wrote; so no method has to think of it."""

    def __init__(self, redis: Redis, cache: Cache, namespace: str) -> None:
        self._redis, self._cache = redis, cache
        self._channel = f"{namespace}:live"
        self._untold: set[int] = set()
        self._telling = False
        cache.ended.append(self._ended)

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
        """Until cancelled, call with the polls that others, and we, tell of. None: some may have been missed."""

        def told(message: bytes | None) -> None:
            heard(None if message is None else [int(id) for id in message.split()])

        await hear(self._redis, self._channel, told)
