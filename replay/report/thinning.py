"""Long runs in as many points as can be seen: rates are averages, everything else keeps its worst."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from replay.results import Heat, Second

POINTS = 240
COLUMNS, ROWS = 160, 36


@dataclass(frozen=True, slots=True)
class Point:
    """From `t` to `end`, in seconds. The first four are per second; the others are the worst that an interval in it had."""

    t: float
    end: float
    offered: float
    sent: float
    completed: float
    failed: float
    p50: float | None
    p99: float | None
    lag: float | None
    backlog: int
    open: int

    @property
    def middle(self) -> float:
        return (self.t + self.end) / 2


def points(series: Sequence[Second], most: int = POINTS) -> list[Point]:
    """At most `most` of them, as even as they go. All intervals are as wide as the first, the last one too, which may have
    ended before: a rate of its few moments would be chance."""
    width = max(series[1].t - series[0].t, 0.001) if len(series) > 1 else 1.0
    size = math.ceil(len(series) / most) or 1
    return [_one(series[at : at + size], width) for at in range(0, len(series), size)]


def _one(part: Sequence[Second], width: float) -> Point:
    long = width * len(part)

    def mean(name: str) -> float:
        total: int = sum(getattr(one, name) for one in part)
        return total / long

    return Point(
        part[0].t, part[0].t + long, mean("offered"), mean("sent"), mean("completed"), mean("failed"),
        worst(one.p50 for one in part), worst(one.p99 for one in part), worst(one.lag_p99 for one in part),
        max(one.backlog for one in part), max(one.open for one in part),
    )  # fmt: skip


def worst(values: Iterable[float | None]) -> float | None:
    return max((one for one in values if one is not None), default=None)


def used_rows(wholes: Sequence[Heat]) -> range:
    """From the lowest to the highest row of these maps that has anything in it."""
    used = [row for whole in wholes for column in whole.counts for row, count in enumerate(column) if count]
    return range(min(used, default=0), min(max(used, default=-1) + 1, *(len(whole.rows_ms) for whole in wholes)))


def heat(whole: Heat, kept: range, columns: int = COLUMNS, rows: int = ROWS) -> Heat:
    """Only the `kept` rows; neighbours are added up."""
    if not kept:
        return Heat(whole.seconds, [], [])
    tall = math.ceil(len(kept) / rows)
    wide = math.ceil(len(whole.counts) / columns)
    slim = [_added(column[kept.start : kept.stop], tall) for column in whole.counts]
    merged = [
        [sum(cells) for cells in zip(*slim[at : at + wide], strict=True)] for at in range(0, len(slim), wide or 1)
    ]
    tops = [whole.rows_ms[min(row + tall, kept.stop) - 1] for row in range(kept.start, kept.stop, tall)]
    return Heat(whole.seconds * wide, tops, merged)


def _added(counts: Sequence[int], size: int) -> list[int]:
    return [sum(islice(counts, at, at + size)) for at in range(0, len(counts), size)]
