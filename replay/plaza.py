"""What is special to Plaza: its routes, the ids that its answers tell, its secrets, and how its database knows these."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from replay.plaza_routes import SHAPES, route_of
from replay.records import Made
from replay.sites import AnySite


class _Id(NamedTuple):
    """Where an id of a kind stands in addresses: after these words."""

    kind: str
    pattern: re.Pattern[str]


def _after(kind: str, words: str, id: str = r"\d{1,18}") -> _Id:
    slash = words.replace("/", "(?:/|%2[Ff])")
    return _Id(kind, re.compile(rf"({slash})({id})(?![\w.])", re.ASCII))


_IN_ADDRESSES: Final = (
    _after("post", r"/(?:blog|api/blogs|manage/blogs)/"),
    _after("post", r"/manage/blogs/[a-z]+\?(?:[^#]*&)?id="),
    _after("comment", r"/(?:comments|api/comments)/"),
    _after("poll", r"/(?:polls|questions)/"),
    _after("board", r"/manage/boards/"),
    _after("board_slug", r"/boards/", SHAPES["board"]),
    _after("file", r"/(?:[pidr]|api/v1/files)/", SHAPES["name"]),
    _after("file_short", r"/s/", "[A-Za-z0-9]{1,20}"),
    _after("token_id", r"/tokens/"),
    _after("user", r"/user/"),
    _after("role", r"/manage/roles/"),
)
_IN_BODIES: Final = (
    _Id("comment", re.compile(r'((?:^|&)parent_id=|"parent_id"\s*:\s*|name="parent_id"\r\n\r\n)(\d{1,18})(?!\w)')),
    _Id("choice", re.compile(r"((?:^|&)choices=)(\d{1,18})(?!\w)")),
)
_NUMBER: Final = re.compile(r"\d+", re.ASCII)
_CHOICES: Final = re.compile(r'("choices"\s*:\s*\[)([\d\s,]+)(\])')

# (address that is written to, kind of what it makes, where the redirect of the form tells its id)
_BY_FORM: Final = (
    (re.compile(r"/blog/\d+/comments"), "comment", r"#comment-(\d+)|/comments/(\d+)/edit"),
    (re.compile(r"/manage/blogs/create"), "post", r"/blog/(\d+)-|/manage/blogs/edit\?id=(\d+)"),
    (re.compile(r"/manage/polls/create"), "poll", r"/manage/polls/(\d+)"),
    (re.compile(r"/manage/boards/create"), "board", r"/manage/boards/(\d+)"),
    (re.compile(r"/files"), "file", r"/p/([^/?#]+)"),
)
# (address, then kind and JSON pointer of each id that its answer tells)
_BY_API: Final = (
    (re.compile(r"/api/blogs"), (("post", "/id"),)),
    (re.compile(r"/api/blogs/[^/]+/comments"), (("comment", "/id"),)),
    (re.compile(r"/api/users"), (("user", "/id"),)),
    (re.compile(r"/api/v1/polls"), (("poll", "/id"), ("choice", "/choices"))),
    (re.compile(r"/api/v1/boards"), (("board", "/id"), ("board_slug", "/slug"))),
    (re.compile(r"/api/v1/files|/j"), (("file", "/name"),)),
    (re.compile(r"/api/v1/me/tokens"), (("token_id", "/id"), ("token", "/token"))),
)

REGISTERS: Final = frozenset({"POST /register", "POST /api/users"})
SIGNS_IN: Final = frozenset({"POST /signin", "POST /api/authenticate"})
CHANGES_PASSWORD: Final = frozenset({"POST /account/password"})  # the first of its passwords is the one until now

# Whom these let through, or answer, need not be a member.
_OPEN_TO_ALL: Final = REGISTERS | SIGNS_IN | {
    "POST /signout", "POST /forgot", "POST /reset", "POST /confirm", "POST /unsubscribe/<ticket>", "POST /polls/<n>/ballot",
    "PUT /api/v1/polls/<n>/ballot", "POST other",
}  # fmt: skip
_OWN: Final = ("/account", "/manage", "/api/v1/me/", "/files")


class Plaza(AnySite):
    name = "plaza"
    secret_fields = AnySite.secret_fields | {
        "current": "password", "new": "password", "invite": "secret", "stamp": "secret", "ticket": "secret",
    }  # fmt: skip
    secret_cookies = frozenset({"plaza", "voter"})
    host_only_cookies = frozenset({"plaza"})
    secret_segments = frozenset({"unsubscribe"})
    left_out = frozenset({"/metrics", "/healthz", "/readyz", "/.well-known/replay-target"})

    def route(self, method: str, target: str) -> str:
        return f"{method} {route_of(target.partition('?')[0])}"

    def made(
        self, method: str, target: str, status: int, headers: Sequence[tuple[str, str]], body: bytes
    ) -> list[Made]:
        """The name in the placeholder of a token is the token itself: whoever writes it down puts another one there."""
        if method in ("GET", "HEAD") or not 200 <= status < 400:
            return []
        path, told = target.partition("?")[0], {name.lower(): value for name, value in headers}
        if (location := told.get("location")) and status >= 300:
            return _by_form(path, location)
        if "json" in told.get("content-type", "") and body:
            return _by_api(path, body)
        return []

    def identified(self, method: str, target: str, body: bytes, made: dict[str, str]) -> tuple[str, bytes]:
        for kind, pattern in _IN_ADDRESSES:
            target = pattern.sub(lambda found, kind=kind: _known(found, kind, made), target)  # type: ignore[misc]
        if body and made and method not in ("GET", "HEAD"):
            body = _body(body, made)
        return target, body

    def proves(self, method: str, target: str, status: int, location: str) -> bool:
        """Whether who got this answer was a member, by the cookie or the token of the question."""
        if status >= 400 or location.startswith("/signin"):
            return False
        written = method not in ("GET", "HEAD", "OPTIONS") and self.route(method, target) not in _OPEN_TO_ALL
        return written or target.startswith(_OWN)

    def stable_secret(self, kind: str, value: str) -> str:
        """The SHA-256, which is all that the tables of sessions and of tokens hold."""
        return hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()


def _placeholder(kind: str, id: object) -> str:
    """The name of a file has a dot, which no placeholder has."""
    return f"{{{{{kind}:{str(id).replace('.', '_')}}}}}"


def _by_form(path: str, location: str) -> list[Made]:
    for pattern, kind, told in _BY_FORM:
        if pattern.fullmatch(path):
            for one in told.split("|"):
                if found := re.search(one, location):
                    return [Made(kind, _placeholder(kind, found[1]), f"location:{one}")]
    return []


def _by_api(path: str, body: bytes) -> list[Made]:
    found: list[Made] = []
    for pattern, ids in _BY_API:
        if pattern.fullmatch(path):
            told = _object(body)
            for kind, pointer in ids:
                value = told.get(pointer[1:])
                if isinstance(value, list):
                    places = [
                        (one.get("id"), f"{pointer}/{number}/id")
                        for number, one in enumerate(value)
                        if isinstance(one, dict)
                    ]
                else:
                    places = [(value, pointer)]
                found += [
                    Made(kind, _placeholder(kind, id), place) for id, place in places if isinstance(id, str | int)
                ]
    return found


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _known(found: re.Match[str], kind: str, made: dict[str, str]) -> str:
    return found[1] + made.get(f"{kind}:{found[2].replace('.', '_')}", found[2])


def _body(body: bytes, made: dict[str, str]) -> bytes:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body

    def chosen(id: re.Match[str]) -> str:
        return made.get(f"choice:{id[0]}", id[0])

    for kind, pattern in _IN_BODIES:
        text = pattern.sub(lambda found, kind=kind: _known(found, kind, made), text)  # type: ignore[misc]
    return _CHOICES.sub(lambda found: found[1] + _NUMBER.sub(chosen, found[2]) + found[3], text).encode()
