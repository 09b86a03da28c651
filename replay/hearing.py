"""Keeps what answers said, to be compared with what others said. While requests are sent it only puts bodies away."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from replay.normal import BYTES, LONGEST, TEXT, fields
from replay.plans import Step
from replay.records import PLACEHOLDER, Request
from replay.wire import Reply

KEPT: Final = 256 << 20  # bytes of different bodies, as they came; of what comes then only the hash is known
READ: Final = (
    64 << 20
)  # bytes of them, unpacked, that are read afterwards: a minute's work; of the others only the hash is told
LARGEST: Final = 2 << 20  # bytes of one that is read, unpacked: a piece that took longer would seem to be silence,
_WIDEST: Final = 4 << 20  # and letters of what is told of it: more would be too long a line
_TOGETHER: Final = 500  # answers in a piece
# What a client acts on. Not what differs between any two builds, such as ETag, or any two moments, such as Date.
HEADERS: Final = (
    "content-type", "location", "cache-control", "vary", "content-language", "content-security-policy", "content-disposition",
    "www-authenticate", "allow", "access-control-allow-origin",
)  # fmt: skip
_NONCE: Final = re.compile(r"'nonce-[^']+'")
_NUMBER: Final = re.compile(r"\d+")
Said = dict[str, str]  # by field: "status", "header location", "body /items/0/name"
BODY: Final = "body "  # before the name of a field of it
HASH: Final = f"{BODY}hash"  # the one field of a body that was not read


@dataclass(slots=True)
class _Heard:
    route: str
    status: str
    headers: dict[str, str]
    body: bytes  # its digest


class Hearing:
    """A listener of a worker. Of a request that is sent again and again the first answer counts."""

    def __init__(self, *, bodies: bool = True) -> None:
        """`bodies`: whether those are compared."""
        self._heard: dict[int, _Heard] = {}
        self._bodies: dict[bytes, tuple[str, Reply]] = {}
        self._left = KEPT if bodies else 0
        self._reads = bodies

    def heard(self, step: Step, reply: Reply) -> None:
        if step.request.i in self._heard:
            return
        digest = hashlib.sha256(reply.body).digest() if reply.body and self._reads else b""
        kept = {name: value for name in HEADERS if (value := reply.header(name))} if not reply.failed else {}
        self._heard[step.request.i] = _Heard(step.route, reply.failed or str(reply.status), kept, digest)
        if digest and digest not in self._bodies and self._left >= len(reply.body):
            self._left -= len(reply.body)
            self._bodies[digest] = kept.get("content-type", ""), reply

    def told(self) -> Iterator[dict[str, Any]]:
        """`answers`: by `i` [route, status, headers, body]; `bodies`: what is in each that was read."""
        heard = iter(self._heard.items())
        while piece := dict(islice(heard, _TOGETHER)):
            yield {"answers": {i: [one.route, one.status, one.headers, one.body.hex()] for i, one in piece.items()}}
        left = READ
        for digest, (content_type, reply) in self._bodies.items():
            body = _unpacked(reply)
            told = _read(content_type, body) if len(body) <= left else None
            if told is not None and BYTES not in told:
                left -= len(body)
            yield {"bodies": {} if told is None else {digest.hex(): told}}


def _unpacked(reply: Reply) -> bytes:
    """Nothing of one that is too large, or in a compression that is not known."""
    try:
        body = reply.plain(LARGEST + 1)
    except ValueError:
        return b""
    return body if len(body) <= LARGEST else b""


def _read(content_type: str, body: bytes) -> Said | None:
    """None for what tells nothing, or more than can be handed on."""
    told = fields(content_type, body)
    if len(text := told.get(TEXT, "")) > LONGEST:
        told[TEXT] = f"{text[:LONGEST]}… {_hash(text)}"
    width = sum(len(name) + len(value) for name, value in told.items())
    return told if 0 < width <= _WIDEST else None


@dataclass(slots=True)
class Answers:
    """What was answered in one pass: by `i` the route and what was said."""

    said: dict[int, tuple[str, Said]] = field(default_factory=dict)

    def unread(self) -> int:
        """Of how many the body is known by its hash alone."""
        return sum(HASH in said for _, said in self.said.values())


def answers(heard: Iterable[Any]) -> Answers:
    """Of all workers of a pass, in the pieces in which their listeners told it."""
    pieces = list(heard)
    bodies = {body: told for piece in pieces for body, told in piece.get("bodies", {}).items()}
    said: dict[int, tuple[str, Said]] = {}
    for piece in pieces:
        for i, (route, status, headers, body) in piece.get("answers", {}).items():
            told = {"status": status} | {f"header {name}": _normal(name, value) for name, value in headers.items()}
            if body in bodies:
                told |= {f"{BODY}{name}": value for name, value in bodies[body].items()}
            elif body:
                told[HASH] = body
            said[int(i)] = route, told
    return Answers(said)


def recorded(requests: Iterable[Request]) -> Answers:
    """What a record file knows of the answers: it holds no bodies."""
    said: dict[int, tuple[str, Said]] = {}
    for request in requests:
        answer = request.answer
        told = {"status": str(answer.status)}
        for name, value in (("content-type", answer.content_type), ("location", answer.location)):
            if value:
                told[f"header {name}"] = _normal(name, value)
        said[request.i] = "", told
    return Answers(said)


def _normal(name: str, value: str) -> str:
    if name == "location":  # the same place on another host, with the number that it got there
        parts = urlsplit(value)
        place = parts.path + (f"?{parts.query}" if parts.query else "")
        return _NUMBER.sub("0", PLACEHOLDER.sub("0", place))
    if name == "content-security-policy":
        return _NONCE.sub("'nonce-…'", value)
    return value.lower().replace(" ", "") if name == "content-type" else value


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]
