"""How long answers took over time: each cell as deep as many answers fell into it, so that a second crowd is seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from replay import results
from replay.report import thinning, words
from replay.report.scales import Tick

_APART = 0.08  # of the height, between the words of its axis
DEPTHS = 7  # colours; each stands for several times as many answers as the one before


@dataclass(frozen=True, slots=True)
class Depth:
    """A colour: `path` draws its cells, one unit each; `text` is how many answers a cell of it holds."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """All answers of one row of the map."""

    top: str
    n: int
    share: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    """`cells` are the counts for the script, a word for each column of `seconds` from `began` on, the lowest row first; `tops`
    are the upper edges of the rows."""

    about: str
    columns: int
    rows: int
    y: tuple[Tick, ...]
    depths: list[Depth]
    cells: str
    tops: list[str]
    began: float
    seconds: float
    table: list[Row]


def heat_maps(runs: Sequence[results.Run]) -> list[HeatMap]:
    """One for each run, with the same rows and colours, so that they can be compared. None at all where one has no answers."""
    wholes = [run.heat for run in runs if run.heat and run.heat.rows_ms == (runs[0].heat or run.heat).rows_ms]
    if not wholes or len(wholes) < len(runs):
        return []
    kept = thinning.used_rows(wholes)
    heats = [thinning.heat(whole, kept) for whole in wholes]
    most = max(count for heat in heats for column in heat.counts for count in column) if kept else 0
    return [_map(run, heat, _limits(most)) for run, heat in zip(runs, heats, strict=True)] if most else []


def _map(run: results.Run, heat: results.Heat, limits: list[int]) -> HeatMap:
    tops = [words.time(min(top, run.response_ms["max"] or top)) for top in heat.rows_ms]
    began = run.series[0].t if run.series else 0.0
    worst = max(range(len(heat.counts)), key=lambda column: (_highest(heat.counts[column]), -column))
    about = (
        f"Heat map of {words.plural(sum(map(sum, heat.counts)), 'answer')}: time to the right, response time upwards. "
        f"The longest began around {words.clock(began + worst * heat.seconds)}."
    )
    return HeatMap(
        about, len(heat.counts), len(heat.rows_ms), _ticks(heat.rows_ms), _depths(heat, limits),
        " ".join(",".join(str(count or "") for count in column) for column in heat.counts), tops, began, heat.seconds,
        _table(heat, tops),
    )  # fmt: skip


def _highest(column: list[int]) -> int:
    return max((row for row, count in enumerate(column) if count), default=-1)


def _limits(most: int) -> list[int]:
    """The least count of each colour: 1, and from there on in even steps of its logarithm."""
    return sorted({max(1, math.ceil(most ** (step / DEPTHS) - 1e-9)) for step in range(DEPTHS)})


def _depths(heat: results.Heat, limits: list[int]) -> list[Depth]:
    cells: list[list[str]] = [[] for _ in limits]
    rows = len(heat.rows_ms)
    for x, column in enumerate(heat.counts):
        for row, count in enumerate(column):
            if count:
                depth = sum(count >= limit for limit in limits) - 1
                cells[depth].append(f"M{x} {rows - 1 - row}h1v1h-1z")
    ends = [f"{words.count(limit)}" for limit in limits]
    # The deepest colours even where there are few of them: a lone answer must be seen on the paper.
    skipped = DEPTHS - len(limits)
    return [Depth("", "")] * skipped + [Depth("".join(one), text) for one, text in zip(cells, ends, strict=True)]


def _ticks(tops: list[float]) -> tuple[Tick, ...]:
    """The upper edges that lie nearest to round numbers, the roundest first, not too near to each other."""
    ticks: list[Tick] = []
    for wanted in (float(f"{nice}e{power}") for nice in (1, 5, 2) for power in range(-3, 7)):
        if tops[0] <= wanted <= tops[-1]:
            at = (min(range(len(tops)), key=lambda row: abs(math.log(tops[row] / wanted))) + 1) / len(tops)
            if all(abs(at - other.at) >= _APART for other in ticks):
                ticks.append(Tick(at, words.time(wanted)))
    return tuple(ticks)


def _table(heat: results.Heat, tops: list[str]) -> list[Row]:
    totals = [sum(column[row] for column in heat.counts) for row in range(len(tops))]
    whole = sum(totals)
    return [Row(top, total, words.share(total, whole)) for top, total in zip(tops, totals, strict=True) if total]
