"""The Redis client of a process: each way to Redis and back is a span of the request that waits for it."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from models.traces import TRACE, Sent


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
            trace.add("redis", Sent(args, 1), began)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return TracedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)

    def sent(self, first: Sequence[Any], commands: int, began: float) -> None:
        """A trip of the cache's own (`cache.link`), which whoever calls has waited for."""
        trace = TRACE.get()
        if trace is not None:
            trace.add("redis", Sent(first, commands), began)


class TracedPipeline(Pipeline):
    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        trace = TRACE.get()
        if trace is None:
            return await super().execute(raise_on_error)
        commands, began = len(self.command_stack), perf_counter()
        first = self.command_stack[0][0] if commands else ()
        try:
            return await super().execute(raise_on_error)
        finally:
            trace.add("redis", Sent(first, commands), began)
