"""Answers that are remembered whole: given before a request is made of what was asked, a handler found, or a model called.

Only GET and HEAD of public addresses end here. Whatever can make such an answer another one stands in its key (the address
with its query, the language) or sends the question on to its handler: a host that is not ours, a question for times, a body.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Coroutine
from functools import lru_cache, partial
from time import perf_counter
from typing import Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.web import Application

from handlers import origin
from handlers.answers import Answer
from handlers.app import App
from handlers.keeping import KEY, MADE, key_of
from handlers.media import accepts_json
from handlers.storing import STORING, Storing, labels
from handlers.tracing import ASKED_BY, Recorder
from models.traces import TRACE, Trace

log = logging.getLogger("plaza.web")

# With one of these the question is another one: who asks, what a page waited for, a body that has yet to be read.
_OTHERWISE = frozenset({"Authorization", "Content-Length", "Transfer-Encoding", ASKED_BY})
_STRICT = "/api/v1/"  # what is below here answers in JSON or not at all
_SESSION = "plaza="  # the end of the session cookie's name, under http and https
PATIENCE = 1.0  # s that others wait for who makes a page anew


class Remembering(Application):
    """As Tornado's; but what is remembered whole is answered at the door."""

    def __init__(self, app: App, *args: Any, **options: Any) -> None:
        self.app, self.recorder = app, Recorder(app.settings, app.journal, app.models.figures)
        super().__init__(*args, log_function=self.recorder, **options)
        self.host_is_ours = lru_cache(256)(partial(origin.known_host, settings=app.settings))
        self.pages, self.caught_up = app.models.pages, app.models.cache.tracking.caught_up
        self.waiting = set[asyncio.Task[None]]()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return Door(self, super().start_request(server_conn, request_conn), request_conn)

    def get_handler_delegate(self, request: HTTPServerRequest, *args: Any, **options: Any) -> Any:
        """A handler that streams its body begins before the door has decided. That is right for POST; GET waits for its turn."""
        delegate = super().get_handler_delegate(request, *args, **options)
        if delegate.stream_request_body and request.method in origin.SAFE_METHODS:
            delegate.stream_request_body = False
            request._body_future = asyncio.get_running_loop().create_future()
            request._body_future.set_result(None)
        return delegate

    async def right(self, key: str) -> Answer | None:
        """What is kept under the key, if it may be answered, or if Redis says that it may."""
        answer: Answer | None = self.pages.get(key)
        if answer is None:
            answer = await self.pages.check(key)
        return answer

    def wait(self, door: Coroutine[Any, Any, None]) -> None:
        """Go on with a question that could not be answered at once; the loop alone would not hold on to its task."""
        task = asyncio.ensure_future(door)
        self.waiting.add(task)
        task.add_done_callback(self.waiting.discard)


def _is_plain(uri: str, asked: dict[str, str]) -> bool:
    """Whether the address and the language say all of what is asked for."""
    return _OTHERWISE.isdisjoint(asked) and (not uri.startswith(_STRICT) or accepts_json(asked.get("Accept", "")))


