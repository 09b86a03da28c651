"""Keeps what answers said, to be compared with what others said. While requests are sent it only puts bodies away."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from replay.normal import BYTES, LONGEST, TEXT, fields, normal_hash
from replay.plans import Step
from replay.records import PLACEHOLDER, Request
from replay.wire import Reply

KEPT: Final = 256 << 20  # bytes of different bodies; of what comes then only the hash is known
_SHOWN: Final = 32 << 20  # letters of texts that are handed on; of what comes then only the hash
# What a client acts on. Not what differs between any two builds, such as ETag, or any two moments, such as Date.
HEADERS: Final = (
    "content-type", "location", "cache-control", "vary", "content-language", "content-security-policy", "content-disposition",
    "www-authenticate", "allow", "access-control-allow-origin",
)  # fmt: skip
_NONCE: Final = re.compile(r"'nonce-[^']+'")
_NUMBER: Final = re.compile(r"\d+")
Said = dict[str, str]  # by field: "status", "header location", "body /items/0/name"
BODY: Final = "body"  # the field of the normal hash of all of it


@dataclass(slots=True)
class _Heard:
    route: str
    status: str
    headers: dict[str, str]
    body: bytes  # its digest


class Hearing:
    """A listener of a worker. Of a request that is sent again and again the first answer counts."""

    def __init__(self) -> None:
        self._heard: dict[int, _Heard] = {}
        self._bodies: dict[bytes, tuple[str, Reply]] = {}
        self._size = 0

    def heard(self, step: Step, reply: Reply) -> None:
        if step.request.i in self._heard:
            return
        digest = hashlib.sha256(reply.body).digest() if reply.body else b""
        kept = {name: value for name in HEADERS if (value := reply.header(name))} if not reply.failed else {}
        self._heard[step.request.i] = _Heard(step.route, reply.failed or str(reply.status), kept, digest)
        if digest and digest not in self._bodies and self._size + len(reply.body) <= KEPT:
            self._size += len(reply.body)
            self._bodies[digest] = kept.get("content-type", ""), reply

    def as_json(self) -> dict[str, Any]:
        """`answers`: by `i` [route, status, headers, body]; `bodies`: what is in each, and its normal hash under ""."""
        shown, bodies = 0, dict[str, Said]()
        for digest, (content_type, reply) in self._bodies.items():
            told = _fields(content_type, reply)
            normal = normal_hash(told)
            text = told.get(TEXT, "")
            if len(text) > LONGEST or shown + len(text) > _SHOWN:
                told[TEXT] = f"{text[:LONGEST] if shown <= _SHOWN else ''}… {_hash(text)}"
            shown += len(told.get(TEXT, ""))
            bodies[digest.hex()] = told | {"": normal}
        answers = {str(i): [one.route, one.status, one.headers, one.body.hex()] for i, one in self._heard.items()}
        return {"answers": answers, "bodies": bodies}


def _fields(content_type: str, reply: Reply) -> Said:
    try:
        return fields(content_type, reply.plain())
    except ValueError:  # in a compression that is not known
        return {BYTES: _hash(reply.body.hex())}


@dataclass(slots=True)
class Answers:
    """What was answered in one pass: by `i` the route and what was said."""

    said: dict[int, tuple[str, Said]] = field(default_factory=dict)


def answers(heard: Iterable[Any]) -> Answers:
    """Of all workers of a pass, as their listeners told it."""
    said: dict[int, tuple[str, Said]] = {}
    for one in heard:
        bodies = one["bodies"]
        for i, (route, status, headers, body) in one["answers"].items():
            told = {"status": status} | {f"header {name}": _normal(name, value) for name, value in headers.items()}
            within = bodies.get(body, {BYTES: body}) if body else {}
            said[int(i)] = route, told | {f"body {name}".rstrip(): value for name, value in within.items()}
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
        if answer.normal_hash:
            told[BODY] = answer.normal_hash
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
