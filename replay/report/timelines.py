"""What happened when: rates, percentiles, lateness and backlog over the time of the run, on one axis and from one table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from replay.report import words
from replay.report.drawing import Chart, Line, line
from replay.report.scales import Scale, linear, logarithmic, moments
from replay.report.thinning import Point, points, worst
from replay.results import Run

HEIGHT = 150
Of = Callable[[Point], float | None]
TABLE = "time-rows"


@dataclass(frozen=True, slots=True)
class Timeline:
    """`at` is where each row stands, `width` how many seconds it holds, `thinned` whether that is more than was measured."""

    charts: list[Chart]
    rows: list[Point]
    at: list[float]
    width: float
    thinned: bool


def timeline(run: Run, x: Scale) -> Timeline | None:
    """None when the run had no time to measure anything."""
    rows = points(run.series)
    if not rows:
        return None
    charts = [_rates(rows, x), *_times(rows, x), *_failed(rows, x), *_lateness(rows, x), _waiting(rows, x)]
    width = rows[0].end - rows[0].t
    return Timeline(charts, rows, [x.at(one.middle) for one in rows], width, len(rows) < len(run.series))


def time_axis(run: Run) -> Scale:
    """One for all that is drawn over time, the heat map too."""
    heated = run.heat.seconds * len(run.heat.counts) if run.heat else 0
    rows = points(run.series)
    return moments(rows[0].t if rows else 0.0, max(rows[-1].end - rows[0].t if rows else run.seconds, heated))


def _rates(rows: Sequence[Point], x: Scale) -> Chart:
    top = max(max(one.offered, one.sent, one.completed) for one in rows)
    y = linear(top)
    lines = (
        _line("due", "due", rows, x, y, lambda one: one.offered, filled=True),
        _line("sent", "sent", rows, x, y, lambda one: one.sent),
        _line("answered", "done", rows, x, y, lambda one: one.completed),
    )
    about = f"Requests a second over time: at most {words.rate(max(one.offered for one in rows))} were due."
    return Chart("rates", "Requests a second", about, x, y, lines, TABLE, (1, 2, 3), HEIGHT)


def _failed(rows: Sequence[Point], x: Scale) -> list[Chart]:
    """On a scale of their own: a few are as important as many, and could not be seen beside all."""
    most = max(one.failed for one in rows)
    if not most:
        return []
    y = linear(most)
    lines = (_line("failed", "bad", rows, x, y, lambda one: one.failed, filled=True),)
    about = f"Requests that failed a second, over time: at most {words.rate(most)}."
    return [Chart("failed", "Failed a second", about, x, y, lines, TABLE, (4,), HEIGHT // 2)]


def _times(rows: Sequence[Point], x: Scale) -> list[Chart]:
    """Only where a second had enough requests for a percentile."""
    high = worst(one.p99 if one.p99 is not None else one.p50 for one in rows)
    low = min((one.p50 for one in rows if one.p50), default=None)
    if high is None:
        return []
    y = logarithmic(low or high, high)
    lines = (
        _line("p50", "service", rows, x, y, lambda one: one.p50),
        _line("p99", "response", rows, x, y, lambda one: one.p99),
    )
    about = f"p50 and p99 of the response time over time: p99 at most {words.time(worst(one.p99 for one in rows))}."
    note = "Of each second, however few answers it had."
    return [Chart("quantiles", "Response time", about, x, y, lines, TABLE, (5, 6), HEIGHT, note=note)]


def _lateness(rows: Sequence[Point], x: Scale) -> list[Chart]:
    late = worst(one.lag for one in rows)
    if late is None:
        return []
    y = linear(late, words.time)
    about = f"How late requests were sent, p99 over time: at most {words.time(late)}."
    lines = (_line("lag p99", "lag", rows, x, y, lambda one: one.lag, filled=True),)
    note = "How much later than intended the generator sent: its own fault, never the site's."
    return [Chart("lag", "Lag of the generator", about, x, y, lines, TABLE, (7,), HEIGHT // 2, note=note)]


def _waiting(rows: Sequence[Point], x: Scale) -> Chart:
    most, open = max(one.backlog for one in rows), max(one.open for one in rows)
    y = linear(max(most, open, 4), words.count)
    lines = (
        _line("due, not yet sent", "backlog", rows, x, y, lambda one: one.backlog, filled=True),
        _line("sent, not yet answered", "done", rows, x, y, lambda one: one.open),
    )
    about = (
        f"Requests that waited: at most {words.count(most)} to be sent, at most {words.count(open)} for their answer."
    )
    return Chart("backlog", "Waiting", about, x, y, lines, TABLE, (8, 9), HEIGHT // 2)


def _line(name: str, look: str, rows: Sequence[Point], x: Scale, y: Scale, of: Of, *, filled: bool = False) -> Line:
    places = [(x.at(one.middle), None if (value := of(one)) is None else y.at(value)) for one in rows]
    return line(name, look, places, filled=filled)
