"""Writes a record as a test for Locust, whose master and workers send from as many machines as one likes."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from replay.records import PLACEHOLDER, Request
from replay.sites import Site

TEMPLATE = Path(__file__).with_name("locust_file.py")
READS = frozenset({"GET", "HEAD", "OPTIONS"})
# The client makes these itself.
_OWN = frozenset({"host", "content-length", "connection", "transfer-encoding", "keep-alive", "expect"})


def sessions_of(requests: Iterable[Request], site: Site, *, writes: bool) -> dict[str, list[list[Any]]]:
    """By session what a user sends, in its order; the pause of each is since the end of what came before it."""
    found: dict[str, list[list[Any]]] = {}
    over: dict[str, int] = {}  # us, when the last answer of the session had come
    for request in sorted(requests, key=lambda one: (one.t_us, one.i)):
        pause = max(0, request.t_us - over.get(request.session, request.t_us))
        over[request.session] = max(over.get(request.session, 0), request.t_us + request.answer.total_us)
        if (writes or request.method in READS) and not request.truncated:
            headers = [list(pair) for pair in request.headers if pair[0] not in _OWN]
            made = [[one.placeholder, one.pointer] for one in request.answer.made]
            name = site.route(request.method, PLACEHOLDER.sub("0", request.target))
            found.setdefault(request.session, []).append(
                [pause / 1e6, request.method, request.target, name, request.answer.status, headers, request.body, made]
            )
    return found


def spread(sessions: dict[str, list[list[Any]]], most: int) -> list[list[list[Any]]]:
    """At most so many, evenly over the whole time."""
    all = list(sessions.values())
    return all if len(all) <= most else [all[at * len(all) // most] for at in range(most)]


def written(sessions: list[list[list[Any]]], site: Site, *, writes: bool, speed: float) -> str:
    """The text of the file: one session a line, so that one may be taken out by hand."""
    lines = "".join(f"    {session!r},\n" for session in sessions)
    text = TEMPLATE.read_text()
    host_only = repr(tuple(sorted(site.host_only_cookies)))
    for name, value in {
        "SPEED": repr(speed), "WRITES": repr(writes), "HOST_ONLY": host_only, "SESSIONS": f"[\n{lines}]",
    }.items():  # fmt: skip
        found = re.search(rf"(?m)^{name}\b[^=]*= (\S+)", text)
        assert found, name
        text = text[: found.start(1)] + value + text[found.end(1) :]
    return text
