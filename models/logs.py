"""What a process says: log records and one line for each request, as JSON lines (or text at a terminal) on standard error.

Supervisor keeps that in a file and rotates it. Who reads it may go away: then what is said is lost, and nothing else.
"""

import asyncio
import json
import logging
import sys
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

from models import redaction, slow
from models.traces import TRACE, Trace
from settings import Settings

FLUSH_EVERY = 0.2  # s; one write for the lines of that time costs each of them a hundredth of its own
MOST_WAITING = 200  # lines

_TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class JsonLines(logging.Formatter):
    """A record as one JSON object, with the request in which it was made; mail addresses and secrets are blotted out."""

    def format(self, record: logging.LogRecord) -> str:
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
    """The lines of requests. A `stream` of None keeps none."""

    def __init__(self, stream: TextIO | None, *, as_json: bool = True) -> None:
        self._stream, self._as_json = stream, as_json
        self._waiting: list[str] = []

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
            f'{{"at":"{now}","level":"INFO","logger":"plaza.request","method":"{method}","path":{redaction.json_path(path)},'
            f'"status":{status},"ms":{milliseconds},"bytes":{size}'
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
            asyncio.get_running_loop().call_later(FLUSH_EVERY, self.flush)
        elif len(self._waiting) >= MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._stream is None or not self._waiting:
            return
        text = "\n".join(self._waiting) + "\n"
        self._waiting.clear()
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads any more: supervisord was killed, and the site goes on


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
    return Journal(stream if wanted else None, as_json=as_json)
