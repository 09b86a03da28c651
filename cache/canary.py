"""The canary: a key of our own, written on another connection, whose push must come. Else L1 would be deaf and not know it."""

import asyncio
from secrets import token_hex

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cache.local import now

LIFE = 2000  # ms the key stays in Redis


class Died(Exception):
    """The canary was not written, or its push did not come: this connection is not told of changes."""


class Canary:
    """One flight, begun at once.

    No clock decides its fate. Pushes come in order: when a PING was sent after the key had been written, and its PONG comes
    before the push, then the push will never come.
    """

    def __init__(self, redis: Redis, namespace: str) -> None:
        self.key = f"{namespace}:canary:{token_hex(8)}".encode()
        self.lag: float | None = None  # s from the write to its push
        self._began = now()
        self.task = asyncio.create_task(
            self._write(redis), name="canary"
        )  # to be held, and waited for, by who begins it
        self._written: float | None = None
        self._error: Exception | None = None

    async def _write(self, redis: Redis) -> None:
        try:
            await redis.set(self.key, b"", px=LIFE)
            self._written = now()
        except (RedisError, OSError) as error:
            self._error = error

    def came(self) -> None:
        """Its push is here."""
        self.lag = self.lag or now() - self._began

    def well(self, pinged: float) -> bool:
        """The PONG of the PING sent at `pinged` has come: is the push here, too? Raises Died when it will not come."""
        if self.lag is not None:
            return True
        if self._error is not None:
            raise Died(f"the canary could not be written: {self._error}")
        if self._written is not None and self._written <= pinged:
            raise Died("Redis brings no pushes on this connection")
        return False

    def end(self) -> None:
        self.task.cancel()
