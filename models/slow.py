"""The slow log: statements and requests that took too long, one JSON object a line, in a file that rotates by itself."""

import asyncio
import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from time import perf_counter
from typing import Any

from models import redaction
from models.counts import STATEMENTS
from models.traces import TRACE, Trace, caller

LONGEST = 4_000  # characters of a statement
MOST_BYTES, KEPT = 5 << 20, 5  # of a file, and how many older ones

# Commands have no file for it, and say nothing: lines are of level INFO, which nobody hears who did not ask.
log = logging.getLogger("plaza.slow")


def into(path: Path, most_bytes: int = MOST_BYTES) -> None:
    """Write the slow log there from now on; the file is made with its first line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=most_bytes, backupCount=KEPT, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(message)s"))
    for old in list(log.handlers):
        log.removeHandler(old)
        old.close()
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def statement(sql: str, args: tuple[Any, ...], began: float, threshold: float, failed: str = "") -> None:
    """A statement has ended now: it belongs to the request's spans, and into the slow log if it took `threshold` s (0: never)."""
    trace = TRACE.get()
    if trace is not None:
        trace.add("sql", sql, began)
    seconds = perf_counter() - began
    STATEMENTS.note(seconds)
    if threshold and seconds >= threshold and log.isEnabledFor(logging.INFO):
        _write(
            "query",
            seconds,
            trace,
            caller=caller(),
            statement=" ".join(sql.split())[:LONGEST],
            parameters=redaction.parameters(sql, args),
            **({"failed": failed} if failed else {}),
        )


def request(trace: Trace, seconds: float, **facts: Any) -> None:
    """A request that took too long, with all it waited for. Times are milliseconds, `at` since it began."""
    spans = [
        {"kind": span.kind, "at": _ms(span.began - trace.began), "ms": _ms(span.seconds), "what": short(span.what, 500)}
        for span in trace.spans
    ]
    more = {"spans_left_out": trace.unkept} if trace.unkept else {}
    _write(
        "request", seconds, trace, **facts, cache=trace.level, hits=trace.hits, misses=trace.misses, spans=spans, **more
    )


def short(what: object, most: int) -> str:
    """A statement or a command on one line."""
    text = " ".join(str(what).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _write(slow: str, seconds: float, trace: Trace | None, **facts: Any) -> None:
    line: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "slow": slow,
        "ms": _ms(seconds),
    }
    if trace is not None:
        line |= {"request": trace.id, "route": trace.route}
    else:
        task = asyncio.current_task()
        line |= {"task": task.get_name() if task else ""}
    log.info("%s", json.dumps(line | facts, ensure_ascii=False))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
