"""What `/manage/cache` tells: how reads were answered over time, how each process and store fares, and what the auditor found."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from models.comparisons import Comparisons, Violation
from models.figures import Figures
from models.history import COARSE, FINE, Sample
from models.hits import Answered, by_family, together
from models.inspector import Inspector
from models.metrics import Series
from models.neighbours import ask_all
from models.snapshots import Snapshot

Span = Literal["hour", "day"]
SECONDS: dict[Span, int] = {"hour": 3600, "day": 86_400}
BARS = 60  # of the chart
BARS_OF_LINE = 3  # one point of a family's line
LATELY = 600  # s that the sentence at the top tells of
HOTTEST = 15
STALE = 30.0  # s without a sample, after which the worker is not at work

_GAUGES = (
    "plaza_redis_memory_bytes", "plaza_redis_memory_limit_bytes", "plaza_redis_keys", "plaza_redis_evicted_keys",
    "plaza_outbox_rows", "plaza_outbox_age_seconds", "plaza_redis_up", "plaza_push_connected", "plaza_push_lag_seconds",
    "plaza_fence_age_seconds", "plaza_l1_bytes", "plaza_l1_limit_bytes", "plaza_l1_entries",
    "plaza_edge_pages", "plaza_edge_due", "plaza_edge_due_seconds",
)  # fmt: skip
_EDGE, _REFRESH = "edge", "plaza_edge_refresh_seconds"


@dataclass(frozen=True, slots=True)
class Bar:
    """How reads were answered in one part of the time, `at` being its end."""

    at: datetime
    answered: Answered


@dataclass(frozen=True, slots=True)
class FamilyLine:
    """A family over the whole time, and the share that was answered without MySQL in each of some parts (None: not read)."""

    answered: Answered
    shares: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ProcessLine:
    """One process; None for what it does not have, as the worker has no memory of its own."""

    name: str
    figures: Mapping[str, float]

    def get(self, figure: str) -> float | None:
        return self.figures.get(f"plaza_{figure}")


@dataclass(frozen=True, slots=True)
class Survey:
    """`lately`: the last ten minutes; `counted` false: nobody counts. `leases`, `fills`, `unstored`: by what became of them, in
    the time of the chart; `edge`: so of refreshes of pages in Nginx, and the `seconds` that one took. Of a day: names that the
    auditor `compared`, looks `missed`, and what it found (`violated`)."""

    span: Span
    counted: bool
    lately: Answered
    bars: tuple[Bar, ...]
    families: tuple[FamilyLine, ...]
    processes: tuple[ProcessLine, ...]
    gauges: Mapping[str, float]
    leases: Mapping[str, int]
    fills: Mapping[str, int]
    unstored: Mapping[str, int]
    edge: Mapping[str, float]
    hottest: tuple[tuple[str, float], ...]
    compared: int
    missed: int
    violated: int
    violations: tuple[Violation, ...]


class Surveying:
    """Over the figures of all processes of this host."""

    def __init__(self, figures: Figures, inspector: Inspector, comparisons: Comparisons) -> None:
        self._figures, self._inspector, self._comparisons = figures, inspector, comparisons

    async def now(self, span: Span = "hour") -> Survey:
        """All of it. Raises Busy when MySQL does not answer."""
        moment = time.time()
        day = await self._figures.history(COARSE, moment - SECONDS["day"])
        fine = await self._figures.history(FINE, moment - LATELY)
        drawn = await asyncio.to_thread(_drawn, [one for one in day if one.at > moment - SECONDS[span]], moment, span)
        snapshots = await self._figures.of_all()
        return Survey(
            span=span,
            counted=bool(fine) and moment - fine[-1].at < STALE,
            lately=together(by_family(_rises(fine))),
            bars=drawn.bars,
            families=drawn.families,
            processes=tuple(ProcessLine(one.process, _plain(one.gauges)) for one in snapshots),
            gauges=_together(snapshots),
            leases=_labelled(drawn.total, "plaza_cache_leases_total"),
            fills=_labelled(drawn.total, "plaza_cache_fills_total"),
            unstored=_labelled(drawn.total, "plaza_cache_unstored_total"),
            edge=_of_edge([one for one in day if one.at > moment - SECONDS[span]]),
            hottest=tuple(await self._hottest()),
            compared=_audited(day, "compared"),
            missed=_audited(day, "missed") + _audited(day, "dropped"),
            violated=_audited(day, "violations"),
            violations=tuple(await self._comparisons.violations()),
        )

    async def _hottest(self) -> list[tuple[str, float]]:
        """The names that are asked for most in all processes together, and their shares."""
        answers = [answer for answer in (await ask_all(self._inspector.run, ("hottest", 50))).values() if answer]
        shares: dict[str, float] = {}
        for answer in answers:
            for name, share in answer:
                shares[name] = shares.get(name, 0) + share / len(answers)
        return sorted(shares.items(), key=lambda one: -one[1])[:HOTTEST]


class _Drawn(NamedTuple):
    bars: tuple[Bar, ...]
    families: tuple[FamilyLine, ...]
    total: Mapping[Series, float]


def _drawn(samples: Sequence[Sample], moment: float, span: Span) -> _Drawn:
    """All that a time's samples tell; a day's take a tenth of a second, which is why a thread does it."""
    length, begin = SECONDS[span] / BARS, moment - SECONDS[span]
    parts: list[list[Sample]] = [[] for _ in range(BARS)]
    for sample in samples:
        parts[min(BARS - 1, max(0, int((sample.at - begin) / length)))].append(sample)
    rises = [_rises(part) for part in parts]
    read = [by_family(one) for one in rises]
    ends = [datetime.fromtimestamp(begin + length * (n + 1), UTC) for n in range(BARS)]
    total = _added(rises)
    shares = [
        {one.family: _near(one) for one in by_family(_added(rises[at : at + BARS_OF_LINE]))}
        for at in range(0, BARS, BARS_OF_LINE)
    ]
    return _Drawn(
        tuple(Bar(end, together(families)) for end, families in zip(ends, read, strict=True)),
        tuple(FamilyLine(one, tuple(part.get(one.family) for part in shares)) for one in by_family(total)),
        total,
    )


def _rises(samples: Iterable[Sample]) -> dict[Series, float]:
    return _added(sample.rises for sample in samples)


def _added(figures: Iterable[Mapping[Series, float]]) -> dict[Series, float]:
    """What the cache has counted, of several times together."""
    total: dict[Series, float] = {}
    for one in figures:
        for series, value in one.items():
            if series[0].startswith("plaza_cache_"):
                total[series] = total.get(series, 0) + value
    return total


def _audited(samples: Iterable[Sample], event: str) -> int:
    return int(sum(sample.rises.get(("plaza_events_total", "auditor", event), 0) for sample in samples))


def _of_edge(samples: Sequence[Sample]) -> dict[str, float]:
    total = Counter[Series]()
    for sample in samples:
        total.update(
            {series: rise for series, rise in sample.rises.items() if _EDGE in series or series[0].startswith(_REFRESH)}
        )
    found = {series[-1]: value for series, value in total.items() if _EDGE in series}
    shown = total[f"{_REFRESH}_count",]
    return found | ({"seconds": total[f"{_REFRESH}_sum",] / shown} if shown else {})


def _near(one: Answered) -> float | None:
    return one.share(one.l1 + one.l2)


def _plain(gauges: Mapping[Series, float]) -> dict[str, float]:
    return {series[0]: value for series, value in gauges.items() if series[0] in _GAUGES}


def _together(snapshots: Sequence[Snapshot]) -> dict[str, float]:
    """Of figures that one process alone has, and of which the worst counts."""
    found: dict[str, float] = {}
    for one in snapshots:
        for name, value in _plain(one.gauges).items():
            found[name] = max(value, found.get(name, value))
    return found


def _labelled(total: Mapping[Series, float], metric: str) -> dict[str, int]:
    return {series[1]: int(value) for series, value in total.items() if series[0] == metric and value}
