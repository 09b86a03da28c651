"""Makes requests of the entries of a log: in order, each at its own moment, in sessions; of any number in little memory."""

import hashlib
import heapq
import hmac
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import astuple, dataclass, field
from functools import lru_cache
from typing import IO, Final

from replay.access_logs import Entry
from replay.mapping import NOT_FOUND
from replay.records import PLACEHOLDER, Answer, Request
from replay.redaction import Redactor

RUN: Final = 100_000  # entries that are sorted at a time
GAP_US: Final = 30 * 60 * 1_000_000  # who comes back later than that begins a new session
_SECOND: Final = 1_000_000
_KNOWN: Final = 65_536  # addresses whose redaction is remembered
_SWEEP: Final = 100_000  # requests after which sessions that are over are forgotten


@dataclass(slots=True)
class Spool:
    """Entries by time. What is more than `RUN` lies in unnamed files. `started_us`: the earliest begin; `longest_us`: the
    longest that one took; `whole_seconds`: how many have a moment that is no more exact; `disorder`: how many stood behind a
    later one."""

    started_us: int | None = None
    longest_us: int = 0
    whole_seconds: int = 0
    entries: int = 0
    disorder: int = 0
    _last_us: int = 0
    _here: list[Entry] = field(default_factory=list)
    _away: list[IO[str]] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def add(self, entry: Entry) -> None:
        """Raises OSError."""
        begin_us = entry.at_us - entry.took_us if entry.ended else entry.at_us
        self.started_us = begin_us if self.started_us is None else min(self.started_us, begin_us)
        self.longest_us = max(self.longest_us, entry.took_us)
        self.whole_seconds += entry.whole_second
        self.entries += 1
        self.disorder += entry.at_us < self._last_us
        self._last_us = entry.at_us
        self._here.append(entry)
        if len(self._here) >= RUN:
            self._put_away()

    def __iter__(self) -> Iterator[Entry]:
        """In the order of their moments; those of one moment as they stood in the log. Raises OSError."""
        self._here.sort(key=_moment)
        for file in self._away:
            file.seek(0)
        yield from heapq.merge(*map(_read, self._away), self._here, key=_moment)

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _put_away(self) -> None:
        self._here.sort(key=_moment)
        file = self._stack.enter_context(tempfile.TemporaryFile("w+"))  # noqa: SIM115
        for entry in self._here:
            file.write(json.dumps(astuple(entry)) + "\n")
        self._away.append(file)
        self._here.clear()


def _moment(entry: Entry) -> int:
    return entry.at_us


def _read(file: IO[str]) -> Iterator[Entry]:
    return (Entry(*json.loads(line)) for line in file)


def begins(spool: Spool, seed: int) -> Iterator[tuple[int, Entry]]:
    """Each with the microsecond of its begin, in that order. Those of which the second alone is known are spread over it, evenly
    but for chance, in the order of the log."""
    waiting: list[tuple[int, int, Entry]] = []
    for number, (at_us, entry) in enumerate(_spread(spool, random.Random(seed))):  # noqa: S311
        begin = at_us - entry.took_us if entry.ended else at_us
        heapq.heappush(waiting, (begin, number, entry))
        # What comes now ended later than all before; it can have begun earlier by the longest that any took.
        while waiting and waiting[0][0] < at_us - spool.longest_us:
            yield _first(waiting)
    while waiting:
        yield _first(waiting)


def _first(waiting: list[tuple[int, int, Entry]]) -> tuple[int, Entry]:
    begin, _, entry = heapq.heappop(waiting)
    return begin, entry


def _spread(entries: Iterable[Entry], chance: random.Random) -> Iterator[tuple[int, Entry]]:
    together: list[Entry] = []
    for entry in entries:
        if together and entry.at_us // _SECOND != together[0].at_us // _SECOND:
            yield from _over_second(together, chance)
            together = []
        together.append(entry)
    yield from _over_second(together, chance)


