"""What a record file holds, in numbers: read once, in little memory, whatever its size."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from replay.histogram import Histogram
from replay.reading import Reader
from replay.records import PLACEHOLDER, PLACEHOLDER_BYTES, Request
from replay.sites import AnySite, Site

SPEEDS: Final = (1, 10, 100, 1000)
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SECOND: Final = 1_000_000  # us


@dataclass(slots=True)
class Peaks:
    """The most requests that fall into one second, at each speed. Seconds are counted from the start, as they come."""

    seconds: dict[int, int] = field(default_factory=lambda: dict.fromkeys(SPEEDS, -1))
    here: dict[int, int] = field(default_factory=lambda: dict.fromkeys(SPEEDS, 0))
    most: dict[int, int] = field(default_factory=lambda: dict.fromkeys(SPEEDS, 0))

    def add(self, t_us: int) -> None:
        for speed in SPEEDS:
            second = t_us // (_SECOND * speed)
            if second != self.seconds[speed]:
                self.seconds[speed], self.here[speed] = second, 0
            self.here[speed] += 1
            if self.here[speed] > self.most[speed]:
                self.most[speed] = self.here[speed]


@dataclass(slots=True)
class Contents:
    """`peaks`: the most requests that fall into one second when all is sent at 1, 10, ... times the speed. `gaps_us`: from one
    request to the next; `service_us`: recorded times of answers. `lengths`: how many requests sessions made. `placeholders`:
    distinct ones by kind; `made`: how many of these an answer in the file tells; `unanswered`: by kind, those that neither
    an answer nor the file `values` tells. `dropped`: what was not recorded, by reason."""

    header: dict[str, Any]
    cut: bool = False
    requests: int = 0
    seconds: float = 0.0
    sessions: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    routes: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    sent_bytes: int = 0
    answered_bytes: int = 0
    writes: int = 0
    truncated: int = 0
    peaks: dict[int, int] = field(default_factory=dict)
    gaps_us: Histogram = field(default_factory=Histogram)
    service_us: Histogram = field(default_factory=Histogram)
    lengths: Histogram = field(default_factory=Histogram)
    placeholders: Counter[str] = field(default_factory=Counter)
    made: int = 0
    unanswered: Counter[str] = field(default_factory=Counter)
    values: str = ""
    dropped: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in self.__slots__}
        spread = {name: shape(getattr(self, name)) for name in ("gaps_us", "service_us", "lengths")}
        header = {name: value for name, value in self.header.items() if name != "mapping"}
        return told | spread | {"header": header, "mapped": len(self.header["mapping"])}


class NoValues(Exception):
    """The values file cannot be read; the text says why, in a line."""


def inspect(path: Path, values: Path | None = None, site: Site | None = None) -> Contents:
    """`values`: what `prepare` wrote, if it is there. Raises NoRecord, NoValues, OSError."""
    reader = Reader(path)
    site = site or AnySite()
    told = Contents(reader.header.as_json())
    answered = _values(values) if values else frozenset[str]()
    lengths, peaks = Counter[str](), Peaks()
    asked, made = set[str](), set[str]()
    last: int | None = None
    for request in reader:
        told.gaps_us.add(request.t_us - last) if last is not None else None
        last = request.t_us
        lengths[request.session] += 1
        peaks.add(request.t_us)
        _count(told, request, site)
        asked |= _placeholders(request)
        made |= {one.placeholder for one in request.answer.made}
    for n in lengths.values():
        told.lengths.add(n)
    told.cut, told.sessions, told.seconds, told.peaks = reader.cut, len(lengths), (last or 0) / _SECOND, peaks.most
    told.dropped = dict(reader.footer.dropped) if reader.footer else {}
    told.placeholders = Counter(map(_kind, asked))
    told.made = len(asked & made)
    told.unanswered = Counter(map(_kind, asked - made - answered))
    told.values = str(values or "")
    return told


def shape(histogram: Histogram) -> dict[str, float]:
    """The numbers that say how something is spread."""
    named = {
        name: histogram.value_at(share) for name, share in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
    }
    return named | {"max": histogram.max, "mean": histogram.total / histogram.n if histogram.n else 0.0}


def _count(told: Contents, request: Request, site: Site) -> None:
    told.requests += 1
    told.statuses[str(request.answer.status)] += 1
    told.methods[request.method] += 1
    told.routes[site.route(request.method, request.target)] += 1
    if request.answer.level:
        told.levels[request.answer.level] += 1
    told.sent_bytes += request.body_length
    told.answered_bytes += request.answer.length
    told.writes += request.method not in READS
    told.truncated += request.truncated
    if request.answer.total_us:
        told.service_us.add(request.answer.total_us)


def _placeholders(request: Request) -> set[str]:
    text = "\n".join([request.target, *(value for _, value in request.headers)])
    found = {match[0] for match in PLACEHOLDER.finditer(text)} if "{{" in text else set[str]()
    if b"{{" in request.body:
        found |= {match[0].decode() for match in PLACEHOLDER_BYTES.finditer(request.body)}
    return found


def _kind(placeholder: str) -> str:
    return placeholder[2:].partition(":")[0]


def _values(path: Path) -> frozenset[str]:
    try:
        told = json.loads(path.read_text())
    except ValueError:
        raise NoValues(f"{path} is not JSON") from None
    if not isinstance(told, dict):
        raise NoValues(f"{path} is no file of values")
    return frozenset(told)
