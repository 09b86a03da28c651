"""What is noted of a run while it runs, in histograms and counts that can be added to those of other processes."""

from dataclasses import dataclass
from typing import Any

from replay.plans import Plan
from replay.results import Run


@dataclass(slots=True)
class Live:
    """The last whole second, and totals so far, for who looks on."""

    seconds: float  # since T0
    offered: int
    sent: int
    completed: int
    failed: int
    backlog: int
    open: int
    rate_offered: float
    rate_completed: float
    p50_ms: float
    p99_ms: float
    lag_p99_ms: float


class Measure:
    """`stopped`: why it ended before its time, "" when it did not."""

    stopped: str

    def live(self, now_ns: int) -> Live:
        raise NotImplementedError

    def as_json(self) -> dict[str, Any]:
        raise NotImplementedError

    def merge(self, other: "Measure") -> None:
        raise NotImplementedError


def of_json(told: dict[str, Any]) -> Measure:
    """The other way round. Raises KeyError, TypeError or ValueError."""
    raise NotImplementedError


def run_of(
    measure: Measure,
    plan: Plan,
    told: dict[str, Any],
    *,
    interrupted: bool = False,
    machine: dict[str, Any],
    selfcheck: dict[str, Any],
    invalid: list[str],
) -> Run:
    """`told` becomes `Run.plan`; `invalid`: what others found to make it invalid, in sentences, such as too much CPU."""
    raise NotImplementedError
