"""All processes of a host as one: by how much their counters rose since somebody last looked, and their gauges together."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from models.metrics import METRICS, Series
from models.snapshots import Snapshot

Process = tuple[str, int, int]  # its name, its number, its birth


class Looked(NamedTuple):
    """When somebody looked, in seconds since 1970, and what each process had counted then."""

    at: float
    counters: dict[Process, dict[Series, float]]


def look(snapshots: Sequence[Snapshot], now: float) -> Looked:
    """What the next look rises from. A histogram counts as two counters, `..._count` and `..._sum`."""
    return Looked(now, {_process(one): _counters(one) for one in snapshots})


def rises(snapshots: Sequence[Snapshot], since: Looked) -> dict[Series, float]:
    """By how much each counter rose. A process that begins anew begins at 0, and that is no fall; of one that was not seen then,
    though it lived, nobody knows how much is new. What stood still is left out."""
    found: dict[Series, float] = defaultdict(float)
    for one in snapshots:
        before = since.counters.get(_process(one))
        if before is None and one.started < since.at:
            continue
        for series, value in _counters(one).items():
            found[series] += value - (before or {}).get(series, 0)
    return {series: rise for series, rise in found.items() if rise > 0}


def together(snapshots: Sequence[Snapshot]) -> dict[Series, float]:
    """Each gauge once: the sum, or the worst, as `METRICS` says."""
    found: dict[Series, list[float]] = defaultdict(list)
    for one in snapshots:
        for series, value in one.gauges.items():
            found[series].append(value)
    return {
        series: sum(values) if METRICS[series[0]].together == "sum" else max(values)
        for series, values in found.items()
        if series[0] in METRICS
    }


def _process(one: Snapshot) -> Process:
    return one.process, one.pid, one.born


def _counters(one: Snapshot) -> dict[Series, float]:
    found = dict(one.counters)
    for (name, *labels), (classes, total) in one.times.items():
        found[f"{name}_count", *labels] = sum(classes)
        found[f"{name}_sum", *labels] = total
    return found
