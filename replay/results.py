"""What came of a run: one JSON file that `compare` reads and the report draws, whatever became of the run."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

FORMAT = "plaza-run/1"
Verdict = Literal["pass", "missed", "invalid", "interrupted", "stopped"]
Summary = dict[str, float | int | None]  # p50, p90, p99, p99.9, max in milliseconds, None for "n/a", and n


@dataclass(slots=True)
class Route:
    """One route of the site, or of the pattern that its addresses seem to follow. `outcomes` as for the whole run; `levels`
    counts the words of X-Cache."""

    route: str
    n: int
    outcomes: dict[str, int]
    levels: dict[str, int]
    response_ms: Summary
    service_ms: Summary


@dataclass(slots=True)
class Second:
    """One interval of the run, `t` seconds from its start. Rates are counts in the interval; `backlog` were due and not yet
    sent at its end, `open` sent and not yet answered."""

    t: float
    offered: int
    sent: int
    completed: int
    failed: int
    p50: float | None
    p99: float | None
    lag_p99: float | None
    backlog: int
    open: int


@dataclass(slots=True)
class Heat:
    """Latency over time: `counts[column][row]`; a column is `seconds` wide, row r holds response times up to `rows_ms[r]`."""

    seconds: float
    rows_ms: list[float]
    counts: list[list[int]]


@dataclass(slots=True)
class Objective:
    """`measured` is None when there were too few samples, which is not met."""

    text: str
    measured: float | None
    met: bool


@dataclass(slots=True)
class Difference:
    """A field of the answers of a route that differs more than it does between two runs of the same. `share` of the answers
    that differ, `noise` the share that chance makes seem to; two examples."""

    route: str
    what: str
    share: float
    noise: float
    expected: str
    found: str


@dataclass(slots=True)
class Run:
    """`offered` were due, `sent` went out, `completed` were answered; each offered request has one of the `outcomes`: a status,
    or what went wrong in a word, such as "timeout", "reset", "refused", "unmapped", "not sent". `why`: for each reason why it
    is not a pass, a line. `response` is from the intended moment to the end, `service` from the sending; both hold what failed.

    `changed`: answers whose status is not the recorded one, as "200 > 404".

    `plan`: file, target, pace, speed, seed, run id, workers. `machine`: cores, kernel, Python, and the share of a core that
    each process took. `histograms`: `response`, `service`, `lag`, `connect`, `first_byte`, as histogram.py writes them.
    """

    verdict: Verdict
    why: list[str]
    plan: dict[str, Any]
    started: str
    seconds: float
    offered: int
    sent: int
    completed: int
    unmapped: int
    outcomes: dict[str, int]
    levels: dict[str, int]
    response_ms: Summary
    service_ms: Summary
    lag_ms: Summary
    connect_ms: Summary
    first_byte_ms: Summary
    routes: list[Route] = field(default_factory=list)
    series: list[Second] = field(default_factory=list)
    heat: Heat | None = None
    histograms: dict[str, dict[str, Any]] = field(default_factory=dict)
    objectives: list[Objective] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    selfcheck: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Whole or not at all. Raises OSError."""
        new = path.with_name(f"{path.name}.{os.getpid()}~")
        try:
            new.touch(
                0o600 if self.differences else 0o666
            )  # examples of differences are pieces of what members may see
            new.write_text(json.dumps({"format": FORMAT} | asdict(self), ensure_ascii=False, indent=1) + "\n")
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


class NoRun(Exception):
    """The file is not the result of a run; the text says what is wrong with it."""


def read(path: Path) -> Run:
    """Raises NoRun, OSError."""
    try:
        return of_json(json.loads(path.read_text()), str(path))
    except ValueError as error:
        raise NoRun(f"{path} is not the result of a run ({type(error).__name__}: {error})") from None


def of_json(told: dict[str, Any], name: str) -> Run:
    """What `write` made, by its name for the one who has to be told what is wrong with it. Raises NoRun."""
    try:
        if (format := told.pop("format")) != FORMAT:
            raise NoRun(f"{name}: its format is {format}, this Plaza reads {FORMAT}")
        told["routes"] = [Route(**one) for one in told["routes"]]
        told["series"] = [Second(**one) for one in told["series"]]
        told["objectives"] = [Objective(**one) for one in told["objectives"]]
        told["differences"] = [Difference(**one) for one in told["differences"]]
        told["heat"] = told["heat"] and Heat(**told["heat"])
        return Run(**told)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoRun(f"{name} is not the result of a run ({type(error).__name__}: {error})") from None
