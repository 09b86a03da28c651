"""How reads were answered: by the process's own memory, by Redis, by MySQL; of one family, or all together."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.metrics import Series
from models.snapshots import Snapshot

WHOLE = "page"  # the family of pages that are kept whole
_METRICS = {
    "plaza_cache_loads_total": "loads",
    "plaza_cache_joined_total": "joined",
    "plaza_cache_refreshes_total": "refreshes",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """`joined` were answered by somebody else's load; `refreshes` were loaded while the old value was still given."""

    family: str
    l1: int
    l2: int
    joined: int
    loads: int
    refreshes: int

    @property
    def reads(self) -> int:
        return self.l1 + self.l2 + self.joined + self.loads

    def share(self, of: int) -> float | None:
        """That number as a part of all reads; None without reads."""
        return of / self.reads if self.reads else None


def by_family(counters: Mapping[Series, float]) -> list[Answered]:
    """Each family that was read, the one that is read most first."""
    counts: dict[str, Counter[str]] = {}
    for series, value in counters.items():
        if series[0] == "plaza_cache_hits_total":
            counts.setdefault(series[2], Counter())[series[1]] += int(value)
        elif field := _METRICS.get(series[0]):
            counts.setdefault(series[1], Counter())[field] += int(value)
    found = [_answered(family, count) for family, count in counts.items()]
    return sorted((one for one in found if one.reads), key=lambda one: (-one.reads, one.family))


def together(families: Iterable[Answered]) -> Answered:
    """All reads. That a page was made is no read of MySQL: the rows and lists that it was made of are counted themselves."""
    total = Counter[str]()
    for one in families:
        total.update(l1=one.l1, l2=one.l2, refreshes=one.refreshes)
        if one.family != WHOLE:
            total.update(joined=one.joined, loads=one.loads)
    return _answered("", total)


def counted(snapshots: Iterable[Snapshot]) -> dict[Series, float]:
    """The counters of all processes together, since each began."""
    total = Counter[Series]()
    for one in snapshots:
        total.update(one.counters)
    return dict(total)


def _answered(family: str, count: Counter[str]) -> Answered:
    return Answered(family, count["l1"], count["l2"], count["joined"], count["loads"], count["refreshes"])
