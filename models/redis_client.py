"""The Redis client of a process: each way to Redis and back is a span of the request that waits for it."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from models.traces import TRACE


class TracedRedis(Redis):
    """As redis-py's own; outside of requests it adds nothing."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        trace = TRACE.get()
        if trace is None:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        began = perf_counter()
        try:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        finally:
            trace.add("redis", _spelt(args), began)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return TracedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class TracedPipeline(Pipeline):
    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        trace = TRACE.get()
        if trace is None:
            return await super().execute(raise_on_error)
        commands, began = len(self.command_stack), perf_counter()
        first = _spelt(self.command_stack[0][0]) if commands else "nothing"
        try:
            return await super().execute(raise_on_error)
        finally:
            trace.add("redis", f"{first} … {commands} commands" if commands > 1 else first, began)


def _spelt(command: Sequence[Any]) -> str:
    """A command with its first key, and how many more there are. A script's key stands after its text and their number."""
    name = str(command[0])
    at = 3 if name in ("EVAL", "EVALSHA") else 1
    if len(command) <= at:
        return name
    key = command[at]
    text = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
    if len(text) > 32:
        # Sessions are known by the hash of their token, limits by an address; such names are no reader's business.
        text = ":".join(part if len(part) < 32 else "…" for part in text.split(":"))
    return f"{name} {text} +{len(command) - 2}" if name == "MGET" and len(command) > 2 else f"{name} {text}"
