"""What two sides of runs say about each other: of all requests, and route by route, which is how the guilty one is found."""

import statistics as plain
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final, Literal

from replay import statistics
from replay.paces import HIDES
from replay.results import Run
from replay.sides import asked, is_closed, pieces_of, routes, throughput, time_of, typical_of_route, unchanged, unlike
from replay.statistics import Rounds, Word

MATTERS: Final = 0.05  # a change of 5 % must not stay unseen
FEWEST_PIECES: Final = 8
ROUTES: Final = 10  # that are tested, those that are asked most
TYPICAL: Final = "typical"
ABOUT_ROUTES: Final = (
    "Of a route the typical time is compared, the geometric mean of its response times. It moves when the answers that no cache"
    " gives take longer, and when a cache gives fewer."
)
_TIMES: Final = ("p50", "p90", "p99", "mean")
_TESTED: Final = frozenset({"p50", "p99", "mean", "throughput"})
_HALF: Final = statistics.SURE / 2  # of what may go wrong, for all requests, and for the routes


@dataclass(slots=True)
class Row:
    """One thing that was compared. `route`: "" for all requests; `what`: p50, p90, p99 or mean of the response time, or
    throughput; of a route `TYPICAL`, the geometric mean of the response time. `a`, `b`: the medians of the rounds, in `unit`;
    `n`: requests of a round. `ratio`: B's over A's, `low` to `high` its interval, 95 %. `word` is "not tested" where there was
    too little, or nothing to test; then the rest is None."""

    route: str
    what: str
    unit: Literal["ms", "a second"]
    n: int
    a: float | None
    b: float | None
    word: Word | Literal["not tested"] = "not tested"
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    adjusted: float | None = None
    shows: float | None = None
    needed: int | None = None


@dataclass(slots=True)
class Comparison:
    """`a` and `b` name the sides. `by`: "rounds" run in turns, "runs" that were not, or "seconds" of a single run each, which
    tell of these two runs and not of what made them. `matters`: the change that must not stay unseen, 0.05 for 5 %.
    `verdict` is "not comparable" where requests failed, or were refused or not sent, on one side more than on the other: then
    times say nothing. `sentence` is it for people. `rows`: all requests first, then the routes, the most asked first."""

    a: str
    b: str
    by: Literal["rounds", "runs", "seconds"]
    rounds: int
    matters: float
    verdict: Word | Literal["not comparable"]
    sentence: str
    rows: list[Row] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def slower(self) -> list[Row]:
        """What is shown to be slower, the worst first."""
        return sorted((row for row in self.rows if row.word == "slower"), key=_severity, reverse=True)


def compare(
    a: Sequence[Run | None], b: Sequence[Run | None], names: tuple[str, str], *, paired: bool, matters: float = MATTERS
) -> Comparison:
    """Runs of each side by their rounds; None for one that does not count. Raises ValueError where a side has none."""
    if not any(a) or not any(b):
        raise ValueError("one side has no run that counts")
    if len(a) == len(b) == 1:
        by: Literal["rounds", "runs", "seconds"] = "seconds"
        rows, samples, rounds = _by_seconds(a, b)
    else:
        by = "rounds" if paired else "runs"
        rows, samples, rounds = _by_rounds(a, b, paired)
    # All requests and the routes share what may go wrong: however many routes there are, the main question stays as sharp.
    for part in (False, True):
        _judge([pair for pair in zip(rows, samples, strict=True) if bool(pair[0].route) is part], rounds, matters)
    otherwise = unlike(a, b, names)
    verdict = "not comparable" if otherwise else _verdict(rows)
    made = Comparison(*names, by, rounds, matters, verdict, "", rows, _remarks(a, b, rows, by) + unchanged(a, b, names))
    made.sentence = (
        f"{names[1]} is not comparable with {names[0]}: {'; '.join(otherwise)}." if otherwise else _sentence(made)
    )
    return made


def _judge(pairs: list[tuple[Row, Rounds | None]], rounds: int, matters: float) -> None:
    tested = [(row, sample) for row, sample in pairs if sample is not None]
    changes = [statistics.change(sample) for _, sample in tested]
    rates = [row.what == "throughput" for row, _ in tested]
    judged = statistics.judge(changes, rounds, matters, sure=_HALF, more_is_better=rates)
    for (row, _), change, one in zip(tested, changes, judged, strict=True):
        row.ratio, row.low, row.high, row.p = change.ratio, change.low, change.high, change.p
        row.word, row.adjusted, row.shows, row.needed = one.word, one.adjusted, one.shows, one.needed


Samples = tuple[list[Row], list[Rounds | None], int]


def _by_rounds(a: Sequence[Run | None], b: Sequence[Run | None], paired: bool) -> Samples:
    both = sum(bool(one and two) for one, two in zip(a, b, strict=False))
    rounds = both if paired else min(sum(map(bool, a)), sum(map(bool, b)))
    rows, samples = list[Row](), list[Rounds | None]()

    def add(route: str, what: str, unit: Literal["ms", "a second"], n: int, value: Value, tested: bool) -> None:
        of_a, of_b = _values(a, value), _values(b, value)
        sample = Rounds(of_a, of_b, paired)
        rows.append(Row(route, what, unit, n, _median(of_a), _median(of_b)))
        samples.append(sample if tested and sample.enough() else None)

    n = _median_count(a, b, lambda run: run.completed)
    for what in _TIMES:
        add("", what, "ms", n, partial(time_of, what=what), what in _TESTED)
    # In an open loop the plan says how many a second are answered, as long as they are.
    add("", "throughput", "a second", n, throughput, all(run is None or is_closed(run) for run in (*a, *b)))
    for number, route in enumerate(routes(a, b)):
        n = _median_count(a, b, partial(asked, route=route))
        add(route, TYPICAL, "ms", n, partial(typical_of_route, route=route), number < ROUTES)
    for row in rows:
        row.ratio = row.b / row.a if row.a and row.b else None
    return rows, samples, rounds


