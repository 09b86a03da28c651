"""The body of an answer whose length is not known before its end: chunks, each with its size before it (RFC 9112, 7.1)."""

import re
from typing import Final

_SIZE = re.compile(rb"[0-9a-fA-F]{1,15}", re.ASCII)
_LINE: Final = 8192  # bytes that a line of a size or a trailer may have


class Broken(Exception):
    """This is not HTTP."""


class Chunks:
    """Is fed what comes, in any pieces. `length` counts the bytes of the body; `parts` holds them if they are to be kept."""

    __slots__ = ("_ended", "_keep", "_last", "_left", "_line", "length", "parts")

    def __init__(self, keep: bool) -> None:
        self.length, self.parts = 0, list[bytes]()
        self._keep, self._left, self._line = keep, 0, b""
        self._ended = False  # a chunk has all its bytes, and its end of line is still to come
        self._last = False  # the chunk of size 0 was seen: trailers follow

    def feed(self, data: bytes) -> int:
        """How many bytes there are behind the end of the body; -1 while that is not reached. Raises Broken."""
        at, size = 0, len(data)
        while at < size:
            if self._left:
                took = min(self._left, size - at)
                if self._keep:
                    self.parts.append(data[at : at + took])
                at += took
                self.length += took
                self._left -= took
                self._ended = not self._left
                continue
            end = data.find(b"\n", at) + 1
            line = self._line + data[at : end or size]
            if len(line) > _LINE:
                raise Broken
            if not end:
                self._line = line
                return -1
            at, self._line = end, b""
            if not line.endswith(b"\r\n"):
                raise Broken
            if self._line_is_last(line[:-2]):
                return size - at
        return -1

    def _line_is_last(self, line: bytes) -> bool:
        if self._last:
            return not line
        if self._ended:
            if line:
                raise Broken
            self._ended = False
            return False
        told = line.partition(b";")[0].strip()
        if not _SIZE.fullmatch(told):
            raise Broken
        self._left = int(told, 16)
        self._last = not self._left
        return False
