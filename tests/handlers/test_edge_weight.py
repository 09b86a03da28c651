"""What a reader's first look at the site weighs on the wire, and the headers that every kind of answer carries."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from content.articles import Refused, read
from models import Models
from models.writing import Draft
from settings import Settings
from tests.handlers.conftest import Town
from tests.harness.bare import Came
from tests.harness.browser import Browser
from tests.harness.people import People
from tests.harness.site import nginx_before

POSTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "posts"
needs_posts = pytest.mark.skipif(not POSTS.is_dir(), reason=f"needs the posts in {POSTS}")
MOST = 40 * 1024  # bytes on the wire
LOADED = re.compile(rb'<(?:link rel="(?:stylesheet|icon)" href|script[^>]* src|img[^>]* src)="([^"]+)"')
FONTS = re.compile(rb"@font-face|url\(")


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"trusted_proxies": ("127.0.0.0/8",)}


@pytest.fixture
def base_url(settings: Settings, http_port: int) -> Iterator[str]:
    """All browsers of these tests come through Nginx."""
    with nginx_before(settings, http_port) as url:
        yield url


async def came(browser: Browser, path: str, *lines: str, method: str = "GET") -> Came:
    """All bytes of an answer, as Nginx sent them to somebody who takes gzip."""
    told = ["Host: localhost", "Accept-Encoding: gzip", "Connection: close", *lines]
    answer = await browser.raw("\r\n".join((f"{method} {path} HTTP/1.1", *told, "", "")).encode())
    return Came(answer)


@needs_posts
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_front_page_with_all_that_it_loads_is_at_most_40_kb(
    language: str, visitor: Browser, models: Models, people: People
) -> None:
    for file in sorted((POSTS / language).glob("*.md"))[:14]:
        try:
            article = read(file)
        except Refused:
            continue
        draft = Draft(article.title, article.summary, article.md, article.tags)
        await models.writing.create(draft, by=people.alice, publish=True)
    page = await came(visitor, "/", f"Accept-Language: {language}")
    loaded = [address.decode() for address in LOADED.findall((await visitor.get("/")).body)]
    parts = [await came(visitor, address) for address in loaded]

    assert {answer.statuses for answer in (page, *parts)} == {(200,)}
    assert len(loaded) >= 4
    assert [address for address in loaded if not address.startswith("/static/")] == []
    assert sum(len(answer.data) for answer in (page, *parts)) <= MOST
    sheets = [(await visitor.get(address)).body for address in loaded if address.endswith(".css")]
    assert not any(FONTS.search(sheet) for sheet in sheets)


async def test_answers_of_every_kind_carry_what_protects_readers(visitor: Browser, town: Town) -> None:
    sheet = LOADED.findall((await visitor.get("/")).body)[0].decode()
    page = ("/", town.path, "/signin", "/nothing", "/feed.atom", "/api/blogs", "/api/nothing", "/polls", "/robots.txt")
    by_nginx = (sheet, "/" + "x" * 9000, "/%00", "/-/error.css")
    file = f"/i/{town.file.stored_name}"
    answers = {path: await came(visitor, path) for path in (*page, *by_nginx, file)}
    answers["TRACE"] = await came(visitor, "/", method="TRACE")
    answers["POST"] = await came(visitor, sheet, "Content-Length: 0", method="POST")
    answers["expects"] = await came(visitor, sheet, 'If-Match: "another one"')

    assert [answers[kind].statuses for kind in ("TRACE", "POST", "expects")] == [(405,), (405,), (412,)]
    assert answers["TRACE"].headers["allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
    assert answers["POST"].headers["allow"] == "GET, HEAD"
    assert "allow" not in answers["expects"].headers
    for kind, words in {"TRACE": b"That cannot be done here", "expects": b"It is not as you expected"}.items():
        assert words in answers[kind].data
    for path, answer in answers.items():
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin", path
        assert headers["server"] == "nginx", path
        assert "x-powered-by" not in headers, path
        if headers.get("content-type", "").startswith("text/html"):
            assert "default-src 'none'" in headers["content-security-policy"], path
            assert "frame-ancestors 'none'" in headers["content-security-policy"], path
            assert "unsafe" not in headers["content-security-policy"], path
        for name in ("content-type", "content-security-policy", "x-content-type-options", "cache-control"):
            assert answer.data.lower().partition(b"\r\n\r\n")[0].count(f"\r\n{name}:".encode()) <= 1, (path, name)