def _by_seconds(a: Sequence[Run | None], b: Sequence[Run | None]) -> Samples:
    """Both runs followed one plan: the same second asked both the same."""
    (one,), (two,) = a, b
    assert one
    assert two
    pieces = [pieces_of(run) for run in (one, two)]
    rows = [Row("", what, "ms", one.completed, time_of(one, what), time_of(two, what)) for what in _TIMES]
    rows.append(Row("", "throughput", "a second", one.completed, throughput(one), throughput(two)))
    for route in routes(a, b):
        n = _median_count(a, b, partial(asked, route=route))
        rows.append(Row(route, TYPICAL, "ms", n, typical_of_route(one, route), typical_of_route(two, route)))
    rounds = min(map(len, pieces))
    sample = Rounds(tuple(pieces[0][:rounds]), tuple(pieces[1][:rounds])) if rounds >= FEWEST_PIECES else None
    for row in rows:
        row.ratio = row.b / row.a if row.a and row.b else None
    return rows, [sample, *[None] * (len(rows) - 1)], rounds


Value = Callable[[Run], float | None]


def _values(runs: Sequence[Run | None], value: Value) -> tuple[float | None, ...]:
    """A time of 0 is none: there is no ratio to it."""
    return tuple((value(run) or None) if run else None for run in runs)


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return plain.median(known) if known else None


def _median_count(a: Sequence[Run | None], b: Sequence[Run | None], count: Callable[[Run], int]) -> int:
    return int(plain.median(count(run) for run in (*a, *b) if run))


def _verdict(rows: list[Row]) -> Word:
    """A route that is slower makes B slower. That there is no difference is said by the median of all requests."""
    words = [row.word for row in rows]
    if "slower" in words:
        return "slower"
    if "faster" in words:
        return "faster"
    return "no difference shown" if words[0] == "no difference shown" else "not enough power"


def _severity(row: Row) -> float:
    """About how much time the change takes from all visitors together; of a rate, how much it falls."""
    return abs((row.b or 0) - (row.a or 0)) * row.n if row.unit == "ms" else 0.0


def _remarks(a: Sequence[Run | None], b: Sequence[Run | None], rows: list[Row], by: str) -> list[str]:
    remarks = []
    if by == "seconds":
        remarks.append(
            "One run of each: this tells that these two runs differ or do not, in their seconds, and nothing of why. The state"
            " of the machine is part of each run. Whether one build is slower is told by `plaza replay ab`."
        )
    if missing := sum(run is None for run in (*a, *b)):
        remarks.append(f"{missing} of {len(a) + len(b)} runs do not count: they were invalid, interrupted or stopped.")
    if late := sum(run is not None and run.verdict == "invalid" for run in (*a, *b)):
        remarks.append(
            f"{late} runs are INVALID and count all the same: how late this machine was is in their times, as noise."
        )
    if any(run is not None and is_closed(run) for run in (*a, *b)):
        remarks.append(HIDES)
    plans = {tuple(str(run.plan.get(name, "")) for name in ("file", "pace", "speed")) for run in (*a, *b) if run}
    if len(plans) > 1:
        remarks.append(
            "The runs followed different plans (file, pace or speed): what is compared is not the same work."
        )
    if untested := [row.route for row in rows if row.route and row.word == "not tested"] if by != "seconds" else []:
        remarks.append(
            f"{len(untested)} routes were not tested: too few requests, not among the {ROUTES} that are asked most, or from a"
            " file that does not tell their typical time."
        )
    return remarks


def _sentence(made: Comparison) -> str:
    a, b = made.a, made.b
    if made.verdict in ("slower", "faster"):
        rows = sorted((row for row in made.rows if row.word == made.verdict), key=_severity, reverse=True)
        routes = [row for row in rows if row.route]
        parts = [_said(row) for row in (*[row for row in made.rows if row in rows and not row.route][:1], *routes[:3])]
        more = f" and {len(routes) - 3} more routes" if len(routes) > 3 else ""
        others = [row for row in made.rows if row.word == "faster"] if made.verdict == "slower" else []
        but = f" It is faster in {_said(others[0])}." if others else ""
        return f"{b} is {made.verdict} than {a}: {'; '.join(parts)}{more}.{but}"
    first = made.rows[0]
    if made.verdict == "no difference shown":
        seen = f"; a change of {first.shows:.1%} would have been seen" if first.shows is not None else ""
        return f"No difference shown between {a} and {b}{seen}."
    if first.word == "not tested":
        return f"{a} and {b} cannot be compared: there is too little in these runs."
    needed = (
        f"{first.needed} rounds would tell" if first.needed else f"not even {statistics.MOST_ROUNDS} rounds would tell"
    )
    return f"Not enough power to tell {a} and {b} apart: of a change of {made.matters:.0%} {needed}."


def _said(row: Row) -> str:
    assert row.ratio is not None
    name = row.route or "all requests"
    amount = f"{row.a:.2f} to {row.b:.2f} ms" if row.unit == "ms" else f"{row.a:.0f} to {row.b:.0f} a second"
    interval = "" if row.low is None or row.high is None else f"{row.low - 1:+.1%} to {row.high - 1:+.1%}; "
    what = f"{row.what} time" if row.what == TYPICAL else row.what
    return f"{name}, {what} {row.ratio - 1:+.1%} ({interval}{amount})"
