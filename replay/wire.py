"""One connection over HTTP/1.1, for one request at a time: it notes when what happened, and keeps what is asked for.

`asyncio.BufferedProtocol`, for a plain Protocol makes a new buffer of 256 KiB for each read. All wires share one buffer: what
was read is taken out of it before the loop turns to another.
"""

import asyncio
import errno
import ssl
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from replay import heads
from replay.answers import Answer
from replay.chunks import Broken
from replay.clock import now
from replay.machine import NO_DESCRIPTOR, NO_PORT
from replay.sockets import Plain

_BUFFER: Final = memoryview(bytearray(65_536))
_WORDS: Final = {
    errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset", errno.EPIPE: "reset", errno.ECONNABORTED: "reset",
    errno.EMFILE: NO_DESCRIPTOR, errno.ENFILE: NO_DESCRIPTOR, errno.ENOBUFS: NO_DESCRIPTOR, errno.EADDRNOTAVAIL: NO_PORT,
    errno.ETIMEDOUT: "timeout",
}  # fmt: skip


@dataclass(slots=True)
class Reply:
    """An answer, or in a word why there is none (`failed`): refused, reset, timeout, closed, broken (no HTTP), tls,
    unreachable, no descriptor, no port. Moments are of `clock.now()`, 0 for what did not come to pass. `began_ns`: handed
    to the wire; `sent_ns`: written to a socket that was connected; of a request that was asked again both are of the first time.
    `connect_us`: None where the connection was there."""

    status: int = 0
    failed: str = ""
    head: bytes = b""
    length: int = 0  # bytes of the body, as they came
    body: bytes = b""  # as it came, empty unless wanted
    began_ns: int = 0
    sent_ns: int = 0
    first_ns: int = 0
    end_ns: int = 0
    connect_us: int | None = None

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names in lower case, in their order."""
        return heads.pairs(self.head)

    def header(self, name: str) -> str:
        """The first of this name (lower case), "" without one."""
        found = heads.all_of(self.head, name.encode("latin-1"))
        return found[0].decode("latin-1") if found else ""

    def plain(self, most: int = 0) -> bytes:
        """The body without its compression, no more than its first `most` bytes, where that is not 0. Raises ValueError for what
        cannot be read: only gzip and deflate can."""
        coding = self.header("content-encoding").lower()
        if coding in ("", "identity") or not self.body:
            return self.body[:most] if most else self.body
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise ValueError(f"compressed by {coding}")
        try:
            unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)
            plain = unpacking.decompress(self.body, most)
        except zlib.error as error:
            raise ValueError(str(error)) from None
        if not unpacking.eof and not (most and len(plain) == most):
            raise ValueError("it was cut off")
        return plain


class Wire(asyncio.BufferedProtocol):
    """Connects at the first `send`. `on_done` hears exactly once of each request that was sent, from the loop, never from within
    `send`. `alive`: it may be used again once `busy` is over; a wire that is not alive any more is thrown away. `name` is whom
    the certificate must be made out to. `on_lost` hears when its socket is no more."""

    __slots__ = (
        "_address", "_answer", "_connecting", "_data", "_loop", "_name", "_on_done", "_on_lost", "_port", "_reply", "_tls",
        "_transport", "_wants", "alive", "busy", "used",
    )  # fmt: skip

    def __init__(
        self, address: str, port: int, tls: ssl.SSLContext | None, on_done: Callable[["Wire", Reply], None], name: str = "",
        on_lost: Callable[["Wire"], None] | None = None,
    ) -> None:  # fmt: skip
        self._address, self._port, self._tls, self._name, self._on_done = address, port, tls, name or address, on_done
        self._on_lost, self._loop = on_lost, asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self.alive, self.busy = True, False
        self.used = 0  # requests that were sent

    def send(self, data: bytes, wants_body: bool = False) -> None:
        """A whole request."""
        assert self.alive
        assert not self.busy
        self.busy, self._wants = True, wants_body
        self._answer = Answer(of_head=data.startswith(b"HEAD "), wants_body=wants_body)
        self._reply = reply = Reply(began_ns=now())
        self.used += 1
        if self._transport is not None:
            self._transport.write(data)
            reply.sent_ns = now()
        elif self._tls is None:
            self._data = data
            try:
                self._transport = Plain(self._loop, self._address, self._port, self)
            except OSError as error:
                self._loop.call_soon(self.connection_lost, error)
        else:
            self._data = data
            self._connecting = self._loop.create_task(self._connect(self._tls))
            self._connecting.add_done_callback(self._tried)

    def fail(self, word: str) -> None:
        """Give up on what is under way: `on_done` hears of it with this word. The connection ends."""
        busy = self.busy
        self.close()
        if busy:
            self._reply.failed = word
            self._done()

    def close(self) -> None:
        """Nobody hears of it."""
        self.alive = False
        if self._connecting is not None:
            self._connecting.cancel()
        if self._transport is not None:
            self._transport.abort() if self.busy else self._transport.close()
        self.busy = False

    async def _connect(self, tls: ssl.SSLContext) -> None:
        self._reply.began_ns = now()  # a turn of the loop that came late is our lateness, not the target's
        try:
            await self._loop.create_connection(
                lambda: self, self._address, self._port, ssl=tls, server_hostname=self._name
            )
            word = ""
        except ssl.SSLError:
            word = "tls"
        except OSError as error:
            word = _WORDS.get(error.errno or 0, "unreachable")
        if word:
            self._connecting = None
            self.fail(word)

    def _tried(self, task: asyncio.Task[None]) -> None:
        self._connecting = None
        if self._transport is None:
            self._gone()
        if not task.cancelled():
            task.result()  # an error of ours is the loop's to report

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self.alive:
            self._transport.abort()
            return
        reply = self._reply
        reply.connect_us = (now() - reply.began_ns) // 1000
        self._transport.write(self._data)
        reply.sent_ns = now()
        self._data = b""

    def get_buffer(self, sizehint: int) -> memoryview:
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        if not self.busy:  # an answer to nothing
            self.close()
            return
        if not self._reply.first_ns:
            self._reply.first_ns = now()
        try:
            behind = self._answer.feed(_BUFFER[:nbytes])
        except Broken:
            self.fail("broken")
            return
        if behind >= 0:
            # Bytes that belong to no answer: such a connection cannot be trusted with another request.
            self.alive = self.alive and self._answer.stays and not behind
            self._done()

    def _done(self) -> None:
        reply, answer = self._reply, self._answer
        reply.end_ns = now()
        reply.status, reply.head, reply.length = answer.status, answer.head, answer.length
        reply.body = answer.body if self._wants else b""
        if not self.alive and self._transport is not None:
            self._transport.abort()
        self.busy = False
        self._on_done(self, reply)

    def eof_received(self) -> None:
        self.alive = False  # what is written from now on would never leave
        if self.busy and self._answer.ends_with_connection:
            self._done()

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive = False
        if self.busy:
            unknown = "reset" if self._reply.sent_ns else "unreachable"
            self._reply.failed = "closed" if exc is None else _WORDS.get(getattr(exc, "errno", 0) or 0, unknown)
            self._done()
        self._transport = None
        self._gone()

    def _gone(self) -> None:
        told, self._on_lost = self._on_lost, None
        if told is not None:
            told(self)
