"""What `/manage/cache` tells: how reads were answered over time, how each process and store fares, and what the auditor found."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

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
LATELY = 600  # s that the sentence at the top tells of
HOTTEST = 15
STALE = 30.0  # s without a sample, after which the worker is not at work

_GAUGES = (
    "plaza_redis_memory_bytes", "plaza_redis_memory_limit_bytes", "plaza_redis_keys", "plaza_redis_evicted_keys",
    "plaza_outbox_rows", "plaza_outbox_age_seconds", "plaza_redis_up", "plaza_push_connected", "plaza_push_lag_seconds",
    "plaza_fence_age_seconds", "plaza_l1_bytes", "plaza_l1_limit_bytes", "plaza_l1_entries",
)  # fmt: skip


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
    the time of the chart. Of a day: names that the auditor `compared`, looks `missed`, and what it found (`violated`)."""

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
        seen = [sample for sample in day if sample.at > moment - SECONDS[span]]
        total, audited = _rises(seen), _rises(day)
        snapshots = await self._figures.of_all()
        return Survey(
            span=span,
            counted=bool(fine) and moment - fine[-1].at < STALE,
            lately=together(by_family(_rises(fine))),
            bars=tuple(_bars(seen, moment, span)),
            families=tuple(_families(seen, total, moment, span)),
            processes=tuple(ProcessLine(one.process, _plain(one.gauges)) for one in snapshots),
            gauges=_together(snapshots),
            leases=_labelled(total, "plaza_cache_leases_total"),
            fills=_labelled(total, "plaza_cache_fills_total"),
            unstored=_labelled(total, "plaza_cache_unstored_total"),
            hottest=tuple(await self._hottest()),
            compared=int(audited["plaza_events_total", "auditor", "compared"]),
            missed=int(sum(audited["plaza_events_total", "auditor", event] for event in ("missed", "dropped"))),
            violated=int(audited["plaza_events_total", "auditor", "violations"]),
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


def _rises(samples: Sequence[Sample]) -> Counter[Series]:
    total = Counter[Series]()
    for sample in samples:
        total.update(sample.rises)
    return total


def _parts(samples: Sequence[Sample], moment: float, span: Span, parts: int) -> list[tuple[float, list[Sample]]]:
    """The samples by the part of the time they ended in: (its end, those)."""
    length, begin = SECONDS[span] / parts, moment - SECONDS[span]
    found: list[tuple[float, list[Sample]]] = [(begin + length * (n + 1), []) for n in range(parts)]
    for sample in samples:
        found[min(parts - 1, max(0, int((sample.at - begin) / length)))][1].append(sample)
    return found


def _bars(samples: Sequence[Sample], moment: float, span: Span) -> list[Bar]:
    return [
        Bar(datetime.fromtimestamp(end, UTC), together(by_family(_rises(some))))
        for end, some in _parts(samples, moment, span, BARS)
    ]


def _families(samples: Sequence[Sample], total: Counter[Series], moment: float, span: Span) -> list[FamilyLine]:
    parts = [
        {one.family: one for one in by_family(_rises(some))} for _, some in _parts(samples, moment, span, BARS // 3)
    ]
    return [
        FamilyLine(one, tuple(_near(part[one.family]) if one.family in part else None for part in parts))
        for one in by_family(total)
    ]


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
