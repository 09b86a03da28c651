"""The head of an answer: read for what the connection must know, and the rest of it only when somebody asks.

A head is lowered once and searched: 4 us for one of 14 lines, as httptools takes, which calls back for each header and cannot be
told that an answer to a HEAD has no body. Most answers of a run are only counted.
"""

import re
from typing import Final

from replay.chunks import Broken

LONGEST: Final = 65_536  # bytes of a head
CHUNKED: Final = -1
UNTIL_CLOSE: Final = -2
_ONE: Final = ord("1")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)[ \r]")
_LINE = re.compile(rb"HTTP/1\.[01] ", re.ASCII)


def may_begin(data: bytes) -> bool:
    """Whether an answer can begin like this, however little of it there is."""
    return _LINE.match(data[:9] + b"HTTP/1.1 "[len(data) :]) is not None


def status_of(head: bytes) -> int:
    """Raises Broken."""
    found = _STATUS.match(head)
    if found is None:
        raise Broken
    return int(found[1])


def framing(head: bytes, status: int, *, of_head: bool) -> tuple[int, bool]:
    """The length of the body, or CHUNKED or UNTIL_CLOSE; and whether the connection goes on after it. Raises Broken.

    `of_head`: it answers a HEAD, and tells the length of what does not come.
    """
    low = head.lower()
    at = low.find(b"\r\nconnection:")
    said = _value(low, at + 13) if at >= 0 else b""
    stays = (b"close" not in said) if head[7] == _ONE else (b"keep-alive" in said)
    if of_head or status in (204, 304):
        return 0, stays
    if (at := low.find(b"\r\ntransfer-encoding:")) >= 0:
        return (CHUNKED, stays) if _value(low, at + 20).endswith(b"chunked") else (UNTIL_CLOSE, False)
    at = low.find(b"\r\ncontent-length:")
    if at < 0:
        return UNTIL_CLOSE, False
    told = _value(low, at + 17)
    if not told.isdigit() or len(told) > 18:
        raise Broken
    if low.rfind(b"\r\ncontent-length:") != at and len(set(all_of(head, b"content-length"))) > 1:
        raise Broken  # two that differ are how answers are smuggled past each other: where does this one end?
    return int(told), stays


def _value(low: bytes, at: int) -> bytes:
    return low[at : low.find(b"\r", at)].strip()


def all_of(head: bytes, name: bytes) -> list[bytes]:
    """The values of all headers of this name (lower case)."""
    found, start = [], b"\r\n" + name + b":"
    low, at = head.lower(), 0
    while (at := low.find(start, at)) >= 0:
        at += len(start)
        end = low.find(b"\r\n", at)
        found.append(head[at:end].strip())
    return found


def pairs(head: bytes) -> list[tuple[str, str]]:
    """All headers, names in lower case, in their order; a line that is none is left out."""
    found = []
    for line in head.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            found.append((name.decode("latin-1").lower(), value.strip().decode("latin-1")))
    return found
