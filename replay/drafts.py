"""A recorded request as it is sent to the target: its address, its cookies, its placeholders filled."""

import re
from collections.abc import Collection
from heapq import nsmallest
from typing import Final
from urllib.parse import quote

from replay import jar as jars
from replay.jar import Jar
from replay.plans import Plan, Step
from replay.records import PLACEHOLDER, PLACEHOLDER_BYTES, Request
from replay.targets import Target
from replay.values import Fill, Unmapped, filled, filled_body, in_header, in_target

RUN = "X-Replay-Run"
# Those belong to a connection, or are made anew.
_OWN = frozenset({
    "host", "connection", "keep-alive", "content-length", "transfer-encoding", "cookie", "expect", "upgrade", "te", "trailer",
    "proxy-connection", "x-replay-run",
})  # fmt: skip
_NO_LINE = re.compile(r"[\x00-\x1f\x7f]")
_READABLE = "gzip, deflate"
AHEAD: Final = 50_000  # of each worker: two seconds, and some 100 MB


class Draft:
    """Made once for each step, and filled for each sending. `recorded_at` is the base URL that the record was made at: where
    Origin and Referer name it, they name the target. `wants_body`: the answer is read, so it may only be compressed in ways
    that can be. `host_only` and `knows_cookies` as of the plan."""

    __slots__ = ("_body", "_cookies", "_full", "_head", "_length", "_type", "_whole")

    def __init__(
        self, request: Request, target: Target, run_id: str, recorded_at: str, *, wants_body: bool, knows_cookies: bool,
        host_only: Collection[str],
    ) -> None:  # fmt: skip
        lines = [
            f"{request.method} {_address(request.target)} HTTP/1.1",
            f"Host: {target.authority}",
            f"{RUN}: {run_id}",
        ]
        cookies, self._type = "", ""
        for name, value in request.headers:
            if name == "cookie":
                cookies = f"{cookies}; {value}" if cookies else value
            elif name not in _OWN:
                lines.append(f"{name}: {_value(name, value, target, recorded_at, wants_body)}")
            if name == "content-type":
                self._type = value.lower()
        https = target.tls is not None
        self._cookies = jars.recorded(cookies, https=https, host_only=host_only) if knows_cookies else None
        self._head, self._body = "\r\n".join(lines) + "\r\n", request.body
        self._length = bool(request.body) or request.method in ("POST", "PUT", "PATCH")
        self._full = PLACEHOLDER.search(self._head) is None and PLACEHOLDER_BYTES.search(self._body) is None
        self._whole: bytes | None = None
        if self._full and self._cookies == ():
            self._whole = self._written(self._head, "", self._body)

    def ready(self, jar: Jar, value_of: Fill) -> bytes:
        """Raises Unmapped."""
        if self._whole is not None:
            return self._whole
        try:
            cookie = jar.header(self._cookies, lambda value: filled(value, value_of, in_header))
            if self._full:
                return self._written(self._head, cookie, self._body)
            line, _, rest = self._head.partition("\r\n")
            head = f"{filled(line, value_of, in_target)}\r\n{filled(rest, value_of, in_header)}"
            return self._written(head, cookie, filled_body(self._body, self._type, value_of))
        except UnicodeEncodeError as error:
            raise Unmapped(f"cannot be written: {error}") from None

    def _written(self, head: str, cookie: str, body: bytes) -> bytes:
        if cookie:
            head += f"Cookie: {cookie}\r\n"
        if self._length:
            head += f"Content-Length: {len(body)}\r\n"
        return f"{head}\r\n".encode("utf-8", "surrogateescape") + body


class Drafts:
    """Those of a plan: the `AHEAD` that were recorded first are made at once, since to make one takes as long as to send it, the
    others when they are needed. `reads_all`: somebody wants to see every answer."""

    def __init__(self, plan: Plan, target: Target, run_id: str, *, reads_all: bool) -> None:
        self._plan, self._target, self._run_id, self._reads_all = plan, target, run_id, reads_all
        self._made: dict[int, Draft] = {}  # by `i`
        sent = (step for script in plan.scripts for step in script.steps if not step.held)
        for step in nsmallest(AHEAD, sent, key=lambda step: step.request.t_us):
            self._draft(step)

    def reads(self, step: Step) -> bool:
        """Whether the body of its answer is wanted."""
        return self._reads_all or bool(step.makes)

    def ready(self, step: Step, jar: Jar, value_of: Fill) -> bytes:
        """Raises Unmapped."""
        return (self._made.get(step.request.i) or self._draft(step)).ready(jar, value_of)

    def _draft(self, step: Step) -> Draft:
        i, plan = step.request.i, self._plan
        made = self._made[i] = Draft(
            step.request, self._target, self._run_id, plan.recorded_at,
            wants_body=self.reads(step), knows_cookies=plan.knows_cookies, host_only=plan.host_only,
        )  # fmt: skip
        return made


def _address(target: str) -> str:
    """Without what would end the line, or is no address: a log may hold anything."""
    return re.sub(r"[^\x21-\x7e]+", lambda found: quote(found[0], safe=""), target) or "/"


def _value(name: str, value: str, target: Target, recorded_at: str, wants_body: bool) -> str:
    if name in ("origin", "referer") and recorded_at and value.startswith(recorded_at):
        value = target.url + value[len(recorded_at) :]
    elif name == "accept-encoding" and wants_body:
        return _READABLE
    return _NO_LINE.sub("", value)
