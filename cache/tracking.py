"""The connection that brings the pushes: what any process writes to Redis is told to this one, in order."""

from types import TracebackType
from typing import Protocol

from redis.asyncio import Redis

from cache.local import Local


class Linked(Protocol):
    """What is needed of `cache.link.Link`."""

    up: bool

    def full(self, name: str) -> bytes: ...


class Push:
    """The next push of a name: `with tracking.push(name) as push: <ask Redis>; if BUSY: await push.wait(rest)`."""

    async def wait(self, seconds: float) -> None:
        """Until the name was pushed, dropped or flushed since the `with`, at most `seconds`; a short rest when no pushes come in."""

    def __enter__(self) -> "Push": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


class Tracking:
    """Keeps `local` told, and its fence young. Redis away is no error: it tries again, every 0.1 s to 1 s."""

    def __init__(self, redis: Redis, namespace: str, link: Linked, local: Local) -> None: ...

    def start(self) -> None:
        """Begin, in a task of its own."""

    async def close(self) -> None:
        """End, and close the connection."""

    def told(self) -> None:
        """For `Link.on_change`: the epoch changed, or the link went down or came up."""

    def push(self, name: str) -> Push: ...

    @property
    def redis_ms(self) -> int:
        """Redis' clock, in ms, as far as known; 0 while it is not."""
