"""The recorder: of what web processes and Nginx tell it makes the requests of a record file, in the order in which they began."""

import logging
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from heapq import heappop, heappush
from typing import Any, Final

from replay.exchanges import Exchange
from replay.records import Answer, Made, Request
from replay.redaction import PLAIN_COOKIES, Redactor, bare
from replay.sites import Site
from replay.visitors import Visitors
from replay.writing import Unfit, Writer

log = logging.getLogger("plaza.record")

MOST_HELD: Final = 1 << 26  # bytes that wait for what began before them and is still under way
_ADDRESSES: Final = frozenset({"origin", "referer"})
_TOLD: Final = re.compile(r"\r\n(content-type|etag|location|set-cookie|x-cache):([^\r]*)", re.IGNORECASE)
_OVERHEAD: Final = 3000  # bytes of memory that an exchange takes beside its texts and bodies, measured
_MOST_MADE: Final = 1_000_000  # ids that answers told of, by which later requests are known to come of them


class Recorder:
    """`dropped` counts by reason what is not in the file, though it was asked."""

    def __init__(
        self, writer: Writer, redactor: Redactor, site: Site, visitors: Visitors, started: int, base_url: str = ""
    ) -> None:
        self._writer, self._redactor, self._site, self._visitors = writer, redactor, site, visitors
        self._started = self._written = started  # ns of the monotonic clock
        self._base_url = base_url
        self._waiting: list[
            tuple[int, int, int, Exchange]
        ] = []  # by beginning; the number keeps equal ones apart; the weight
        self._count = self._held = 0
        self._made: dict[str, str] = {}
        self._identities = sorted(site.secret_cookies)
        self.sessions = 0
        self.dropped: Counter[str] = Counter()

    @property
    def requests(self) -> int:
        return self._writer.requests

    def take(self, exchange: Exchange) -> None:
        """Raises OSError, as `write` does."""
        if exchange.began < self._written:
            if exchange.began >= self._started:
                self.dropped["late"] += 1
            return
        self._count += 1
        self._held += (weight := _weight(exchange))
        heappush(self._waiting, (exchange.began, self._count, weight, exchange))
        while self._held > MOST_HELD:
            self._next()

    def write(self, all_before: int) -> None:
        """Nothing that began before this moment will be told any more: what did can be written. Raises OSError."""
        while self._waiting and self._waiting[0][0] < all_before:
            self._next()
        self._written = max(self._written, all_before)

    def _next(self) -> None:
        began, _, weight, exchange = heappop(self._waiting)
        self._held -= weight
        self._written = max(self._written, began)
        try:
            self._write(exchange)
        except OSError:
            raise
        except Exception:
            log.exception("an exchange was not understood")
            self.dropped["not understood"] += 1

    def _write(self, exchange: Exchange) -> None:
        status, told = _head(exchange.head)
        headers = [(name.lower(), value) for name, value in exchange.headers]
        asked = dict(headers)
        address = asked.get("x-real-ip") or exchange.peer
        if exchange.target.partition("?")[0] in self._site.left_out or address.startswith("unix:") or status < 200:
            return
        session = self._visitors.of(address, asked.get("user-agent", ""), self._identity(asked))
        given = _set(told)
        for name in self._identities:
            if given.get(name):
                self._visitors.give(session, given[name])
        if not session.kept:
            return
        t_us, ended_us = (exchange.began - self._started) // 1000, (exchange.ended - self._started) // 1000
        i, answers = self._writer.requests, dict(told)
        k, after = session.next(t_us)
        target, body, truncated = self._asked(exchange, asked.get("content-type", ""))
        try:
            self._writer.add(Request(
                i, t_us, session.name, k, exchange.method, target,
                Answer(
                    status, ended_us - t_us, (exchange.first - exchange.began) // 1000, exchange.length,
                    answers.get("content-type", ""), answers.get("etag", "").removeprefix("W/").strip('"'), "",
                    self._redactor.address(answers["location"]) if "location" in answers else "", tuple(given),
                    tuple(self._new(exchange, status, told, given)), answers.get("x-cache", ""),
                ),
                0, after, self._redactor.headers(self._at_home(headers, asked)), body, exchange.body_length, truncated,
            ))  # fmt: skip
        except Unfit:
            self.dropped["cannot be sent again"] += 1
            return
        session.add(i, ended_us)
        self.sessions += k == 0

    def _asked(self, exchange: Exchange, content_type: str) -> tuple[str, bytes, bool]:
        """Address and body as they are written, and whether not all of the body is."""
        truncated = exchange.body_length > len(exchange.body)
        body = self._redactor.body(content_type, exchange.body, truncated=truncated)
        target = self._redactor.target(exchange.target)
        if self._made:
            target, body = self._site.identified(exchange.method, target, body, self._made)
        return target, body, truncated or bool(exchange.body and not body)

    def _at_home(self, headers: list[tuple[str, str]], asked: dict[str, str]) -> list[tuple[str, str]]:
        """The site has more names than its own, such as localhost: where one is meant, its own one is written, which the replay
        knows to be the target's."""
        if _ADDRESSES.isdisjoint(asked):
            return headers
        home = _home(asked.get("host", ""))
        return [
            (name, home.sub(lambda _: self._base_url, value, count=1) if name in _ADDRESSES else value)
            for name, value in headers
        ]

    def _identity(self, asked: dict[str, str]) -> str | None:
        """What a visitor is known by, beside address and program."""
        scheme, _, token = asked.get("authorization", "").partition(" ")
        if token and scheme.lower() == "bearer":
            return token.strip()
        cookies = _cookies(asked.get("cookie", ""))
        return next((cookies[name] for name in self._identities if cookies.get(name)), None)

    def _new(
        self, exchange: Exchange, status: int, told: list[tuple[str, str]], given: dict[str, str]
    ) -> Iterable[Made]:
        for name, value in given.items():
            if value and name not in PLAIN_COOKIES:
                yield Made("cookie", self._redactor.cookie(name, value), f"cookie:{name}")
        for one in self._site.made(exchange.method, exchange.target, status, told, exchange.answer_body):
            if one.kind == "token":
                yield Made("token", self._redactor.secret("token", _name(one)), one.pointer)
                continue
            if len(self._made) < _MOST_MADE:
                self._made[f"{one.kind}:{_name(one)}"] = one.placeholder
            yield one


