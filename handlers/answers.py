"""A whole answer to GET as it is kept, and its bytes as they go out again: for another request, at another time."""

import re
import time
from collections.abc import Iterable
from functools import cached_property, lru_cache
from hashlib import sha1
from typing import NamedTuple

from tornado.httputil import HTTPHeaders, format_timestamp

from handlers.storing import packed, weak

LARGEST = 1 << 18  # bytes of a body; larger ones are rare, and would drive out many small ones
_DATE, _ID = "Date", "X-Request-Id"
_ONLY_200 = frozenset({"Content-Encoding", "Content-Language", "Content-Type", "Content-Length"})  # as Tornado has it
_ETAG = re.compile(r'\*|(?:W/)?"[^"]*"')


class Head(NamedTuple):
    """The lines of an answer before its empty one, cut where the request's own values stand: of Date, of X-Request-Id."""

    to_date: bytes
    to_id: bytes
    rest: bytes


class Answer:
    """An answer with status 200, and what is said in its place to who has these bytes already. `names`: of what it was made;
    `until`: when it is over without a write."""

    def __init__(
        self, route: str, etag: str, head: Head, head_304: Head, body: bytes, names: tuple[str, ...], until: float
    ) -> None:
        self.route, self.etag, self.body = route, etag, body
        self.head, self.head_304 = head, head_304
        self.names, self.until = names, until

    @property
    def weight(self) -> int:
        """Bytes that it takes in memory, about; with the compressed body, which is a quarter at most."""
        return len(self.body) * 5 // 4 + sum(map(len, self.head)) + sum(map(len, self.head_304)) + 900

    @cached_property
    def packed(self) -> bytes | None:
        """The body in gzip, made when it is first asked for."""
        return packed(self.body)

    def bytes_for(self, id: str, connection: bytes, *, changed: bool, with_body: bool) -> bytes:
        """What goes to the socket. `connection`: the line of that name, or nothing."""
        to_date, to_id, rest = self.head if changed else self.head_304
        body = self.body if changed and with_body else b""
        return b"".join((to_date, _now(), to_id, id.encode(), rest, connection, b"\r\n\r\n", body))

    def bytes_to_store(self, id: str, connection: bytes, labels: Iterable[tuple[str, str]], *, zipped: bool) -> bytes:
        """The same for Nginx's store."""
        to_date, to_id, rest = self.head
        body, more = self.body, "".join(f"\r\n{name}: {value}" for name, value in labels)
        if zipped and self.packed is not None:
            body = self.packed
            rest = rest[: rest.rindex(b"\r\nEtag: ")]  # the last but one
            more += f"\r\nEtag: {weak(self.etag)}\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}"
        return b"".join((to_date, _now(), to_id, id.encode(), rest, more.encode(), connection, b"\r\n\r\n", body))

    def is_new_for(self, if_none_match: str | None) -> bool:
        """Whether the one who asks does not have these bytes, by Tornado's own rule: weak comparison, `*` first is any."""
        if if_none_match is None:
            return True
        known = _ETAG.findall(if_none_match)
        return not (known and (known[0] == "*" or self.etag in [tag.removeprefix("W/") for tag in known]))


def etag_of(body: bytes) -> str:
    """As Tornado makes it."""
    return f'"{sha1(body, usedforsecurity=False).hexdigest()}"'


def answer_of(route: str, headers: HTTPHeaders, body: bytes, names: Iterable[str], until: float) -> Answer | None:
    """The answer that Tornado is about to send under 200 with these headers and this body; None when it is not to be kept."""
    lines = list(headers.get_all())
    if len(body) > LARGEST or "Etag" in headers or "Content-Length" in headers:
        return None
    etag = etag_of(body)
    lines += [("Etag", etag), ("Content-Length", str(len(body)))]
    head, head_304 = (
        _head("200 OK", lines),
        _head("304 Not Modified", [one for one in lines if one[0] not in _ONLY_200]),
    )
    return Answer(route, etag, head, head_304, body, tuple(names), until) if head and head_304 else None


def _head(status: str, lines: list[tuple[str, str]]) -> Head | None:
    """None when the two values that change do not stand there once each, Date first."""
    texts, parts = [f"HTTP/1.1 {status}"], list[bytes]()
    for name, value in lines:
        texts.append(f"{name}: {value}")
        if name in (_DATE, _ID):
            texts[-1] = f"{name}: "
            parts.append("\r\n".join(texts).encode("latin1"))
            texts = [""]
    parts.append("\r\n".join(texts).encode("latin1"))
    names = [name for name, _ in lines if name in (_DATE, _ID)]
    return Head(*parts) if names == [_DATE, _ID] else None


def _now() -> bytes:
    return _date(int(time.time()))


@lru_cache(2)
def _date(second: int) -> bytes:
    return format_timestamp(second).encode()
