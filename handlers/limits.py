"""How often somebody may do something: counted in Redis for all processes, in this process while Redis is away."""

import logging
import math
import time
from dataclasses import dataclass

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from models.errors import ModelError
from settings import Settings

log = logging.getLogger("plaza.limits")

MOST_REMEMBERED = 10_000  # ends of windows


@dataclass(frozen=True, slots=True)
class Limit:
    """`most` times in `seconds`, counted under `name` for each subject (an account, an address)."""

    name: str
    most: int
    seconds: int

    @property
    def item(self) -> RateLimitItemPerSecond:
        return RateLimitItemPerSecond(self.most, self.seconds, namespace=self.name)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a subject stands under a limit: what is left, and seconds until the window ends."""

    limit: Limit
    left: int
    reset: int

    def headers(self) -> dict[str, str]:
        """The three names in both spellings that clients know; times are seconds left."""
        values = {"Limit": self.limit.most, "Remaining": self.left, "Reset": self.reset}
        return {
            f"{prefix}{name}": str(value) for prefix in ("RateLimit-", "X-RateLimit-") for name, value in values.items()
        }


class TooMany(ModelError):
    """The limit is reached; `standing.reset` says when to come back."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(f"{standing.limit.name}: {standing.limit.most} in {standing.limit.seconds} s")
        self.standing = standing


class Limits:
    """Fixed windows that begin with the first hit."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self.signin_account = Limit("signin.account", settings.signin_failures_account, settings.signin_window)
        self.signin_address = Limit("signin.address", settings.signin_failures_address, settings.signin_window)
        self.token_address = Limit("token.address", settings.signin_failures_address, settings.signin_window)
        self.registration = Limit("registration", settings.registrations_per_hour, 3600)
        self.comment = Limit("comment", settings.comments_per_minute, 60)
        self.score = Limit("score", settings.scores_per_minute, 60)
        self.vote = Limit("vote", settings.votes_per_minute, 60)
        self.vote_address = Limit("vote.address", settings.votes_per_minute, 60)
        self.upload = Limit("upload", settings.uploads_per_minute, 60)
        self.mail = Limit("mail", settings.registrations_per_hour, 3600)
        self._by_address = not settings.replay_target  # a replay sends everything from one address
        storage = RedisStorage(
            "async+redis://", implementation="redispy", key_prefix=f"{settings.namespace}:limit",
            connection_pool=redis.connection_pool,  # type: ignore[arg-type]  # documented; the stub knows plain options only
        )  # fmt: skip
        self._shared = FixedWindowRateLimiter(storage)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._ends: dict[str, float] = {}  # when windows end, by the storage's key

    async def hit(self, limit: Limit, subject: str) -> Standing:
        """Count once. Raises TooMany when nothing was left."""
        if not self._applies(limit):
            return Standing(limit, limit.most, 0)
        try:
            count, ends = await self._count(self._shared.storage, limit, subject)
        except (RedisError, OSError) as error:
            log.warning("Redis is away, limits are kept in this process: %s", error)
            count, ends = await self._count(self._own.storage, limit, subject)
        standing = Standing(limit, max(0, limit.most - count), max(1, math.ceil(ends - time.time())))
        if count > limit.most:
            raise TooMany(standing)
        return standing

    async def _count(self, storage: Storage, limit: Limit, subject: str) -> tuple[int, float]:
        """How often it was hit in this window, this time included, and when the window ends: mostly one trip, for that moment is
        remembered. It is a hint to who asks: the storage alone decides."""
        key, now = limit.item.key_for(subject), time.time()
        count = await storage.incr(key, limit.seconds)
        ends = now + limit.seconds if count == 1 else self._ends.get(key, 0.0)
        if ends <= now:
            ends = await storage.get_expiry(key)
        if len(self._ends) >= MOST_REMEMBERED:
            self._ends.clear()
        self._ends[key] = ends
        return count, ends

    async def give_back(self, limit: Limit, subject: str) -> None:
        """Uncount one hit: it turned out not to be of the kind that is limited."""
        if self._applies(limit):
            try:
                await self._shared.hit(limit.item, subject, cost=-1)
            except (RedisError, OSError):
                await self._own.hit(limit.item, subject, cost=-1)

    async def standing(self, limit: Limit, subject: str) -> Standing:
        try:
            stats = await self._shared.get_window_stats(limit.item, subject)
        except (RedisError, OSError):
            stats = await self._own.get_window_stats(limit.item, subject)
        return Standing(limit, max(0, stats.remaining), max(1, math.ceil(stats.reset_time - time.time())))

    def _applies(self, limit: Limit) -> bool:
        by_address = (self.signin_address, self.token_address, self.registration, self.mail, self.vote_address)
        return self._by_address or limit not in by_address
