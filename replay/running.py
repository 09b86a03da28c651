"""Sends a plan at its moments, whatever the answers do, and has each answer measured."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from replay.measuring import Measure
from replay.plans import Plan, Step
from replay.targets import Target
from replay.wire import Reply


@dataclass(frozen=True, slots=True)
class Options:
    run_id: str
    timeout: float = 30.0  # s, from the sending
    warmup: float = 0.0  # s
    max_rate: float = 0.0  # requests a second, 0 for any
    max_open: int = 10_000  # connections
    stop_on_errors: float = 0.0  # share, 0 for never
    values: dict[str, str] = field(default_factory=dict)  # by placeholder


class Runner:
    """`on_answer` gets every answer with its body, which is else not kept."""

    def __init__(
        self, plan: Plan, target: Target, options: Options, measure: Measure,
        on_answer: Callable[[Step, Reply], None] | None = None,
    ) -> None:  # fmt: skip
        raise NotImplementedError

    async def run(self, began_ns: int, stop: asyncio.Event) -> None:
        """Until all is answered, timed out, or `stop` is set. `began_ns` is T0, in nanoseconds of the monotonic clock."""
        raise NotImplementedError
