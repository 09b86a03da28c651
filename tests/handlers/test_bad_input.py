"""Whatever is sent to whichever address: an answer below 500."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.handlers.conftest import Town
from tests.handlers.table import TABLE
from tests.handlers.test_permissions import filled
from tests.harness.browser import Browser
from tests.harness.people import People

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
NAMES = (
    "title", "summary", "body", "tags", "name", "email", "password", "passwd", "content", "current", "new", "id", "version",
    "parent_id", "status", "next", "invite", "action", "from", "slug", "about", "sense", "keep", "least", "most", "min",
    "max", "score", "ids", "one", "undo", "member", "question", "kind", "choices", "results", "visitors", "opens_at", "closes_at",
)  # fmt: skip
VALUES = {
    "nul": "\0", "controls": "\x01\x1f\x7f", "long": "x" * 70_000, "number": "9" * 400, "negative": "-1", "half": "\ud83d",
    "right to left": "\u202eevil", "astral": "🜁" * 300, "percent": "%s%n%(x)s", "sql": "' OR 1=1 -- ", "digits": "١٢٣",
    "superscript": "²", "html": "<script>alert(1)</script>", "lines": "a\r\nSet-Cookie: x=1",
}  # fmt: skip


@pytest.fixture
def choices() -> dict[str, Any]:
    return {
        "registrations_per_hour": 10_000, "signin_failures_account": 10_000, "signin_failures_address": 10_000,
        "comments_per_minute": 10_000, "scores_per_minute": 10_000,
    }  # fmt: skip


def json_bodies() -> dict[str, bytes]:
    bodies = {
        "nothing": b"", "no json": b"{", "null": b"null", "a list": b"[1]", "a text": b'"x"', "not utf-8": b"\xff\xfe",
        "deep": b"[" * 100_000, "deep object": b'{"name":' * 20_000, "big number": b'{"name": 1e999999}',
        "endless number": b'{"name": ' + b"9" * 10_000 + b"}", "nan": b'{"name": NaN}',
        "twice": b'{"name": "a", "name": "b", "content": "c"}', "a megabyte": b'{"name": "' + b"x" * 1_000_000 + b'"}',
    }  # fmt: skip
    for kind, value in [
        ("lists", ["x"]),
        ("objects", {"a": 1}),
        ("numbers", 10**30),
        ("nulls", None),
        ("truths", True),
    ]:
        bodies[kind] = json.dumps(dict.fromkeys(NAMES, value)).encode()
    for kind, text in VALUES.items():
        bodies[kind] = json.dumps(dict.fromkeys(NAMES, text)).encode()
    return bodies


def form_bodies() -> dict[str, bytes]:
    bodies = {
        "nothing": b"", "garbage": bytes(range(256)) * 4, "no utf-8": b"&".join(b"%s=%%ff%%fe" % n.encode() for n in NAMES),
        "raw bytes": b"body=\xff\xfe&content=\x80", "many fields": b"&".join(b"a%d=1" % n for n in range(900)),
        "only signs": b"&=&=&%&%zz=%", "a megabyte": b"body=" + b"x" * 1_000_000,
    }  # fmt: skip
    for kind, text in VALUES.items():
        value = quote(text, errors="surrogatepass") if kind != "half" else "%ED%A0%BD"
        bodies[kind] = "&".join(f"{name}={value}" for name in NAMES).encode()
    return bodies


async def complaints(browser: Browser, path: str, bodies: dict[str, bytes], content_type: str) -> list[str]:
    wrong = []
    for kind, body in bodies.items():
        answer = await browser.request("POST", path, body=body, headers={"Content-Type": content_type})
        if answer.status >= 500:
            wrong.append(f"{kind}: {answer.status}")
    return wrong


POSTS = sorted({line.path for line in TABLE if line.method == "POST"} - {"/signout", "/account/sessions/revoke"})
CALLS = [path for path in POSTS if path.startswith("/api/")]


@pytest.mark.parametrize(
    ("paths", "bodies", "content_type"),
    [(CALLS, json_bodies(), JSON), (POSTS, form_bodies(), FORM)],
    ids=["json", "form"],
)
async def test_no_body_makes_an_answer_5xx(
    paths: list[str], bodies: dict[str, bytes], content_type: str, town: Town, people: People, ada: Browser
) -> None:
    wrong = {}
    for path in paths:
        if found := await complaints(ada, filled(path, town, people), bodies, content_type):
            wrong[path] = found

    assert wrong == {}


TYPES = {
    "": b"name=a&body=b", "text/plain": b"name=a", "multipart/form-data": b"--x\r\n", "x": b"\xff\0",
    "multipart/form-data; boundary=x": b"--x\r\n\r\n\r\n--x--", 'multipart/form-data; boundary="': b'--"--',
    "application/json; charset=utf-7": b'{"name": "+AGE-"}', "application/xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    "application/x-www-form-urlencoded; charset=nonsense": b"name=a",
}  # fmt: skip


async def test_what_is_not_utf8_is_told_on_a_page_that_keeps_the_rest(browse: Callable[[], Browser]) -> None:
    body = b"title=%ff%00&ids=1&ids=2&body=plum+jam"
    answer = await browse().request("POST", "/manage/blogs/create", body=body, headers={"Content-Type": FORM})

    assert answer.status == 401
    assert answer.text.count('name="ids"') == 2
    assert "plum jam" in answer.text
    assert "\0" not in answer.text


async def test_no_content_type_makes_an_answer_5xx(town: Town, people: People, ada: Browser) -> None:
    wrong = {}
    for path in POSTS:
        for content_type, body in TYPES.items():
            if found := await complaints(ada, filled(path, town, people), {content_type: body}, content_type):
                wrong[path] = found

    assert wrong == {}


ASKED = (
    "id",
    "page",
    "after",
    "before",
    "status",
    "next",
    "invite",
    "done",
    "window",
    "n",
    "member",
    "results",
    "start",
    "limit",
)
ODD = ("", "x", "0", "-1", "9" * 18, "9" * 19, "9" * 3000, "%00", "%ff", "%C2%B2", "//x", "%3Cscript%3E", "%")
QUERIES = ("id=1&id=2", "%ff=%ff", "&&&", "=", "status=published", "before=9&after=9&page=999999999", "a" * 5000)
ON = (
    "/blog/" + "9" * 18, "/blog/" + "9" * 400, "//[", "http://[", "/blog/1-x%3Fafter%3D%25C2%25B2", "%2500", "%25ff",
    "/boards/%25ff", "/boards/race%3Fwindow%3D%25ff", "/boards/" + "x" * 61, "/blog/1-x%3Fafter%3D" + "9" * 18,
    "/blog/%25C2%25B2",
)  # fmt: skip


@pytest.mark.parametrize("who", ["visitor", "ada"])
async def test_no_query_makes_an_answer_5xx(
    who: str, town: Town, people: People, browse: Callable[[], Browser]
) -> None:
    browser = await browse().sign_in(people.named(who))
    wrong = []
    queries = [*QUERIES, *("&".join(f"{name}={value}" for name in ASKED) for value in ODD)]
    tried = [
        f"{filled(line.path, town, people).partition('?')[0]}?{query}"
        for line in TABLE if line.method == "GET" for query in queries
    ]  # fmt: skip
    for path in [*tried, *(f"/api/v1/me?on={on}" for on in (*ON, *ODD))]:
        answer = await browser.get(path)
        if answer.status >= 500:
            wrong.append(f"{path[:80]}: {answer.status}")

    assert wrong == []


PATHS = (
    "/%ff", "/%00", "/page/%ff", "/page/%C2%B2", "/page/" + "9" * 400, "/page/%00", "/page/1%0A", "/tag/%ff", "/tag/%00",
    "/tag/" + "x" * 4000, "/tag/a%2Fb", "/tag/%E4%B8%AD", "/tag/%F0%9F%9C%81", "/tag/x/page/%ff", "/tag/x/page/" + "9" * 400,
    "/tag/%20", "/tag/'%22%3C", "/tag/A%0D%0AX:%20y", "/user/0", "/user/" + "9" * 18, "/user/" + "9" * 19,
    "/user/1/page/x", "/user/1/page/%ff", "/blog/" + "9" * 18, "/blog/" + "9" * 19, "/blog/0-x", "/blog/1-%ff", "/blog/1-%00",
    "/blog/%C2%B2", "/archive/0000-00", "/archive/9999-12", "/archive/9999-99", "/archive/0001-01", "/archive/2024-13",
    "/comments/" + "9" * 18, "/comments/0/edit", "/api/blogs/" + "9" * 18, "/api/%ff", "/api/", "/api/blogs/x", "//", "///x",
    "/static/", "/static/../settings.py", "/static/%2e%2e/%2e%2e/etc/passwd", "/static/%00", "/static/%ff", "/-/", "/.git/config",
    "/boards/%ff", "/boards/" + "x" * 4000, "/boards/a%2Fb", "/api/v1/boards/%00", "/api/v1/boards/race/players/" + "9" * 19,
    "/api/v1/polls/" + "9" * 18, "/api/v1/polls/x", "/api/v1/polls/0/ballot", "/questions/" + "9" * 19 + "/choice",
    "/questions/" + "9" * 18 + "/choice", "/manage/polls/" + "9" * 18, "/manage/polls/" + "9" * 18 + "/close",
    "/manage/boards/" + "9" * 18, "/manage/boards/" + "9" * 18 + "/scores", "/language/xx",
    "/language/en?next=%ff", "/manage/blogs/" + "9" * 18 + "/publish", "/" + "a" * 3000, "/a%0d%0ab", "/\u00e9",
)  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_no_path_makes_an_answer_5xx(method: str, town: Town, ada: Browser) -> None:
    body = b"" if method in ("POST", "PUT", "PATCH") else None
    wrong = []
    for path in PATHS:
        answer = await ada.request(method, quote(path, safe="/%?=&.+:'"), body=body)
        if answer.status >= 500:
            wrong.append(f"{path[:60]}: {answer.status}")

    assert wrong == []


HEADERS = (
    ("Cookie", "plaza=%ff; lang=xx; member"), ("Cookie", "plaza=\"; =;;; a=b=c"), ("Cookie", "plaza=" + "x" * 5000),
    ("Cookie", "plaza=\x80\xff"), ("Accept-Language", ";;;q=,,zz" * 100), ("Accept-Language", "\xff"), ("If-None-Match", '"'),
    ("If-None-Match", "W/" * 1000), ("Sec-Fetch-Site", "x"), ("Origin", "://"), ("Origin", "http://["), ("Host", "["),
    ("Host", ""), ("Host", "a" * 3000), ("X-Forwarded-For", "x"), ("X-Real-IP", "999.1.1.1"), ("X-Forwarded-Proto", "gopher"),
    ("Range", "bytes=9-1"), ("User-Agent", "x" * 5000), ("X-Plaza-Lang", "\xff"),
)  # fmt: skip


async def test_no_header_makes_an_answer_5xx(town: Town, browse: Callable[[], Browser]) -> None:
    wrong = []
    for name, value in HEADERS:
        for method, path in (("GET", town.path), ("POST", "/signin"), ("GET", "/account"), ("GET", "/api/v1/me")):
            body = b"email=a&password=b" if method == "POST" else b""
            lines = [f"{method} {path} HTTP/1.1".encode(), b"Connection: close", b"Content-Length: %d" % len(body)]
            if name != "Host":
                lines.append(b"Host: localhost")
            if method == "POST":
                lines.append(b"Content-Type: " + FORM.encode())
            lines.append(name.encode() + b": " + value.encode("latin-1"))
            answer = await browse().raw(b"\r\n".join(lines) + b"\r\n\r\n" + body)
            if answer and answer.split(b" ")[1] >= b"5":
                wrong.append((name, value[:40], path, answer[:40]))

    assert wrong == []


RAW = (
    b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\x02\0",
     b"BREW / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
     b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
     b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
     b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
     b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
)  # fmt: skip


async def test_no_bytes_make_an_answer_5xx_or_stop_the_process(browse: Callable[[], Browser]) -> None:
    browser = browse()
    for data in RAW:
        try:
            answer = await browser.raw(data, seconds=0.3)
        except TimeoutError:
            answer = b""  # it waits for the rest

        assert answer == b"" or answer.split(b" ")[1] < b"5", data
        assert (await browser.get("/healthz")).status == 200
