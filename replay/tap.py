"""What a web process is asked and answers, told to whoever records it: without ever waiting, and at no cost while nobody does.

It stands before the application, where it sees also what is answered at the door and what is streamed. Nothing is compressed,
hashed or redacted here: that is the recorder's work, which listens at a socket that only the same user may open.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic_ns
from typing import Any, Final, cast

import msgpack
from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from replay.exchanges import EXCHANGE, MARK, SOCKET, Exchange, Line, Mark
from replay.redaction import KEPT_HEADERS

log = logging.getLogger("plaza.tap")

LOOK: Final = 1.0  # s between two looks for a recorder, and between two words to it of how far we are
PATIENCE: Final = 5.0  # s for a recorder to let us in
MOST_WAITING: Final = 1 << 24  # bytes for a recorder that is slower than we are; what is more is dropped and counted
LONGEST_WAIT: Final = 60_000_000_000  # ns; what takes longer, such as a slow upload, is told too late for its place
TOGETHER: Final = 16  # exchanges that are packed in a row: alone, each would find the processor's caches cold
SOON: Final = 0.02  # s until they are, however few
MOST_TOLD: Final = 1 << 16  # bytes of an answer's body, which tells what was made
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})  # what answers to these is not looked at
# What the recorder looks at, by its name in Tornado: what it would throw away need not be packed, sent and unpacked.
_ASKED: Final = frozenset(name.title() for name in KEPT_HEADERS | {"host", "x-real-ip"})
_TOLD_HEADERS: Final = ("Content-Type", "Location", "Etag", "Content-Length")


class Tap(HTTPServerConnectionDelegate):
    """The application `inside`, watched while a recorder listens in the folder `run`. On a connection that was kept open and
    waits when the recorder comes, the next request is not seen yet; Nginx keeps none."""

    def __init__(self, inside: HTTPServerConnectionDelegate, run: Path) -> None:
        self._inside, self._path = inside, run / SOCKET
        self._line: Line | None = None
        self._open: dict[_Seen, None] = {}  # in the order in which they began
        self._held = 0  # bytes of bodies of requests that are under way
        self._over: list[tuple[Line, _Seen]] = []  # those that have yet to be told
        self._soon: asyncio.TimerHandle | None = None
        self._dropped: dict[str, int] = {}
        self._pack = msgpack.Packer().pack  # one for all: its buffer is large

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        if self._line is None:
            return self._inside.start_request(server_conn, request_conn)
        seen = _Seen(self, request_conn)
        return _Reading(
            self._inside.start_request(server_conn, cast(HTTPConnection, _Watched(request_conn, seen))), seen
        )

    def on_close(self, server_conn: object) -> None:
        self._inside.on_close(server_conn)

    async def watch(self) -> None:
        """Look for a recorder, as long as the process lives; tell the one that is there how far we are."""
        while True:
            try:
                await self._look()
            except Exception:  # a mistake here may cost a recording, and never the process
                log.exception("no word to the recorder")
            await asyncio.sleep(LOOK)

    async def _look(self) -> None:
        if self._line and not self._line.closed:
            self._tell_how_far()
            return
        self._line = None
        if self._path.exists():
            self._line = await self._joined()

    async def _joined(self) -> Line | None:
        """None while it does not let us in: it has been killed and left its socket, or it is about to listen."""
        line = Line()
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.get_running_loop().create_unix_connection(lambda: line, str(self._path))
                await line.welcome
        except (OSError, TimeoutError, ValueError) as error:
            log.info("no recorder at %s: %r", self._path, error)
            line.close()
            return None
        log.info("being recorded")
        return line

    def _tell_how_far(self) -> None:
        assert self._line is not None
        self._tell_all()
        oldest, now = next(iter(self._open), None), monotonic_ns()
        dropped, self._dropped = self._dropped, {}
        far = max(oldest.began, now - LONGEST_WAIT) if oldest else now
        self._line.write(self._pack((MARK, *Mark(far, dropped))))

    def begin(self, seen: "_Seen") -> Line | None:
        """To whom it will be told."""
        if self._line:
            self._open[seen] = None
        return self._line

    def may_hold(self, size: int) -> bool:
        """Whether so many bytes of a body can be kept until it is over."""
        if self._held + size > MOST_WAITING:
            return False
        self._held += size
        return True

    def end(self, seen: "_Seen") -> bool:
        """Whether it was under way. It ends once, whatever else is heard of it."""
        if self._open.pop(seen, self) is self:
            return False
        self._held -= seen.held
        return True

    def drop(self, reason: str) -> None:
        self._dropped[reason] = self._dropped.get(reason, 0) + 1

    def tell(self, line: Line, seen: "_Seen") -> None:
        """With those that are over next, but soon; and what holds a body at once."""
        self._over.append((line, seen))
        if seen.held or len(self._over) >= TOGETHER:
            self._tell_all()
        elif self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SOON, self._tell_all)

    def leave(self) -> None:
        """The process ends: what is over is told."""
        self._tell_all()
        if self._line:
            self._line.send()

    def _tell_all(self) -> None:
        over, self._over, self._soon = self._over, [], None
        for line, seen in over:
            try:
                packed: bytes = self._pack((EXCHANGE, *seen.exchange()))
            except Exception:  # halves of signs; to let them pass would make all others dearer
                self.drop("cannot be packed")
                continue
            if line.waiting + len(packed) > MOST_WAITING:
                self.drop("queue full")
            else:
                line.write(packed)


class _Seen:
    """One request, from its head to the end of its answer."""

    __slots__ = (
        "_connection", "_tap", "answer", "answer_size", "began", "body", "body_length", "ended", "first", "head",
        "headers", "held", "length", "line", "method", "target",
    )  # fmt: skip

    def __init__(self, tap: Tap, connection: HTTPConnection) -> None:
        self._tap, self._connection = tap, connection
        self.line: Line | None = None  # None before it begins, and for what is not told
        self.began = self.first = self.ended = 0
        self.method, self.target = "", ""
        self.headers: list[tuple[str, str]] = []
        self.body: list[bytes] = []
        self.answer: list[bytes] = []
        self.head: Any = None
        self.body_length = self.held = self.length = self.answer_size = 0

    def asked(self, start_line: RequestStartLine, headers: HTTPHeaders) -> None:
        """Its time begins now: the connection may have waited long for it. A WebSocket is no request with an answer."""
        if not any(value.lower() == "websocket" for value in headers.get_list("Upgrade")):
            self.began = monotonic_ns()
            self.method, self.target = start_line.method, start_line.path
            self.headers = [pair for pair in headers.get_all() if pair[0] in _ASKED]
            self.line = self._tap.begin(self)

    def sent(self, chunk: bytes) -> None:
        if self.line is None:
            return
        room = self.line.most_body - self.held
        self.body_length += len(chunk)
        if room > 0 and self._tap.may_hold(len(piece := chunk[:room])):
            self.held += len(piece)
            self.body.append(piece)

    def answers(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        assert isinstance(start_line, ResponseStartLine)
        if start_line.code >= 200:
            told = [(name, headers[name]) for name in _TOLD_HEADERS if name in headers]
            told += [("Set-Cookie", value) for value in headers.get_list("Set-Cookie")]
            self.head, self.first = (start_line.code, told), monotonic_ns()

    def says(self, chunk: bytes) -> None:
        cut = 0
        if self.head is None:
            cut = chunk.find(b"\r\n\r\n") + 4
            self.head, self.first = bytes(chunk[:cut]), monotonic_ns()
        self.length += len(chunk) - cut
        if self.method not in _READS and self.answer_size < MOST_TOLD:
            self.answer.append(bytes(chunk[cut:]))
            self.answer_size += len(chunk) - cut

    def done(self) -> None:
        if self._tap.end(self) and self.line and self.head is not None:
            self.ended = monotonic_ns()
            self._tap.tell(self.line, self)

    def gone(self) -> None:
        """Who asked has left before the answer was over."""
        if self._tap.end(self):
            self._tap.drop("hung up")

    def exchange(self) -> Exchange:
        peer = str(getattr(getattr(self._connection, "context", None), "remote_ip", ""))
        return Exchange(
            self.began, self.first, self.ended, peer, self.method, self.target, self.headers,
            b"".join(self.body), self.body_length, self.head, self.length, b"".join(self.answer)[:MOST_TOLD],
        )  # fmt: skip


class _Reading(HTTPMessageDelegate):
    """What comes in, handed on."""

    def __init__(self, inside: HTTPMessageDelegate, seen: _Seen) -> None:
        self._inside, self._seen = inside, seen

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
        self._seen.asked(start_line, headers)
        return self._inside.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._seen.sent(chunk)
        return self._inside.data_received(chunk)

    def finish(self) -> None:
        self._inside.finish()

    def on_connection_close(self) -> None:
        self._seen.gone()
        self._inside.on_connection_close()


class _Watched:
    """A connection, and what is written to it. Whatever else is asked of it, it is the connection itself."""

    def __init__(self, connection: HTTPConnection, seen: _Seen) -> None:
        self._connection, self._seen = connection, seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    @property
    def context(self) -> Any:
        """These two are asked for several times for each request, and are found so faster."""
        return self._connection.context  # type: ignore[attr-defined]

    @property
    def stream(self) -> Any:
        return self._connection.stream  # type: ignore[attr-defined]

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> "asyncio.Future[None]":
        self._seen.answers(start_line, headers)
        if chunk:
            self._seen.says(chunk)
        return self._connection.write_headers(start_line, headers, chunk)

    def write(self, chunk: bytes) -> "asyncio.Future[None]":
        self._seen.says(chunk)
        return self._connection.write(chunk)

    def finish(self) -> None:
        self._connection.finish()
        self._seen.done()

    def close(self) -> None:
        """Whoever is served finds that nobody waits for it any more."""
        self._seen.gone()
        cast(HTTP1Connection, self._connection).close()

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        def closed() -> None:
            self._seen.gone()
            if callback:
                callback()

        cast(HTTP1Connection, self._connection).set_close_callback(closed if callback else None)