class Door(HTTPMessageDelegate):
    """One question. It is answered when it has been read to its end: earlier, Tornado would close the connection."""

    def __init__(self, web: Remembering, inside: HTTPMessageDelegate, connection: HTTPConnection) -> None:
        self._web, self._inside, self._connection = web, inside, connection
        self._asked: dict[str, str] = {}
        self._key: str | None = None
        self._storing: Storing | None = None  # if the answer is to be stored by Nginx
        self._answer: Answer | None = None
        self._trace: Trace | None = None
        self._reads = self._signed_in = self._gone_in = False

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Look the question up. What cannot be answered at once goes inside already here: its time begins now."""
        lines = list(headers.get_all())
        asked = dict(lines)
        if len(asked) < len(lines):
            asked = {**headers, ASKED_BY: ""}  # what is said twice is left to Tornado, which refuses some of it
        self._asked = asked
        self._signed_in = _SESSION in asked.get("Cookie", "") or "Authorization" in asked
        if isinstance(start_line, RequestStartLine) and start_line.method in ("GET", "HEAD"):
            self._start, self._reads = start_line, True
            if _is_plain(start_line.path, asked) and self._web.host_is_ours(asked.get("Host", "")):
                self._key = key_of(start_line.path, asked.get("Accept-Language", ""), asked.get("Cookie", ""))
        settings = self._web.app.settings
        if self._key and self._start.method == "GET" and origin.for_the_store(asked, self._connection, settings):
            self._storing = Storing.asked(time.time(), asked["X-Plaza-Edge"])
        elif self._key is not None and not self._signed_in:
            self._answer = self._web.pages.get(self._key)
        if self._answer or self._signed_in or self._storing or self._may_be_kept():
            told = asked.get("X-Request-Id", "")
            self._trace = Trace(origin.request_id(told, self._connection, settings))
        return None if self._answer else self._inside.headers_received(start_line, headers)

    def _may_be_kept(self) -> bool:
        return self._key is not None and self._key in self._web.pages

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._inside.data_received(chunk)

    def on_connection_close(self) -> None:
        self._inside.on_connection_close()

    def finish(self) -> None:
        """Answer now, or when Redis has been asked, or let the handler do it; but do no work for who has left meanwhile."""
        if self._reads and origin.given_up(self._connection, self._web.app.settings):
            self._inside.on_connection_close()
            cast(HTTP1Connection, self._connection).close()
        elif self._trace is None:
            self._go_in()
        elif self._answer:
            self._give(self._answer, self._trace)
        else:
            self._web.wait(self._later(self._trace))

    async def _later(self, trace: Trace) -> None:
        """Give what is kept, if Redis says that it is right; else the handler goes on, in the same trace."""
        TRACE.set(trace)
        answer = None
        try:
            if self._signed_in or self._storing:
                await self._web.caught_up()
            if self._key is not None and self._may_be_kept():
                answer = await self._found(self._key)
        except Exception:
            log.exception("what is kept could not be asked for: %s", self._start.path if self._key else "")
        if answer:
            self._give(answer, trace)
        elif not self._gone_in:
            self._go_in()

    async def _found(self, key: str) -> Answer | None:
        """What is kept and right; when it is not right any more, the first who asks makes it anew, and the others wait."""
        if answer := await self._web.right(key):
            return answer
        async with self._web.pages.turn(key) as mine:
            if mine:
                made = asyncio.get_running_loop().create_future()
                MADE.set(made)
                self._go_in()
                await asyncio.wait((made,), timeout=PATIENCE)
                return None
        return await self._web.right(key)

    def _go_in(self) -> None:
        self._gone_in = True
        KEY.set(self._key)  # the next question of this connection sets them anew
        STORING.set(self._storing)
        self._inside.finish()

    def _give(self, answer: Answer, trace: Trace) -> None:
        """Send it, and write it down as every request is."""
        method, uri, version = self._start
        changed = answer.is_new_for(self._asked.get("If-None-Match"))
        line = _connection_line(version, self._asked.get("Connection", ""))
        if (storing := self._storing) and self._key:
            changed = True
            said = labels(storing, answer.names, self._web.app.settings, until=answer.until)
            self._connection.write(answer.bytes_to_store(trace.id, line, said, zipped=storing.zipped))
            if not storing.over:
                self._web.app.models.edge_news.made(storing.key(self._key), storing.begun, answer.names)
        else:
            self._connection.write(answer.bytes_for(trace.id, line, changed=changed, with_body=method == "GET"))
        self._connection.finish()
        trace.route, trace.whole = answer.route, True
        status, size = (200, len(answer.body)) if changed else (304, 0)
        self._web.recorder.note(method, uri.partition("?")[0], status, perf_counter() - trace.began, size, trace)


def _connection_line(version: str, wanted: str) -> bytes:
    """As Tornado adds it when it writes headers: it has decided by the same words whether the connection stays open."""
    if not wanted:
        return b""
    wanted = wanted.lower()
    if version == "HTTP/1.1":
        return b"\r\nConnection: close" if wanted == "close" else b""
    return b"\r\nConnection: Keep-Alive" if version == "HTTP/1.0" and wanted == "keep-alive" else b""
