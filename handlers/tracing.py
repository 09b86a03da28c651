"""What is kept of each request: its trace, one line in the log, its spans if it was slow, and how staff see their time."""

from asyncio import Future
from collections.abc import Callable
from time import perf_counter
from typing import Any

from tornado.web import RequestHandler

from models import redaction, slow
from models.figures import Figures
from models.logs import Journal
from models.traces import TRACE, Trace
from settings import Settings

FAST, SLOW = 0.2, 0.4  # s; the badge is green below the one, red above the other
ASKED_BY = "X-Plaza-Timing"  # the header by which a member of staff asks for the times of a page instead of the page
_NOT_SET = ("Content-Length", "Content-Disposition", "Location", "Vary", "Link", "Last-Modified")


class Traced(RequestHandler):
    """A handler that can tell how long it took. `timed`: this answer goes to somebody who may know."""

    trace: Trace | None = None
    timed: bool = False
    route: str = ""

    def begin_trace(self, trace: Trace) -> None:
        """From here on all that this request and its tasks wait for is kept."""
        trace.route = self.route
        self.trace = trace
        TRACE.set(trace)

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> "Future[None]":
        """As Tornado's; but who asked for the times of a page gets those in its place, when it is ready to be sent."""
        if self.timed and self.trace is not None and not self._headers_written:
            seconds, status = perf_counter() - self.trace.began, self.get_status()
            self.timed = False
            self._write_buffer.clear()
            for name in _NOT_SET:
                self.clear_header(name)
            self.set_status(200)
            self.set_header("Cache-Control", "private, no-store")
            # Dicts are answered as JSON.
            return super().finish(times(self.trace, seconds, status, self.translate))
        return super().finish(chunk)

    def translate(self, message: str) -> str:
        raise NotImplementedError


def times(trace: Trace, seconds: float, status: int, translate: Callable[[str], str]) -> dict[str, Any]:
    """A request as the badge shows it. What no span accounts for is the work of Python itself."""
    names = {
        "sql": translate("SQL"), "redis": translate("Redis"), "template": translate("Template"),
        "wait": translate("Waiting"),
    }  # fmt: skip
    return {
        "ms": _ms(seconds),
        "level": "fast" if seconds < FAST else "slow" if seconds > SLOW else "middling",
        "status": status,
        "request": trace.id,
        "route": trace.route,
        "heading": translate("The time of this page, made again for you"),
        "remembered": translate("%(found)s of %(all)s rows and lists were in the cache.")
        % {"found": trace.hits, "all": trace.hits + trace.misses},
        "columns": [translate("Begins, ms"), translate("Takes, ms"), translate("Kind"), translate("Details")],
        "spans": [
            [_ms(span.began - trace.began), _ms(span.seconds), names[span.kind], slow.short(span.what, 300)]
            for span in trace.spans
        ],
    }


class Recorder:
    """What is written down at the end of each request: its time, a line in the journal, and its spans if it was slow."""

    def __init__(self, settings: Settings, journal: Journal, figures: Figures) -> None:
        self._threshold, self._journal, self._figures = settings.slow_request, journal, figures

    def __call__(self, handler: RequestHandler) -> None:
        """Tornado calls this."""
        request, status = handler.request, handler.get_status()
        trace: Trace | None = getattr(handler, "trace", None)
        method = request.method or ""
        if method not in handler.SUPPORTED_METHODS:
            method = "?"
        size = int(handler._headers.get("Content-Length", "0")) if status != 304 else 0
        self.note(method, request.path, status, request.request_time(), size, trace)

    def note(self, method: str, path: str, status: int, seconds: float, size: int, trace: Trace | None) -> None:
        """A request has ended: it took `seconds`, and was answered with `size` bytes."""
        self._figures.request((trace.route if trace is not None else "") or "other", status, seconds)
        if self._journal.open:
            self._journal.request(method, path, status, seconds, size, trace)
        if trace is not None and self._threshold and seconds >= self._threshold:
            slow.request(trace, seconds, method=method, path=redaction.scrub(path), status=status, user=trace.user_id)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
