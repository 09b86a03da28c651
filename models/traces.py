"""What a request waited for (SQL, Redis, templates), where its rows came from, and which line of ours asked."""

import sys
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import Any, Literal, NamedTuple

ROOT = str(Path(__file__).resolve().parent.parent) + "/"
LONG = 32  # characters of a part of a key; what is longer is a hash
MOST_SPANS = 100  # of a request; what comes after is only counted

# Lines of these are never the ones that asked: they carry every question.
_PLUMBING = ("cache/", "models/database.py", "models/base.py", "models/traces.py", "models/slow.py", ".venv/")

Kind = Literal["wait", "sql", "redis", "template"]


class Sent(NamedTuple):
    """What went to Redis in one way; it is spelt when somebody reads it, which hardly ever is."""

    first: Sequence[Any]
    commands: int

    def __str__(self) -> str:
        name = str(self.first[0]) if self.first else "nothing"
        at = 3 if name in ("EVAL", "EVALSHA") else 1  # a script's key stands after its text and their number
        if len(self.first) <= at:
            return name
        key = self.first[at]
        text = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
        # Sessions are known by the hash of their token, limits and members by an address: such names are no reader's business.
        if len(text) > LONG or "%40" in text:
            text = ":".join(part if len(part) < LONG and "%40" not in part else "…" for part in text.split(":"))
        keys = f" and {len(self.first) - 2} more" if name == "MGET" and len(self.first) > 2 else ""
        return f"{name} {text}{keys}" + (f", {self.commands} commands" if self.commands > 1 else "")


class Span(NamedTuple):
    """`began` is of `perf_counter`; `what` is SQL as it stands in the code (never its parameters), a command, a name."""

    kind: Kind
    what: str | Sent
    began: float
    seconds: float


class Trace:
    """One request, from its first line to its answer. Tasks that a request starts write into its trace too."""

    __slots__ = ("began", "hits", "id", "misses", "route", "spans", "unkept", "user_id", "whole")

    def __init__(self, id: str, route: str = "") -> None:
        self.id, self.route = id, route
        self.began = perf_counter()
        self.spans: list[Span] = []
        self.unkept = 0
        self.hits = self.misses = 0  # rows and lists that were remembered, or had to be loaded
        self.user_id: int | None = None
        self.whole = False  # answered with what was kept of an earlier answer

    def add(self, kind: Kind, what: str | Sent, began: float) -> None:
        """A span that ends now."""
        if len(self.spans) < MOST_SPANS:
            self.spans.append(Span(kind, what, began, perf_counter() - began))
        else:
            self.unkept += 1

    @property
    def level(self) -> str:
        """The furthest level that was asked for a row or a list: "mysql", "redis", or "none"; "page" for an answer kept whole."""
        return "page" if self.whole else "mysql" if self.misses else "redis" if self.hits else "none"


# None outside of requests: in commands and in the worker nothing is kept.
TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)
_ASKED_BY: ContextVar[str] = ContextVar("asked_by", default="")


def asked(found: int, missing: int) -> None:
    """The cache was asked, and answers so many of the rows or lists itself."""
    trace = TRACE.get()
    if trace is not None:
        trace.hits += found
        trace.misses += missing
    if missing:
        # What is missing is loaded by a task of the cache's own, on whose stack nobody stands who asked for it.
        _ASKED_BY.set(caller() or _ASKED_BY.get())


def caller() -> str:
    """The line of ours that asks MySQL now, "models/posts.py:120 Posts.front"; "" when there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(ROOT) and not name.startswith(_PLUMBING, len(ROOT)):
            return f"{name.removeprefix(ROOT)}:{frame.f_lineno} {frame.f_code.co_qualname}"
        frame = frame.f_back
    return _ASKED_BY.get()