def _over_second(entries: list[Entry], chance: random.Random) -> Iterator[tuple[int, Entry]]:
    vague = sum(entry.whole_second for entry in entries)
    moments, met = [], 0
    for entry in entries:
        at_us = entry.at_us
        if entry.whole_second:
            at_us += int((met + chance.random()) / vague * _SECOND)
            met += 1
        moments.append((at_us, entry))
    yield from sorted(moments, key=lambda pair: pair[0])


class Sessions:
    """Tells whose a request is: address and agent, under a key that nobody keeps, so that no address can be found out."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._open: dict[str, _Session] = {}
        self.count = self._seen = 0

    def of(self, begin_us: int, entry: Entry) -> "_Session":
        """The session that goes on, or a new one after a pause. In the order of the begins."""
        self._seen += 1
        if self._seen % _SWEEP == 0:
            self._open = {who: one for who, one in self._open.items() if begin_us - one.last_us <= GAP_US}
        who = f"{entry.address} {entry.agent}"
        known = self._open.get(who)
        if known is None or begin_us - known.last_us > GAP_US:
            told = hmac.new(self._key, f"{begin_us} {who}".encode(), hashlib.sha256).hexdigest()[:12]
            known = self._open[who] = _Session(told)
            self.count += 1
        return known


@dataclass(slots=True)
class _Session:
    name: str
    k: int = 0
    last_us: int = 0
    answered: int | None = None  # the last request of which the answer was there before `last_us`
    _under_way: list[tuple[int, int]] = field(default_factory=list)  # (end, i)

    def ask(self, i: int, begin_us: int, entry: Entry) -> tuple[int, int | None]:
        """The place in the session, and the request that had been answered. Where the log does not say how long it took, what
        was asked in an earlier second counts as answered: a page's pictures, asked together, do not wait for each other."""
        for end, one in self._under_way:
            if end <= begin_us:
                self.answered = one if self.answered is None else max(self.answered, one)
        self._under_way = [(end, one) for end, one in self._under_way if end > begin_us]
        end = begin_us + entry.took_us if entry.ended else (entry.at_us // _SECOND + 1) * _SECOND
        self._under_way.append((end, i))
        self.k, self.last_us = self.k + 1, begin_us
        return self.k - 1, self.answered


@dataclass(slots=True)
class Told:
    """What an import came to: `dropped` by reason, and what a log cannot tell and a replay therefore does differently."""

    requests: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    conditional: int = 0
    ranges: int = 0


def requests(
    spool: Spool, sessions: Sessions, seed: int, mapped: Callable[[Entry], str | None], redactor: Redactor, told: Told
) -> Iterator[Request]:
    """`mapped`: what is asked in its place, None for what has no place there."""
    safe = lru_cache(_KNOWN)(redactor.target)
    for begin_us, entry in begins(spool, seed):
        if entry.method not in ("GET", "HEAD", "OPTIONS"):
            told.dropped["write without its body"] += 1
            continue
        target = mapped(entry)
        if target is None:
            told.dropped["not mapped"] += 1
            continue
        session, i = sessions.of(begin_us, entry), told.requests
        k, after = session.ask(i, begin_us, entry)
        told.requests += 1
        told.conditional += entry.status == 304
        told.ranges += entry.status == 206
        answer = Answer(entry.status, entry.took_us, length=entry.length, level=entry.level)
        address = safe(target) if entry.status not in NOT_FOUND else _blank(safe(target))
        yield Request(
            i, begin_us - (spool.started_us or 0), session.name, k, entry.method, address, answer,
            after=after, headers=tuple((name, _blank(value)) for name, value in redactor.headers(_headers(entry))),
        )  # fmt: skip


def _blank(text: str) -> str:
    """Where nothing depends on a secret, a word stands for it: a placeholder without a value would keep the request from being
    sent."""
    return PLACEHOLDER.sub("redacted", text)


def _headers(entry: Entry) -> tuple[tuple[str, str], ...]:
    """Of where a visitor came from, no query: it holds what he looked for elsewhere."""
    pairs = (("user-agent", entry.agent), ("referer", entry.referrer.partition("?")[0].partition("#")[0]))
    return tuple((name, value) for name, value in pairs if value and value != "-")
