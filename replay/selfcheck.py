"""Whether this machine can send a plan on time: tried before each run, faster than planned, against a null server."""

import secrets
import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from replay import planning, workers
from replay.histogram import Histogram
from replay.judging import LAG_MS, LAG_SHARE, lateness
from replay.machine import OWN_CPU
from replay.nullserver import nullserver
from replay.paces import Pace
from replay.planning import Choices
from replay.plans import Plan
from replay.records import Answer, Request
from replay.results import Summary
from replay.running import Options
from replay.sites import AnySite
from replay.targets import Target

FASTER: Final = 1.5  # than the busiest second that is planned
SECONDS: Final = 1.0
TRIES: Final = 3  # a neighbour may have had the core for a moment
LEAST: Final = 300.0  # requests a second; of fewer in a second even the 90th percentile is chance
ENOUGH: Final = 0.98  # of what was due must have been sent in its time
LONGEST: Final = 100  # requests of a session
MOST: Final = 20_000  # requests that are made for it
HOPELESS: Final = 0.8  # of what was due; where less was sent it is no neighbour's doing
FIRST, LAST, FINER = (
    1000.0,
    1_000_000.0,
    4,
)  # requests a second, and how often the highest rate is looked for more closely


@dataclass(frozen=True, slots=True)
class Checked:
    """`rate`: requests a second that were to be sent, `sent` those that were. `own_cpu` of each worker, in cores. `why` it was
    not on time, in sentences; on time when there is none."""

    rate: float
    workers: int
    sent: float
    lag_ms: Summary
    own_cpu: list[float]
    why: list[str]

    @property
    def on_time(self) -> bool:
        return not self.why

    def as_json(self) -> dict[str, Any]:
        """For `Run.selfcheck`."""
        return asdict(self) | {"on_time": self.on_time}


def before(plan: Plan, processes: int, max_rate: float = 0.0) -> Checked | None:
    """At half as much again as the plan's busiest second, or as `max_rate` where that is less (0: there is none), in sessions as
    long as the plan's; None for a plan that has no rate of its own. How late is too late a run measures by its answers; here, by
    those that were recorded. Raises OSError when there can be no null server."""
    if not plan.highest_rate:
        return None
    took_us = [step.request.answer.total_us for script in plan.scripts for step in script.steps]
    per_session = min(max(1, len(took_us) // len(plan.scripts)), LONGEST)
    late_ms = max(LAG_MS, LAG_SHARE * statistics.median(took_us) / 1000)
    highest = min(plan.highest_rate, max_rate or plan.highest_rate)
    return _best(max(LEAST, highest * FASTER), processes, per_session, late_ms)


def check(rate: float, processes: int, per_session: int = LONGEST, late_ms: float = LAG_MS) -> Checked:
    """For a second, and a little more for what is late. Raises OSError, and KeyboardInterrupt after Ctrl-C."""
    plan = planning.plan(_requests(rate, per_session), AnySite(), Choices(Pace("rate", (rate,)), duration=SECONDS))
    with nullserver(processes=processes) as port:
        address = "127.0.0.1"
        target = Target(f"http://{address}:{port}", address, address, port, f"{address}:{port}", None, True)
        done = workers.run(
            plan, target, Options(secrets.token_hex(6), timeout=10.0), processes, longest=SECONDS * FASTER
        )
    if done.interrupted:
        raise KeyboardInterrupt
    lag, due = Histogram(), round(rate * SECONDS)
    for second in done.measure.seconds.values():
        lag.merge(second.lag)
    sent = sum(second.sent for number, second in done.measure.seconds.items() if number < SECONDS)
    why = [*done.lost, *_why(lag, late_ms, due, sent, done.own_cpu)]
    return Checked(rate, processes, sent / SECONDS, lag.summary(), done.own_cpu, why)


def _why(lag: Histogram, late_ms: float, due: int, sent: int, own_cpu: list[float]) -> Iterator[str]:
    if sent < due * ENOUGH:
        yield f"only {sent:,} of {due:,} requests were sent in their second"
    name, late = lateness(lag)
    if late > late_ms:
        yield f"the {name} of the lag is {late:,.2f} ms, and may be {late_ms:.2f} ms"
    if (share := max(own_cpu, default=0.0)) > OWN_CPU:
        yield f"a process that sends computes {share:.0%} of the time, and may {OWN_CPU:.0%}"


def _requests(rate: float, per_session: int) -> list[Request]:
    """A second of them, or as many as are gone through again and again in it, each for itself, in sessions that take turns."""
    count = max(1, min(round(rate * SECONDS), MOST))
    sessions = max(1, count // per_session)
    return [
        Request(i, round(i * 1e6 / rate), f"s{i % sessions}", i // sessions, "GET", "/", Answer(200, 0))
        for i in range(count)
    ]


def search(processes: int) -> Iterator[Checked]:
    """Twice as fast each time, then between the last that was on time and the first that was not; each as it was found."""
    good, rate = 0.0, FIRST
    while rate <= LAST:
        yield (checked := _best(rate, processes))
        if not checked.on_time:
            break
        good, rate = rate, rate * 2
    low, high = good, rate
    for _ in range(FINER if good and rate <= LAST else 0):
        yield (checked := _best((low + high) / 2, processes))
        low, high = (checked.rate, high) if checked.on_time else (low, checked.rate)


def _best(rate: float, processes: int, per_session: int = LONGEST, late_ms: float = LAG_MS) -> Checked:
    for _ in range(TRIES):
        checked = check(rate, processes, per_session, late_ms)
        if checked.on_time or checked.sent < rate * HOPELESS:
            break
    return checked
