"""Looks through a record file for secrets that are left in it, whoever wrote it; and takes them out again."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, pairwise
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, unquote_plus

from replay.keys import Key
from replay.leaks import leaks
from replay.records import PLACEHOLDER, Answer, Request
from replay.redaction import OPAQUE, Redactor, is_plain_cookie
from replay.secret_names import kind_of
from replay.sites import Site

FIRST_LINE: Final = 2  # of the requests; the header is before them
_BASIC: Final = ("basic ", "bearer ", "digest ", "negotiate ")

UNREAD: Final = "something that redaction would take out"
_NO_KEY: Final = Key("none", bytes(32))


class Left(NamedTuple):
    """A secret that is left: where, in words for people, and what it is; never the secret itself."""

    line: int
    where: str
    what: str


def left(line: int, request: Request, site: Site) -> Iterator[Left]:
    """What is left in one request, each kind once for each place."""
    redactor = Redactor(_NO_KEY, site, again=True)
    kind = dict(request.headers).get("content-type", "")
    found = chain(
        (("address", what) for what in _in_target(request.target, site)),
        *((("header " + name, what) for what in _in_header(name, value, site)) for name, value in request.headers),
        (("body", what) for what in _in_body(request, site)),
        (("location", what) for what in _in_target(request.answer.location, site)),
        (("session", leak.what) for leak in leaks(request.session)),
    )
    told = dict.fromkeys(found)
    if not told and (
        redactor.target(request.target) != request.target
        or redactor.body(kind, request.body, truncated=request.truncated) != request.body
    ):
        told = {("request", UNREAD): None}
    for where, what in told:
        yield Left(line, where, what)


def _in_text(text: str, *, addresses: bool = True) -> Iterator[str]:
    return (leak.what for leak in leaks(text, addresses=addresses))


def _in_field(name: str, value: str, site: Site) -> Iterator[str]:
    kind = kind_of(name, site)
    if kind and value and not PLACEHOLDER.fullmatch(value):
        yield f"field {kind}"
    else:
        yield from _in_text(value)


def _in_form(text: str, site: Site) -> Iterator[str]:
    for pair in text.split("&"):
        name, sign, value = pair.partition("=")
        yield from _in_field(unquote_plus(name), unquote_plus(value), site) if sign else _in_text(unquote_plus(name))


def _in_target(target: str, site: Site) -> Iterator[str]:
    path, _, query = target.partition("?")
    yield from _in_text(unquote(path))
    segments = path.split("/")
    for word, secret in pairwise(segments):
        if word in site.secret_segments and secret and not PLACEHOLDER.fullmatch(secret):
            yield f"what follows /{word}/"
    if query:
        yield from _in_form(query, site)


def _in_header(name: str, value: str, site: Site) -> Iterator[str]:
    if name == "cookie":
        for pair in value.split(";"):
            cookie, _, told = pair.strip().partition("=")
            if told and not PLACEHOLDER.fullmatch(told) and not is_plain_cookie(cookie, told, site):
                yield "cookie with its value"
    elif name in ("authorization", "proxy-authorization"):
        secret = value.partition(" ")[2] if value.lower().startswith(_BASIC) else value
        if not PLACEHOLDER.fullmatch(secret.strip()):
            yield "credentials"
    elif name == "referer":
        yield from _in_target(value, site)
    elif name in ("x-forwarded-for", "x-real-ip", "forwarded"):
        yield "IP address"
    elif name not in OPAQUE:
        yield from _in_text(value, addresses=name != "user-agent")


def _in_body(request: Request, site: Site) -> Iterator[str]:
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        text = (
            request.body.decode("latin-1") if b"form-data" in request.body else ""
        )  # of files that are no text nothing is said
    kind = dict(request.headers).get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        yield from _in_form(text, site)
    elif kind.endswith("json"):
        try:
            yield from _in_json(json.loads(text), "", site) if text else ()
        except (ValueError, RecursionError):
            yield from _in_text(text)
    elif kind == "multipart/form-data":
        yield from _in_parts(text, site)
    else:
        yield from _in_text(text)


def _in_json(value: Any, name: str, site: Site) -> Iterator[str]:
    match value:
        case dict():
            for key, one in value.items():
                yield from _in_json(one, key, site)
        case list():
            for one in value:
                yield from _in_json(one, name, site)
        case str() | int() | float() if not isinstance(value, bool):
            yield from _in_field(name, str(value), site)


def _in_parts(text: str, site: Site) -> Iterator[str]:
    boundary = text.partition("\r\n")[0]
    for part in text.split(boundary) if boundary else ():
        head, _, content = part.partition("\r\n\r\n")
        name = head.partition('name="')[2].partition('"')[0]
        if "filename=" not in head:
            yield from _in_field(name, content.removesuffix("\r\n"), site)
        else:
            yield from _in_text(head)
            if "Content-Type: text/" in head:
                yield from _in_text(content)


def scrubbed(request: Request, redactor: Redactor) -> Request:
    """The request without what is left in it. The redactor must keep the placeholders that are there (`again`)."""
    answer: Answer = replace(request.answer, location=redactor.address(request.answer.location))
    kind = dict(request.headers).get("content-type", "")
    return replace(
        request, target=redactor.target(request.target), headers=redactor.headers(request.headers), answer=answer,
        body=redactor.body(kind, request.body, truncated=request.truncated),
    )  # fmt: skip
