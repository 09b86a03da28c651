"""POSTs whose body is looked at before it comes, and written to the disk while it comes; one that is cut off leaves nothing."""

import asyncio
import logging
from asyncio import Future
from contextlib import suppress
from typing import Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import stream_request_body

from handlers.base import Base
from handlers.origin import SAFE_METHODS
from handlers.receiving import Receiving
from models.counts import COUNTS

log = logging.getLogger("plaza.web")

LOOK = 60.0  # s between two looks at what has come
LEAST_RATE = 1000  # bytes/s between two looks; who brings less is let go
LINGER = 5.0  # s in which who is still sending may read why it is not taken
_ANY = 1 << 62  # bytes that Tornado lets come: Receiving holds the limit, and has words for it
COUNTS.update({"uploads.refused": 0, "uploads.cut_off": 0})


class Lingering:
    """A connection whose answer is given before all of the question has come. Closed at once it would be reset, and who is
    sending would not see the answer: so the rest is read for a while, and thrown away."""

    def __init__(self, connection: HTTP1Connection, rest: "Future[None]") -> None:
        self._connection, self._rest = connection, rest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def finish(self) -> None:
        later = asyncio.get_running_loop().call_later(LINGER, self._close)

        def at_its_end(_: object) -> None:
            if not later.cancelled():
                later.cancel()
                self._close()

        self._rest.add_done_callback(at_its_end)

    def _close(self) -> None:
        with suppress(StreamClosedError):
            self._connection.finish()


@stream_request_body
class Streaming(Base):
    """Tornado begins a POST when its headers are there; GET waits as everywhere (handlers/remembered.py)."""

    _receiving: Receiving | None = None
    _whole = False  # nothing of the body is still to come
    _brought = 0  # bytes since the last look
    _look: asyncio.TimerHandle | None = None

    async def admit(self) -> Receiving:
        """Who asks, and for what, is known: take what comes, or raise why not."""
        raise NotImplementedError

    async def received(self, receiving: Receiving) -> None:
        """All of it has come: answer."""
        raise NotImplementedError

    async def prepare(self) -> None:
        if self.request.method in SAFE_METHODS:
            self._whole = True
            await super().prepare()
            return
        headers = self.request.headers
        self._whole = headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in headers
        self._http.set_max_body_size(_ANY)
        # Others wait for the news at the door, when their body is there.
        await self.app.models.cache.tracking.caught_up()
        await super().prepare()
        self._receiving = await self.admit()
        self._look_later()

    async def data_received(self, chunk: bytes) -> None:
        """What comes after a refusal is thrown away."""
        if self._finished or self._receiving is None:
            return
        self._brought += len(chunk)
        try:
            await self._receiving.feed(chunk)
        except Exception as error:
            await self._receiving.discard()
            self._handle_request_exception(error)

    async def post(self) -> None:
        self._whole = True
        self._look_no_more()
        if self._finished or self._receiving is None:
            return
        try:
            await self.received(self._receiving)
        finally:
            await self._receiving.discard()

    def on_connection_close(self) -> None:
        """Tornado calls this when it has handed over all that came."""
        super().on_connection_close()
        self._look_no_more()
        if self._receiving and not self._whole and not self._finished:
            COUNTS["uploads.cut_off"] += 1
            self.app.models.files.own(self._receiving.discard())

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> "Future[None]":
        if not self._whole:
            COUNTS["uploads.refused"] += 1
            self._look_no_more()
            self.set_header("Connection", "close")
            self.request.headers.pop("Expect", None)  # nobody waits for "100 Continue" any more
            lingering = Lingering(self._http, self.request._body_future)
            self.request.connection = cast(HTTP1Connection, lingering)
        return super().finish(chunk)

    @property
    def _http(self) -> HTTP1Connection:
        return cast(HTTP1Connection, self.request.connection)

    def _look_later(self) -> None:
        self._look_no_more()
        if not self._http.stream.closed():
            self._look = asyncio.get_running_loop().call_later(LOOK, self._look_at)

    def _look_at(self) -> None:
        brought, self._brought = self._brought, 0
        if brought < LEAST_RATE * LOOK:
            self._http.stream.close()
        else:
            self._look_later()

    def _look_no_more(self) -> None:
        if self._look:
            self._look.cancel()
