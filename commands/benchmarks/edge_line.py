"""One kept connection to Nginx: a question, its answer, the next question. As cheap as it can be, for it shares the cores."""

import asyncio
import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ROOM = 65_536  # bytes that are read at once
_GZIP = b"\x1f\x8b"
_EMPTY = (b"204", b"304")
_END = b"\r\n0\r\n\r\n"  # of a body in pieces; nothing follows it, as one question is asked at a time


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: the connection broke before all was there. `cache`: Nginx's word for how it was found (X-Cache)."""

    status: int
    cache: str
    sent: bytes
    in_pieces: bool = False

    @property
    def body(self) -> bytes:
        """What was sent, put together and unpacked."""
        whole = b"".join(_pieces(self.sent)) if self.in_pieces else self.sent
        return gzip.decompress(whole) if whole.startswith(_GZIP) else whole


def _pieces(sent: bytes) -> Iterator[bytes]:
    at = 0
    while size := int(sent[at : (end := sent.index(b"\r\n", at))].partition(b";")[0], 16):
        yield sent[end + 2 : end + 2 + size]
        at = end + 2 + size + 2


BROKEN = Answer(0, "", b"")
Hear = Callable[[Answer], None]


class Line(asyncio.BufferedProtocol):
    """`ask` while `free`; whoever asks hears the answer, or BROKEN. Bodies are handed on as they came."""

    def __init__(self) -> None:
        self._room, self._got, self._end = bytearray(ROOM), bytearray(), 0
        self._view = memoryview(self._room)
        self._hear: Hear | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def open(self) -> bool:
        return self._transport is not None

    def ask(self, question: bytes, hear: Hear) -> None:
        assert self._hear is None
        if self._transport is None:
            hear(BROKEN)
            return
        self._hear = hear
        self._transport.write(question)

    def close(self) -> None:
        """Say no more. Who waits for an answer hears BROKEN."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._told(BROKEN)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        got = self._got
        got += self._view[:nbytes]
        if not self._end:
            at = got.find(b"\r\n\r\n")
            if at < 0:
                return
            length = _after(got, b"\r\nContent-Length: ", at)
            # Without a length a body comes in pieces, or (204, 304) not at all.
            self._end = at + 4 + int(length) if length else at + 4 if bytes(got[9:12]) in _EMPTY else -1
        if len(got) < self._end or (self._end < 0 and not got.endswith(_END)):
            return
        at = got.find(b"\r\n\r\n")
        cache = _after(got, b"\r\nX-Cache: ", at).decode("latin-1")
        answer = Answer(int(got[9:12]), cache, bytes(got[at + 4 :]), self._end < 0)
        if got.find(b"\r\nConnection: close", 0, at) >= 0:
            self.close()
        self._got, self._end = bytearray(), 0
        self._told(answer)

    def eof_received(self) -> bool:
        return False

    def _told(self, answer: Answer) -> None:
        hear, self._hear = self._hear, None
        if hear is not None:
            hear(answer)


def _after(got: bytearray, name: bytes, end: int) -> bytes:
    """The value of a header as Nginx spells it; empty when it is not there."""
    at = got.find(name, 0, end)
    return bytes(got[at + len(name) : got.find(b"\r\n", at + 2)]) if at >= 0 else b""
