"""How long things took, in log-linear buckets: exact to 1 in 128, cheap to note, and merged by adding counts.

Percentiles of several histograms must never be averaged; their counts may be added. Counts are exported to HdrHistogram.
"""

import math
from collections.abc import Iterable
from typing import Final

SHARP: Final = 7  # bits that are kept of a number: a bucket is at most 1/128 of its lower edge wide
_EXACT: Final = 1 << SHARP
QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}
ABOVE: Final = 10  # samples there must be above a percentile, else it is not told


class Histogram:
    """Whole microseconds, from 0 to any; negative ones count as 0."""

    __slots__ = ("counts", "max", "n", "total")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}  # by bucket
        self.n = self.max = self.total = 0

    def add(self, us: int) -> None:
        if us < _EXACT:
            bucket = us if us > 0 else 0
        else:
            shift = us.bit_length() - SHARP - 1
            bucket = (shift << SHARP) + (us >> shift)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.n += 1
        self.total += us
        if us > self.max:
            self.max = us

    def merge(self, other: "Histogram") -> None:
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.n += other.n
        self.total += other.total
        self.max = max(self.max, other.max)

    def quantile_ms(self, share: float) -> float | None:
        """Milliseconds below which this share lies; None where fewer than `ABOVE` lie above: it would be chance."""
        if self.n - math.ceil(self.n * share) < ABOVE:
            return None
        return self.value_at(share) / 1000

    def value_at(self, share: float) -> float:
        """Microseconds at this share, the middle of its bucket, however few there are; 0 when there are none."""
        wanted, seen = math.ceil(self.n * share), 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= wanted:
                low, high = edges(bucket)
                return min((low + high - 1) / 2, self.max)
        return 0.0

    def typical_ms(self) -> float | None:
        """The geometric mean, in milliseconds: each request moves it by how many times as long it took, so that neither a few
        that took very long decide it, nor the half that a cache answers hide the others. None where there is no p50 either."""
        if self.n < 2 * ABOVE:
            return None
        logs = (count * math.log(sum(edges(bucket)) / 2) for bucket, count in self.counts.items())
        return math.exp(math.fsum(logs) / self.n) / 1000

    def summary(self) -> dict[str, float | int | None]:
        """`{p50, p90, p99, p99.9, max}` in milliseconds and `n`, as a run tells them."""
        told: dict[str, float | int | None] = {name: self.quantile_ms(share) for name, share in QUANTILES.items()}
        return told | {"max": self.max / 1000 if self.n else None, "n": self.n}

    def as_json(self) -> dict[str, object]:
        return {"max": self.max, "total": self.total, "counts": sorted(self.counts.items())}


def of_json(told: dict[str, object]) -> Histogram:
    """The other way round. Raises KeyError, TypeError or ValueError."""
    made, pairs = Histogram(), told["counts"]
    if not isinstance(pairs, Iterable):
        raise TypeError("counts is no list")
    made.counts = {int(bucket): int(count) for bucket, count in pairs}
    made.n = sum(made.counts.values())
    made.max, made.total = int(str(told["max"])), int(str(told["total"]))
    return made


def edges(bucket: int) -> tuple[int, int]:
    """From how many microseconds on, and up to which it no longer holds."""
    if bucket < _EXACT:
        return bucket, bucket + 1
    shift = (bucket >> SHARP) - 1
    low = ((bucket & (_EXACT - 1)) | _EXACT) << shift
    return low, low + (1 << shift)
