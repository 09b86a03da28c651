"""How a process hears what others say on a channel of Redis, for as long as it wants, through all that breaks a connection."""

import asyncio
import logging
import random
from collections.abc import Callable

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

log = logging.getLogger("plaza.news")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # s between two tries to subscribe, and up to half as much again
SILENCE = (
    5.0  # s after which Redis is asked whether it still hears us; it is gone when it does not answer for as long again
)


async def hear(redis: Redis, channel: str, heard: Callable[[bytes | None], None]) -> None:
    """Until cancelled, call with each message. None: some may have been missed, as whenever a connection is new."""
    pause = FIRST_PAUSE
    while True:
        try:
            async with redis.pubsub() as connection:
                await connection.subscribe(channel)
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


async def _next(connection: PubSub) -> bytes | None:
    """The next message; an empty one when the subscription begins; None when Redis has gone without a word."""
    asked = False
    while (message := await connection.get_message(timeout=SILENCE)) is None or message["type"] == "pong":
        if message is None:
            if asked:
                return None
            await connection.ping()
        asked = message is None
    return bytes(message["data"]) if message["type"] == "message" else b""
