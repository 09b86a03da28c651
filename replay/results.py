"""What came of a run: one JSON file that `compare` reads and the report draws, whatever became of the run."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from replay.histogram import QUANTILES
from replay.histogram import of_json as histogram_of

FORMAT = "plaza-run/1"
Verdict = Literal["pass", "missed", "invalid", "interrupted", "stopped"]
Summary = dict[str, float | int | None]  # p50, p90, p99, p99.9, max in milliseconds, None for "n/a", and n


@dataclass(slots=True)
class Route:
    """One route of the site, or of the pattern that its addresses seem to follow. `outcomes` as for the whole run; `levels`
    counts the words of X-Cache. `typical_ms` is the geometric mean of the response time, which every request moves and no single
    one decides; None for "n/a", and in files that were written before it was noted."""

    route: str
    n: int
    outcomes: dict[str, int]
    levels: dict[str, int]
    response_ms: Summary
    service_ms: Summary
    typical_ms: float | None = None


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
        """Raises OSError."""
        text = json.dumps({"format": FORMAT} | asdict(self), ensure_ascii=False, indent=1) + "\n"
        self.put(path, text)

    def put(self, path: Path, text: str) -> None:
        """A file about this run, in the place of one that is there: whole or not at all. Half a letter, which an answer may hold,
        is written as JSON writes it. Raises OSError."""
        path = path.resolve()
        if path.exists() and not path.is_file():  # a pipe, or /dev/null
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
            return
        new = path.with_name(f"{path.name}.{os.getpid()}~")
        try:
            new.touch(0o600 if self.differences else 0o666)  # their examples are pieces of what members may see
            new.write_text(text, encoding="utf-8", errors="backslashreplace")
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


class NoRun(Exception):
    """The file is not the result of a run; the text says what is wrong with it."""


def read(path: Path) -> Run:
    """Raises NoRun, OSError."""
    try:
        return of_json(loaded(path), str(path))
    except (ValueError, RecursionError) as error:
        raise NoRun(f"{path} is not the result of a run ({type(error).__name__}: {error})") from None


def loaded(path: Path) -> Any:
    """What stands in a file of JSON. NaN and Infinity, which Python's reader takes, are none. Raises ValueError, OSError."""
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def of_json(told: dict[str, Any], name: str) -> Run:
    """What `write` made, by its name for the one who has to be told what is wrong with it. Raises NoRun."""
    try:
        if (format := told.pop("format")) != FORMAT:
            raise NoRun(f"{name}: its format is {format}, this Plaza reads {FORMAT}")
        run = TypeAdapter(Run).validate_python(told)
        for measured in run.histograms.values():
            histogram_of(measured)
        if run.heat and {len(run.heat.rows_ms)} != {len(column) for column in run.heat.counts} | {
            len(run.heat.rows_ms)
        }:
            raise ValueError("its heat map has columns of other lengths than its rows")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise NoRun(f"{name} is not the result of a run ({where}: {first['msg']})") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoRun(f"{name} is not the result of a run ({type(error).__name__}: {error})") from None
    for of in (run, *run.routes):
        for summary in _SUMMARIES:
            if (known := getattr(of, summary, None)) is not None:
                setattr(of, summary, _EMPTY | known)
    return run


_SUMMARIES = ("response_ms", "service_ms", "lag_ms", "connect_ms", "first_byte_ms")
_EMPTY: Summary = dict.fromkeys((*QUANTILES, "max")) | {"n": 0}  # what another writer may have left out
