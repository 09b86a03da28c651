"""What a line of an access log says: our Nginx's JSON, and the "combined" format of Apache, which Nginx writes by default too."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import IO, Any, Final
from urllib.parse import quote, urlsplit

EXAMPLES: Final = 3  # lines shown of each reason
LONGEST: Final = 1 << 16  # bytes of a line; Nginx takes addresses up to 32 kB
_DAY: Final = 86_400  # s that a request takes at the most
_LARGEST: Final = 10**15  # bytes of an answer
_LAST: Final = 2**33  # s since 1970: a moment behind this is a mistake
_WIDE: Final = 200  # characters of an example
_SECOND: Final = 1_000_000  # us
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_COMBINED: Final = re.compile(
    r'(?P<address>\S+) \S+ [^\[]*\[(?P<at>[^\]]+)\] "(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<length>\d{1,20}|-)'
    r'(?: "(?P<referrer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?',
)
_TIME: Final = re.compile(r"(\d{2})/([A-Z][a-z]{2})/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})", re.ASCII)
_ESCAPED: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")
_METHOD: Final = re.compile(r"[A-Z]{1,20}", re.ASCII)
_UNSENDABLE: Final = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """A request as a log tells it. `at_us`: microseconds since 1970; `ended`: of its end, else of its begin. `whole_second`: of
    that moment only the second is known. `took_us`: 0 when the log does not say. `length` is that of the answer."""

    at_us: int
    ended: bool
    whole_second: bool
    took_us: int
    address: str
    agent: str
    referrer: str
    method: str
    target: str
    status: int
    length: int
    level: str = ""


class NoEntry(Exception):
    """A line that tells of no request; the text is the reason, the same for all lines of its kind."""


@dataclass(slots=True)
class Refused:
    """The lines that did not fit: how many by reason, and the first of each, with their numbers."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, example: str) -> None:
        self.counts[reason] += 1
        known = self.examples.setdefault(reason, [])
        if len(known) < EXAMPLES:
            known.append(example[:_WIDE])


def entries(lines: Iterable[bytes], kind: str, refused: Refused) -> Iterator[Entry]:
    """Of a log of this kind ("nginx", "combined"), in the order of its lines."""
    entry_of = KINDS[kind]
    for number, line in enumerate(lines, 1):
        # As it is: each byte a letter. A log may hold what is no UTF-8.
        text = line.decode("latin-1").strip()
        if not text:
            continue
        try:
            if len(line) > LONGEST:
                raise NoEntry("longer than any request")
            yield entry_of(text)
        except NoEntry as why:
            refused.add(str(why), f"line {number}: {_UNSENDABLE.sub(' ', text[:_WIDE])}")


def lines(file: IO[bytes]) -> Iterator[bytes]:
    """Of a log. Of one that is longer than any request comes the beginning, whatever follows it."""
    while line := file.readline(LONGEST + 1):
        yield line
        while len(line) > LONGEST and not line.endswith(b"\n"):
            line = file.readline(LONGEST + 1)


def nginx(text: str) -> Entry:
    """A line of our own log: the moment is that of the answer's end. Raises NoEntry."""
    try:
        told: dict[str, Any] = json.loads(text)
        exact = "ended" in told  # logs of before this was written have whole seconds
        at_us = round(_within(float(told["ended"]), _LAST) * _SECOND) if exact else _iso(str(told["at"]))
        took_us = round(_within(float(told["seconds"]), _DAY) * _SECOND)
        status, length = int(told["status"]), int(_within(int(told["bytes"]), _LARGEST))
        method, target, address = str(told["method"]), str(told["path"]), str(told["address"])
        agent, referrer = str(told.get("agent", "")), str(told.get("referrer", ""))
        level = str(told.get("cache", ""))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise NoEntry("not a line of Plaza's Nginx log") from None
    if not method and not target:
        raise NoEntry("a connection without a request")
    return Entry(
        at_us, True, not exact, took_us, address, sendable(agent), sendable(referrer), _method(method),
        _target(target), _status(status), length, level.strip("-"),
    )  # fmt: skip


def combined(text: str) -> Entry:
    """A line of Apache's log, with or without referrer and agent: the moment is that of the request's begin, in whole seconds.
    Raises NoEntry."""
    found = _COMBINED.match(text)
    if not found:
        raise NoEntry("not in combined format")
    request = _plain(found["request"])
    method, _, rest = request.partition(" ")
    target, _, protocol = rest.rpartition(" ")
    if not protocol.startswith("HTTP/"):
        raise NoEntry("not a request of HTTP/1")
    length = 0 if found["length"] == "-" else min(int(found["length"]), _LARGEST)
    return Entry(
        _apache(found["at"]), False, True, 0, found["address"], _header(found["agent"]), _header(found["referrer"]),
        _method(method), _target(target), _status(int(found["status"])), length,
    )  # fmt: skip


KINDS: Final[dict[str, Callable[[str], Entry]]] = {"nginx": nginx, "combined": combined}


def sendable(value: str) -> str:
    """A header's value without what would end its line."""
    return _UNSENDABLE.sub(" ", value).strip()


def _header(escaped: str | None) -> str:
    return "" if escaped in (None, "-") else sendable(_plain(escaped or ""))


def _plain(escaped: str) -> str:
    return _ESCAPED.sub(_unescaped, escaped) if "\\" in escaped else escaped


def _unescaped(found: re.Match[str]) -> str:
    said = found[1]
    return chr(int(said[1:], 16)) if len(said) == 3 else {"n": "\n", "t": "\t", "r": "\r"}.get(said, said)


def _method(method: str) -> str:
    if not _METHOD.fullmatch(method):
        raise NoEntry("not a method of HTTP")
    return method


def _target(target: str) -> str:
    """Path and query, each letter one that may be sent."""
    try:
        parts = urlsplit(target)
    except ValueError:
        raise NoEntry("its address is no path") from None
    if parts.scheme in ("http", "https"):  # as a proxy is asked
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = target.partition("#")[0]
    if not target.startswith("/"):
        raise NoEntry("its address is no path")
    if target.startswith("//"):  # to some servers, and to some clients, that is another host
        target = f"/{target.lstrip('/')}"
    if target.isascii() and target.isprintable() and " " not in target:
        return target
    raw = target.encode("latin-1") if max(target) < "\u0100" else target.encode(errors="replace")
    return quote(raw, safe="/%?&=+:;,@!$'()*~[]|#-._")


def _within(value: float, most: int) -> float:
    """Raises ValueError, also for what is no number."""
    if not 0 <= value <= most:
        raise ValueError(value)
    return value


def _status(status: int) -> int:
    if not 100 <= status <= 599:
        raise NoEntry("without a status")
    return status


@lru_cache(maxsize=4096)
def _apache(at: str) -> int:
    found = _TIME.fullmatch(at)
    if not found or found[2] not in _MONTHS:
        raise NoEntry("without a time")
    day, _, year, hour, minute, second, sign, hours, minutes = found.groups()
    ahead = timedelta(hours=int(hours), minutes=int(minutes)) * (1 if sign == "+" else -1)
    try:
        moment = datetime(
            int(year),
            _MONTHS.index(found[2]) + 1,
            int(day),
            int(hour),
            int(minute),
            min(int(second), 59),
            tzinfo=timezone(ahead),
        )
        return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * _SECOND
    except (ValueError, OverflowError):
        raise NoEntry("without a time") from None


@lru_cache(maxsize=4096)
def _iso(at: str) -> int:
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError(at)
    return int(moment.timestamp()) * _SECOND
