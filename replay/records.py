"""What a record file holds: who asked what and when, and what was answered, without a secret.

`*.rec.jsonl.gz`, mode 0600: one JSON object a line, first the header, then the requests in the order of their `t`, last the
footer. A file without a footer was cut off. The keys in the file are short; the names here say what they mean.
"""

import base64
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _text
from typing import Any

FORMAT = "plaza-record/1"
# What stands for a secret, an address, or an id that the replay has to find out: {{kind:name}}.
PLACEHOLDER = re.compile(r"\{\{([a-z][a-z0-9_.]*):([A-Za-z0-9_-]{1,40})\}\}", re.ASCII)
PLACEHOLDER_BYTES = re.compile(PLACEHOLDER.pattern.encode(), re.ASCII)

_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}", re.ASCII)
_TARGET = re.compile(r"[^\x00-\x20\x7f\ud800-\udfff]+")  # nothing that would end it in the line of a request
_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,200}", re.ASCII)
_BROKEN = re.compile(r"[\r\n\x00\ud800-\udfff]")
_COOKIE_POINTER = re.compile(r"cookie:[^\s;=]+")


@dataclass(frozen=True, slots=True)
class Header:
    """`started_ns` is wall time, `monotonic_ns` the same moment on the monotonic clock. `snapshot` names the backup that this
    goes with, "" when unknown. `policy` and `key_id`: which rules of redaction, under which key. `sampling`: "all", or the
    share of the sessions. `clock` tells how exact `t` is, such as "exact" or "+-2 ms". `source`: plaza, nginx, combined.
    `mapping`: for an imported file each address that was mapped, and onto which."""

    commit: str
    started_ns: int
    monotonic_ns: int
    base_url: str
    source: str = "plaza"
    snapshot: str = ""
    policy: str = ""
    key_id: str = ""
    sampling: str = "all"
    clock: str = "exact"
    mapping: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT} | {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Made:
    """Something new that an answer told of. `pointer` says where its id stands there: a JSON pointer (RFC 6901) into the body,
    `location:<pattern>` with one group, or `cookie:<name>`."""

    kind: str
    placeholder: str
    pointer: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Times are microseconds from the moment the request's header had arrived: `first_byte_us` to the head of the answer,
    `total_us` to its last byte. `hash` is of the body as it was, `normal_hash` without what differs each time; both "" when
    the source does not know. `cookies`: the names that were set. `level`: which cache gave it (X-Cache), "" unknown."""

    status: int
    total_us: int
    first_byte_us: int = 0
    length: int = 0
    content_type: str = ""
    hash: str = ""
    normal_hash: str = ""
    location: str = ""
    cookies: tuple[str, ...] = ()
    made: tuple[Made, ...] = ()
    level: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """`i` counts all requests from 0; `t_us` is microseconds since the start, at the arrival of the header. `connection` and
    `session` are pseudonyms; `k` counts inside the session. `after`: the `i` of the last request of the session that had
    been answered when this one came, None for none: this one may have come of it. `body_length` is what was sent, which is
    more than `body` holds when that is `truncated`. Header names are lower case, in their order. In target, header values
    and body a placeholder stands for each secret, and for each id that an earlier answer told (`Made`)."""

    i: int
    t_us: int
    session: str
    k: int
    method: str
    target: str
    answer: Answer
    connection: int = 0
    after: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    body_length: int = 0
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Footer:
    """`statuses`: answers by status. `dropped`: what was not recorded, by reason. `sha256`: of all lines before, with their
    ends of line."""

    requests: int
    statuses: dict[str, int]
    dropped: dict[str, int]
    sha256: str

    def as_json(self) -> dict[str, Any]:
        return {"footer": True} | {name: getattr(self, name) for name in self.__slots__}


def line_of(request: Request) -> str:
    """One line of the file, as JSON; what is empty is left out. Put together by hand: a dictionary of it costs three times as
    much, and a recorder writes thousands in a second."""
    answer = request.answer
    return "".join((
        f'{{"i":{request.i},"t":{request.t_us}',
        f',"c":{request.connection}' if request.connection else "",
        f',"s":{_text(request.session)},"k":{request.k}',
        f',"dep":{request.after}' if request.after is not None else "",
        f',"m":{_text(request.method)},"u":{_text(request.target)}',
        f',"h":[{",".join([f"[{_text(name)},{_text(value)}]" for name, value in request.headers])}]' if request.headers else "",
        _body_text(request.body) if request.body else "",
        f',"bl":{request.body_length}' if request.body_length else "",
        ',"trunc":true' if request.truncated else "",
        f',"st":{answer.status}',
        f',"ttfb":{answer.first_byte_us}' if answer.first_byte_us else "",
        f',"rt":{answer.total_us}',
        f',"len":{answer.length}' if answer.length else "",
        f',"ct":{_text(answer.content_type)}' if answer.content_type else "",
        f',"hash":{_text(answer.hash)}' if answer.hash else "",
        f',"nhash":{_text(answer.normal_hash)}' if answer.normal_hash else "",
        f',"loc":{_text(answer.location)}' if answer.location else "",
        f',"set":[{",".join(map(_text, answer.cookies))}]' if answer.cookies else "",
        f',"mk":[{",".join(map(_made_text, answer.made))}]' if answer.made else "",
        f',"x":{_text(answer.level)}' if answer.level else "",
        "}",
    ))  # fmt: skip


def _made_text(made: Made) -> str:
    return f"[{_text(made.kind)},{_text(made.placeholder)},{_text(made.pointer)}]"


def request_of(line: dict[str, Any]) -> Request:
    """The other way round. Raises KeyError, TypeError or ValueError when this is no line of a request."""
    answer = Answer(
        int(line["st"]), int(line["rt"]), int(line.get("ttfb", 0)), int(line.get("len", 0)), str(line.get("ct", "")),
        str(line.get("hash", "")), str(line.get("nhash", "")), str(line.get("loc", "")), tuple(line.get("set", ())),
        tuple(Made(*one) for one in line.get("mk", ())), str(line.get("x", "")),
    )  # fmt: skip
    after, body = line.get("dep"), _body_of(line)
    return Request(
        int(line["i"]), int(line["t"]), str(line["s"]), int(line["k"]), str(line["m"]), str(line["u"]), answer,
        int(line.get("c", 0)), None if after is None else int(after), _pairs(line.get("h", ())), body,
        int(line.get("bl", len(body))), bool(line.get("trunc", False)),
    )  # fmt: skip


def unfit(request: Request) -> str:
    """Why it could not be sent again, or what it made not be found; "" for one that can."""
    if not (_METHOD.fullmatch(request.method) and _TARGET.fullmatch(request.target)):
        return "its method or its address is none that can be sent"
    if not all(_names(name) and (value.isprintable() or not _BROKEN.search(value)) for name, value in request.headers):
        return "one of its headers is none that can be sent"
    if not all(_points(made.pointer) for made in request.answer.made):
        return "what it made is told to stand in a place that is none"
    return ""


@lru_cache(1024)
def _names(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


@lru_cache(1024)
def _points(pointer: str) -> bool:
    if pointer.startswith("location:"):
        try:
            return re.compile(pointer.removeprefix("location:")).groups == 1
        except (re.error, RecursionError, OverflowError):
            return False
    return pointer.startswith("/") or _COOKIE_POINTER.fullmatch(pointer) is not None


def _pairs(told: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple(_pair(str(name), str(value)) for name, value in told)


@lru_cache(1 << 14)
def _pair(name: str, value: str) -> tuple[str, str]:
    """The same object for the same header: of a million requests most say the same of themselves."""
    return sys.intern(name), value


def _body_text(body: bytes) -> str:
    try:
        return f',"b":{_text(body.decode())}'
    except UnicodeDecodeError:
        return f',"b64":"{base64.b64encode(body).decode()}"'


def _body_of(line: dict[str, Any]) -> bytes:
    return base64.b64decode(line["b64"], validate=True) if "b64" in line else str(line.get("b", "")).encode()
