"""What a process says: log records and one line for each request, as JSON lines (or text at a terminal) on standard error.

Supervisor keeps that in a file and rotates it. Who reads it may go away or hang: then what is said is lost, and nothing
else. The lines of requests are therefore written by a thread of their own.
"""

import asyncio
import json
import logging
import os
import sys
import time
from datetime import UTC, datetime
from functools import lru_cache
from queue import SimpleQueue
from threading import Event, Thread
from typing import IO, Any

from models import redaction, slow
from models.traces import TRACE, Trace
from settings import Settings

FLUSH_EVERY = 0.2  # s; one write for the lines of that time costs each of them a hundredth of its own
MOST_WAITING = 100  # lines that are handed over together
MOST_BUNDLES = 100  # that wait for a reader who does not read; lines beyond are lost, and counted
ATOMIC = 4096  # bytes; a pipe keeps so many together, whoever else writes into it
LAST_CALL = 2.0  # s at the end

_TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class JsonLines(logging.Formatter):
    """A record as one JSON object, with the request in which it was made; mail addresses and secrets are blotted out."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; what is not said of a record is left out."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redaction.scrub(record.getMessage()),
        }
        trace = TRACE.get()
        if trace is not None:
            line |= {"request": trace.id, "route": trace.route, "user": trace.user_id}
        if record.exc_info:
            line["exception"] = redaction.scrub(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class TextLines(logging.Formatter):
    """For people at a terminal; blotted alike."""

    def format(self, record: logging.LogRecord) -> str:
        return redaction.scrub(super().format(record))


@lru_cache(2)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()[:19]


def _now() -> str:
    now = time.time()
    return f"{_second(int(now))}.{int(now % 1 * 1000):03}+00:00"


class Journal:
    """The lines of requests, written to `stream` by a thread; None keeps none."""

    def __init__(self, stream: IO[bytes] | None, *, as_json: bool = True) -> None:
        self._stream, self._as_json = stream, as_json
        self._waiting: list[str] = []
        self._bundles: SimpleQueue[tuple[list[str], Event | None]] = SimpleQueue()
        self._thread: Thread | None = None
        self._lost = 0

    @property
    def open(self) -> bool:
        return self._stream is not None

    def request(self, method: str, path: str, status: int, seconds: float, size: int, trace: Trace | None) -> None:
        """One line; it is written with others within 0.2 s."""
        now = _now()
        milliseconds = round(seconds * 1000, 2)
        if not self._as_json:
            user = f" user {trace.user_id}" if trace and trace.user_id else ""
            self._add(f"{now} {method} {redaction.scrub(path)} {status} {milliseconds} ms{user}")
            return
        # Put together by hand: json.dumps of it all takes three times as long, and this is once for each request.
        line = (
            f'{{"at":"{now}","level":"INFO","logger":"plaza.request","method":"{method}",'
            f'"path":{redaction.json_path(path)},"status":{status},"ms":{milliseconds},"bytes":{size}'
        )
        if trace is not None:
            spent = {"sql": 0.0, "redis": 0.0, "template": 0.0, "wait": 0.0}
            for kind, _, _, took in trace.spans:
                spent[kind] += took
            statements = len([0 for span in trace.spans if span[0] == "sql"]) if spent["sql"] else 0
            line += (
                f',"request":"{trace.id}","route":"{trace.route}","user":{trace.user_id or "null"},"cache":"{trace.level}",'
                f'"hits":{trace.hits},"misses":{trace.misses},"sql":{statements},"sql_ms":{spent["sql"] * 1000:.2f},'
                f'"redis_ms":{spent["redis"] * 1000:.2f},"template_ms":{spent["template"] * 1000:.2f}'
            )
        self._add(line + "}")

    def _add(self, line: str) -> None:
        self._waiting.append(line)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(FLUSH_EVERY, self._hand_over)
        elif len(self._waiting) >= MOST_WAITING:
            self._hand_over()

    def _hand_over(self, written: Event | None = None) -> None:
        lines, self._waiting = self._waiting, []
        if not lines and written is None:
            return
        if self._bundles.qsize() >= MOST_BUNDLES:
            self._lost += len(lines)
            lines = []
        elif self._lost:
            lines.append(_lost(self._lost))
            self._lost = 0
        if lines or written is not None:
            self._bundles.put((lines, written))
        if self._thread is None:
            self._thread = Thread(target=self._write, name="journal", daemon=True)
            self._thread.start()

    def flush(self) -> None:
        """Wait until all is written, but not for long."""
        if self._stream is not None:
            written = Event()
            self._hand_over(written)
            written.wait(LAST_CALL)

    def _write(self) -> None:
        while True:
            lines, written = self._bundles.get()
            data = [f"{line}\n".encode(errors="replace") for line in lines]
            while data:
                together = bytearray(data.pop(0))
                while data and len(together) + len(data[0]) <= ATOMIC:
                    together += data.pop(0)
                self._put(bytes(together))
            if written is not None:
                written.set()

    def _put(self, together: bytes) -> None:
        try:
            if self._stream is not None:
                self._stream.write(together)
                self._stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads any more: supervisord was killed, and the site goes on


def _lost(lines: int) -> str:
    return json.dumps(
        {"at": _now(), "level": "WARNING", "logger": "plaza.request", "message": f"{lines} lines were lost"}
    )


def start(settings: Settings, process: str) -> Journal:
    """Set up logging for a process that lives long: records and requests on standard error, the slow log under var/log."""
    stream = sys.stderr
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if as_json else TextLines(_TEXT))
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    logging.raiseExceptions = False  # a reader that has gone is no reason to say more
    slow.into(settings.var / "log" / f"slow-{process}.jsonl")
    wanted = settings.log_requests and settings.log_level in ("DEBUG", "INFO")
    # A buffer of its own: what stands in that of sys.stderr belongs to the log records.
    return Journal(open(os.dup(stream.fileno()), "wb", buffering=0) if wanted else None, as_json=as_json)
