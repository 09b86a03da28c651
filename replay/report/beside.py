"""Two sides on one axis: second by second for two runs, round by round for several of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from replay.report import words
from replay.report.drawing import Chart, Place, Spot, line
from replay.report.scales import Scale, Tick, linear, logarithmic
from replay.report.thinning import Point, points
from replay.results import Run

LOOKS = ("one", "two")
TABLE = "beside-rows"
HEIGHT = 180
_TIMES = ("p50", "p99")
_BY = {"Time": "over time", "Round": "by round"}
Number = float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table: what it is of, where it stands, and p50 of A and B, then p99 of both."""

    name: str
    at: float
    values: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """`first` heads the first column of the table."""

    first: str
    charts: list[Chart]
    rows: list[Line]


def over_time(a: Run, b: Run, names: tuple[str, str], x: Scale) -> Beside | None:
    """Both from their own beginning. None where one measured nothing."""
    sides = [points(run.series) for run in (a, b)]
    if not all(sides):
        return None
    longest = max(sides, key=len)
    rows = [
        Line(words.clock(point.t), x.at(point.middle), tuple(_of(side, n, name) for name in _TIMES for side in sides))
        for n, point in enumerate(longest)
    ]
    return _beside("Time", rows, names, x)


def _of(side: Sequence[Point], n: int, name: str) -> Number:
    value: Number = getattr(side[n], name) if n < len(side) else None
    return value


def by_round(a: Sequence[Run | None], b: Sequence[Run | None], names: tuple[str, str]) -> Beside | None:
    """A round that does not count is a gap."""
    many = max(len(a), len(b))
    x = Scale(
        lambda number: (number - 0.5) / many, tuple(Tick((n + 0.5) / many, str(n + 1), n % 2 == 1) for n in range(many))
    )
    rows = [
        Line(str(n + 1), x.at(n + 1), tuple(_of_round(side, n, name) for name in _TIMES for side in (a, b)))
        for n in range(many)
    ]
    return _beside("Round", rows, names, x)


def _of_round(side: Sequence[Run | None], n: int, name: str) -> Number:
    run = side[n] if n < len(side) else None
    return run.response_ms[name] if run else None


def _beside(first: str, rows: list[Line], names: tuple[str, str], x: Scale) -> Beside | None:
    charts = [
        _chart(name, first, rows, names, x, 2 * n) for n, name in enumerate(_TIMES)
        if any(value is not None for row in rows for value in row.values[2 * n : 2 * n + 2])
    ]  # fmt: skip
    return Beside(first, charts, rows) if charts else None


def _chart(name: str, first: str, rows: list[Line], names: tuple[str, str], x: Scale, at: int) -> Chart:
    known = [value for row in rows for value in row.values[at : at + 2] if value]
    low, high = min(known, default=1.0), max(known, default=1.0)
    y = logarithmic(low, high) if high > 3 * low else linear(high, words.time, low)
    places: list[list[Place]] = [
        [(row.at, None if (value := row.values[at + side]) is None else y.at(value)) for row in rows] for side in (0, 1)
    ]
    lines = tuple(line(names[side], LOOKS[side], places[side]) for side in (0, 1))
    spots = tuple(
        Spot(at_x, at_y, "", LOOKS[side]) for side in (0, 1) for at_x, at_y in places[side] if at_y is not None
    )  # fmt: skip
    reach = f"from {words.time(low)} to {words.time(high)}"
    about = f"{name} of the response time {_BY[first]}, {names[0]} and {names[1]}: {reach}."
    few = len(rows) <= 40
    return Chart(
        f"beside-{name}", f"{name} {_BY[first]}", about, x, y, lines, TABLE, (at + 1, at + 2), HEIGHT,
        spots=spots if few else (),
    )  # fmt: skip