def _name(made: Made) -> str:
    return made.placeholder[len(made.kind) + 3 : -2]


def _weight(exchange: Exchange) -> int:
    headers = sum(len(value) for _, value in exchange.headers)
    return _OVERHEAD + headers + len(exchange.target) + len(exchange.body) + len(exchange.answer_body)


def _cookies(header: str) -> dict[str, str]:
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return {bare(name): value.strip('"') for name, _, value in pairs}


def _set(told: list[tuple[str, str]]) -> dict[str, str]:
    """The cookies of an answer."""
    pairs = [value.partition(";")[0].partition("=") for name, value in told if name == "set-cookie"]
    return {bare(name.strip()): value.strip('"') for name, _, value in pairs}


def _head(head: Any) -> tuple[int, list[tuple[str, str]]]:
    """(status, headers that matter with their names in lower case) of what a web process, or the log, told."""
    if not isinstance(head, bytes):
        return int(head[0]), [(name.lower(), value) for name, value in head[1]]
    text = head.decode("latin-1")
    return int(text[9:12]), [(name.lower(), value.strip()) for name, value in _TOLD.findall(text)]


@lru_cache(64)
def _home(host: str) -> re.Pattern[str]:
    """The beginning of an address of the site under this name of it."""
    return re.compile(rf"https?://{re.escape(host)}(?=/|$)", re.IGNORECASE)
