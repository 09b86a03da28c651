"""What a visitor or a member may say that only Nginx and the web processes say to each other; and paths, parts, and floods."""

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from models import Models
from models.writing import Draft
from settings import Settings
from tests.handlers.conftest import Town
from tests.handlers.edge import Store, cache
from tests.harness.bare import Came
from tests.harness.browser import Answer, Browser
from tests.harness.files import PNG, stored
from tests.harness.people import People
from tests.harness.site import nginx_before


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"trusted_proxies": ("127.0.0.0/8",), "page_ttl": 60}


@pytest.fixture
def straight(browse: Any) -> Browser:
    """Somebody who speaks to the web process itself."""
    browser: Browser = browse()
    return browser


@pytest.fixture
def through(straight: Browser, models: Models, settings: Settings, http_port: int) -> Iterator[Browser]:
    """A visitor who comes through Nginx."""
    with nginx_before(settings, http_port) as url:
        yield Browser(straight._client, url, models)


LINES = "a\r\nX-Accel-Redirect: /-/files/x\r\nX-Accel-Expires: 3600\r\nSet-Cookie: x=1\r\n\r\n<b>"
SAID = quote(LINES)


def injected(answer: Answer) -> set[str]:
    """What no answer says to Nginx because a member or an address said it."""
    names = {"x-accel-redirect", "x-accel-buffering", "x-accel-charset", "x-accel-limit-rate"}
    return {name.lower() for name in answer.headers} & names | {
        line for line in answer.set_cookies if line.startswith("x=")
    }


async def test_nothing_that_somebody_wrote_becomes_a_header(
    town: Town, models: Models, people: People, straight: Browser
) -> None:
    draft = Draft(LINES.replace("\r\n", " "), LINES, LINES, ("news",))
    post = await models.writing.create(draft, by=people.alice, publish=True)
    file = await stored(models, people.bob, LINES, PNG)
    paths = [
        f"/blog/{post.id}-{post.slug}", f"/blog/{post.id}", f"/blog/{post.id}-{SAID}", f"/blog/{post.id}/feed.atom", "/feed.json",
        *(f"/{where}/{file.stored_name}" for where in "pdirs"), f"/page/{SAID}", f"/tag/{SAID}", f"/language/en?next=/{SAID}",
        f"/search?q={SAID}", f"/account?{SAID}", f"/boards/{SAID}", f"/static/{SAID}", f"/{SAID}", f"/files?{SAID}",
    ]  # fmt: skip
    answers = {path: await straight.get(path) for path in paths}

    assert {path: said for path, answer in answers.items() if (said := injected(answer))} == {}
    assert [path for path, answer in answers.items() if answer.status >= 500] == []


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Plaza-Edge", "1 over"), ("X-Plaza-Edge", "gzip"), ("X-Plaza-Over", "1"), ("X-Plaza-Sends", "1"),
        ("X-Accel-Expires", "1"), ("X-Accel-Redirect", "/-/files/x"), ("X-Request-Id", "1"),
    ],
)  # fmt: skip
async def test_what_only_nginx_says_changes_nothing_when_a_visitor_says_it(
    header: str, value: str, through: Browser, settings: Settings, town: Town
) -> None:
    """Of a page that is not stored; of one that could be, at an address where Nginx stores nothing; and of one that is stored."""
    for path, words in (
        ("/search?q=words", ["", ""]),
        ("/nothing-of-that-name", ["", ""]),
        (town.path, ["MISS", "HIT"]),
    ):
        forged = await through.request("GET", path, headers={header: value})
        after = await through.get(path)
        plain = await through.request("GET", path, headers={"Cookie": "fresh=1"})

        assert [cache(forged), cache(after)] == words
        assert bool(Store(settings).files) == (path == town.path)
        for answer in (forged, after):
            assert (answer.status, answer.body) == (plain.status, plain.body)
            assert not {"X-Accel-Expires", "X-Plaza-Again"} & set(answer.headers)
            for name in ("Cache-Control", "Content-Encoding", "Content-Type"):
                assert answer.headers.get(name) == plain.headers.get(name)


async def test_parts_of_a_file_are_few_or_are_all_of_it(through: Browser) -> None:
    path = (await through.get("/")).text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    whole = await through.get(path)
    assert len(whole.body) > 4000
    for asked, status in (("0-0", 206), ("0-0,5-5,9-9", 206), (",".join(f"{n}-{n}" for n in range(0, 2000, 4)), 200)):
        answer = await through.request("GET", path, headers={"Range": f"bytes={asked}"})

        assert answer.status == status
        assert len(answer.body) <= len(whole.body)


OUTSIDE = (
    "/static/../../etc/passwd", "/static/../etc/nginx.conf", "/static/%2e%2e/etc/nginx.conf", "/static/..%2fetc%2fnginx.conf",
    "/static/%252e%252e/etc/nginx.conf", "/static/..%5cetc%5cnginx.conf", "/static/..\\etc\\nginx.conf", "/static/..%00/etc",
    "/static/%c0%ae%c0%ae/etc/nginx.conf", "/static/%e0%80%ae%e0%80%ae/etc/nginx.conf", "/static/%uff0e%uff0e/etc/nginx.conf",
    "/static../etc/nginx.conf", "/static//etc/passwd", "/static/..;/etc/nginx.conf", "/static/%2e%2e%2fsecrets%2fedge",
    "/static/" + "../" * 500 + "etc/passwd", "/static/%", "/static/%zz", "/static/.", "/static/..", "/static/",
    "/-/../etc/nginx.conf", "/-/files/../../etc/nginx.conf", "/-/files/x", "/-/503.en.html", "/-../etc/nginx.conf",
    "/-%2f..%2fetc%2fnginx.conf", "//etc/passwd", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/.git/config",
    "/p/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/d/..%2f..%2fsecrets%2fedge", "/nginx/pages/", "/log/access.log", "/run/edge.sock",
    "/about/../-/503.en.html", "/about%2f..%2f..%2fetc%2fnginx.conf",
)  # fmt: skip


@pytest.mark.parametrize("door", ["through", "straight"])
async def test_no_path_leads_out_of_the_site(
    door: str, through: Browser, straight: Browser, settings: Settings
) -> None:
    browser = through if door == "through" else straight
    secret = settings.secret("edge").encode()
    wrong: list[tuple[str, object]] = []
    for path in OUTSIDE:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        came = Came(await browser.raw(request.encode("latin-1")))
        if not came.statuses or came.statuses[0] not in (400, 403, 404, 414):
            wrong.append((path, came.statuses))
        if any(inside in came.data for inside in (b"worker_processes", b"root:", secret)):
            wrong.append((path, came.data[:80]))

    assert wrong == []


async def test_readers_with_the_cookie_of_who_has_just_written_flood_nobody(through: Browser) -> None:
    """Each is made anew, and stored; no more is kept, and the others go on."""
    fresh = {"Cookie": "fresh=1; " + "x" * 3000}
    answers = await asyncio.gather(*(through.request("GET", "/about", headers=fresh) for _ in range(50)))

    assert {(answer.status, cache(answer)) for answer in answers} == {(200, "BYPASS")}
    assert cache(await through.get("/about")) == "HIT"
