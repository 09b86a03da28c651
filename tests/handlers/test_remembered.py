"""Answers that are remembered whole: the very bytes the handler would send, to whoever may have them, and never an old one."""

import asyncio
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from handlers.answers import LARGEST
from handlers.api import JsonAnswer
from handlers.keeping import LONGEST
from handlers.tracing import ASKED_BY
from models import Models, connected, slow
from models.comments import BY_ID as COMMENT
from models.logs import Journal
from models.site import ALL as ALL_OF_SITE
from models.writing import Draft
from server import Running, running
from settings import Settings
from tests.handlers.conftest import Town
from tests.handlers.table import TABLE
from tests.harness.browser import Browser
from tests.harness.counting import Counted
from tests.harness.people import People
from tests.harness.servers import Databases
from tests.harness.wires import Wire

INSIDE = "Authorization: none\r\n"  # nobody reads it; with it a question is always the handler's
NEVER = {
    "search",
    "healthz",
    "readyz",
    "me",
    "register",
    "signin",
    "forgot",
}  # routes that answer 200, but are never kept
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def log() -> io.BytesIO:
    return io.BytesIO()


@pytest.fixture
def site(io_loop: IOLoop, settings: Settings, log: io.BytesIO) -> Iterator[Running]:
    """As everywhere, but its requests are written down."""
    context = running(settings, Journal(log))
    yield io_loop.run_sync(context.__aenter__)
    io_loop.run_sync(lambda: context.__aexit__(None, None, None))


@pytest.fixture
def lines(log: io.BytesIO, site: Running) -> Lines:
    def read() -> list[dict[str, Any]]:
        site.application.app.journal.flush()
        return [json.loads(line) for line in log.getvalue().decode().splitlines()]

    return read


@pytest.fixture
def asker(browse: Callable[[], Browser], lines: Lines) -> "Asker":
    return Asker(browse(), lines)


class Asker:
    """Sends bytes, and knows from the journal who answered."""

    def __init__(self, browser: Browser, lines: Lines) -> None:
        self._browser, self._lines = browser, lines

    async def ask(self, path: str, more: str = "", *, method: str = "GET", version: str = "1.1") -> bytes:
        """All bytes that come back, but for the two values that are each request's own."""
        host = self._browser.base_url.removeprefix("http://")
        close = "" if "Connection:" in more or version == "1.0" else "Connection: close\r\n"
        answer = await self._browser.raw(
            f"{method} {path} HTTP/{version}\r\nHost: {host}\r\n{close}{more}\r\n".encode(), seconds=5
        )
        return re.sub(rb"(Date|X-Request-Id): [^\r]+", rb"\1: own", answer)

    def kept(self) -> bool:
        """Whether the last answer was one that had been kept."""
        return bool(self._lines()[-1].get("cache") == "page")

    async def until_kept(self, path: str, more: str = "") -> bytes:
        """Ask until the answer is one that was kept: it has to be made more than once, and nothing may change meanwhile."""
        for _ in range(20):
            answer = await self.ask(path, more)
            if self.kept():
                return answer
            await asyncio.sleep(0.05)
        raise AssertionError(f"{path} is not kept")


def public_paths(town: Town, people: People) -> list[tuple[str, str]]:
    names = {
        "post": town.post.id, "draft": town.draft.id, "trashed": town.trashed.id, "talk": town.talk.id,
        "reply": town.reply.id, "bob": people.bob.id, "month": f"{town.post.published_at:%Y-%m}",
    }  # fmt: skip
    return [
        (line.name, line.path.format(**names)) for line in TABLE if line.method == "GET" and line.statuses == (200,) * 5
    ]


async def test_what_is_kept_are_the_very_bytes_that_the_handler_sends(
    asker: Asker, town: Town, people: People, site: Running
) -> None:
    seen = set()
    for name, path in public_paths(town, people):
        if name in NEVER:
            continue
        seen.add(name)
        for language in ("", "Accept-Language: zh-CN\r\n", "Cookie: a=b; lang=zh\r\n"):
            kept = await asker.until_kept(path, language)

            made = await asker.ask(path, language + INSIDE)
            assert not asker.kept()
            assert kept == made, path
            assert kept.startswith(b"HTTP/1.1 200 OK\r\n")
    assert seen >= {
        "front",
        "post",
        "tag",
        "archive",
        "user",
        "about",
        "feed",
        "sitemap",
        "robots",
        "api_blog",
        "api_blogs",
    }


async def test_all_ways_of_asking_are_answered_as_the_handler_does(asker: Asker, town: Town) -> None:
    whole = await asker.until_kept(town.path)
    etag = re.search(rb'Etag: ("[^"]+")', whole)
    assert etag is not None
    tag = etag[1].decode()

    for more in (
        "", f"If-None-Match: {tag}\r\n", f'If-None-Match: "x", W/{tag}\r\n', "If-None-Match: *\r\n",
        'If-None-Match: "x"\r\n', f"If-None-Match: {tag.strip(chr(34))}\r\n", "Connection: close\r\n",
        "Connection: CLOSE\r\n", "Range: bytes=0-9\r\n", "Accept-Encoding: gzip\r\n", "Expect: 100-continue\r\n",
        "Cookie: plaza=x; member=1\r\n", "User-Agent: wrk\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 1.2.3.4\r\n",
    ):  # fmt: skip
        for method in ("GET", "HEAD"):
            for version in ("1.1", "1.0"):
                close = "" if "Connection" in more or version == "1.0" else "Connection: close\r\n"
                kept = await asker.ask(town.path, more + close, method=method, version=version)
                assert asker.kept(), more
                made = await asker.ask(town.path, more + close + INSIDE, method=method, version=version)
                assert kept == made, (more, method, version)


async def test_a_connection_stays_open_and_answers_come_in_the_order_of_the_questions(
    asker: Asker, town: Town, browse: Callable[[], Browser], lines: Lines
) -> None:
    await asker.until_kept(town.path)
    head = "Host: localhost\r\n"
    asked = "".join(
        f"{method} {path} HTTP/1.1\r\n{head}{more}\r\n"
        for method, path, more in (
            ("GET", town.path, ""), ("HEAD", town.path, ""), ("GET", "/nothing", ""), ("GET", town.path, ""),
            ("GET", town.path, INSIDE), ("GET", town.path, "Connection: close\r\n"), ("GET", "/never-read", ""),
        )
    )  # fmt: skip
    answer = await browse().raw(asked.encode(), seconds=5)

    assert re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answer) == [b"200", b"200", b"404", b"200", b"200", b"200"]
    assert [line["cache"] == "page" for line in lines()[-6:]] == [True, True, False, True, False, True]
    assert answer.count(b"Connection: close") == 1
    keeping = await browse().raw(f"GET {town.path} HTTP/1.0\r\n{head}Connection: Keep-Alive\r\n\r\n".encode() * 2 +
                                 f"GET {town.path} HTTP/1.0\r\n{head}\r\n".encode(), seconds=5)  # fmt: skip
    assert keeping.count(b"Connection: Keep-Alive") == 2
    assert keeping.count(b"HTTP/1.1 200 OK") == 3


async def test_a_kept_answer_is_in_the_journal_with_its_route_status_and_size(
    asker: Asker, town: Town, lines: Lines
) -> None:
    whole = await asker.until_kept(town.path + "?x=1")
    body = whole.partition(b"\r\n\r\n")[2]
    line = lines()[-1]
    await asker.ask(town.path + "?x=1", "If-None-Match: *\r\n")
    unchanged = lines()[-1]

    assert (line["method"], line["path"], line["route"], line["status"]) == ("GET", town.path, "post", 200)
    assert (line["bytes"], line["sql"], line["hits"], line["misses"]) == (len(body), 0, 0, 0)
    assert 0 <= line["ms"] < 5000
    assert (unchanged["status"], unchanged["bytes"], unchanged["cache"]) == (304, 0, "page")
    assert len(line["request"]) == 32
    assert line["request"] != unchanged["request"]


@pytest.mark.parametrize("choices", [{"slow_request": 1e-9}])
async def test_a_kept_answer_that_took_too_long_is_in_the_slow_log(asker: Asker, town: Town, tmp_path: Path) -> None:
    await asker.until_kept(town.path)
    path = tmp_path / "slow.jsonl"
    slow.into(path)
    try:
        await asker.ask(town.path)
    finally:
        for handler in list(slow.log.handlers):
            slow.log.removeHandler(handler)
            handler.close()

    (line,) = [json.loads(text) for text in path.read_text().splitlines()]
    assert (line["slow"], line["route"], line["cache"], line["status"]) == ("request", "post", "page", 200)


async def test_what_makes_it_another_question_is_asked_of_the_handler(
    asker: Asker, town: Town, browse: Callable[[], Browser], lines: Lines
) -> None:
    await asker.until_kept(town.path)
    ours = "Host: localhost\r\nConnection: close\r\n"
    for head, status in (
        ("Host: elsewhere.example\r\n", 421), ("Host: localhost:x,y\r\n", 400), (ours + "Host: localhost\r\n", 400),
        (ours + "Content-Length: 1\r\n\r\nx", 200), (ours + "Content-Length: x\r\n", 400), ("", 400),
        (ours + "Transfer-Encoding: chunked\r\n\r\n0\r\n", 200), (ours + f"{ASKED_BY}: 1\r\n", 200),
    ):  # fmt: skip
        close = "" if head.startswith(ours) else "Connection: close\r\n"
        answer = await browse().raw(f"GET {town.path} HTTP/1.1\r\n{close}{head}\r\n".encode(), seconds=5)
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), head
        assert status == 400 or not asker.kept(), head
    for method in ("POST", "DELETE", "OPTIONS", "BREW"):
        await asker.ask(town.path, method=method)
        assert not asker.kept()


async def test_what_is_not_for_everybody_is_never_kept(
    asker: Asker, alice: Browser, town: Town, people: People, site: Running, lines: Lines
) -> None:
    for path in (
        "/search?q=words", "/account", "/api/v1/me", "/signin", "/register", "/healthz", "/readyz", "/api/users",
        "/nothing", f"/blog/{town.draft.id}-draft-words", f"/blog/{town.post.id}", "/page/2", "/language/zh",
        "/api/nothing", "/manage/", f"/?{'x' * LONGEST}",
    ):  # fmt: skip
        for _ in range(4):
            await asker.ask(path)
            await alice.get(path)
    assert {line["cache"] for line in lines()} <= {"none", "redis", "mysql"}
    assert [key for key in ("/account", "/search?q=words") if f" {key}" in site.models.pages] == []


async def test_an_answer_that_is_too_long_is_not_kept(
    asker: Asker, models: Models, people: People, lines: Lines
) -> None:
    post = await models.writing.create(Draft("Long", "", "words " * (LARGEST // 6), ()), by=people.alice, publish=True)
    for _ in range(4):
        answer = await asker.ask(f"/blog/{post.id}-long")

    assert len(answer) > LARGEST
    assert "page" not in {line["cache"] for line in lines()}


async def test_languages_do_not_meet(asker: Asker, town: Town) -> None:
    english = await asker.until_kept("/", "Accept-Language: en\r\n")
    chinese = await asker.until_kept("/", "Accept-Language: zh\r\n")

    assert b'<html lang="en">' in english
    assert b'<html lang="zh-CN">' in chinese
    assert await asker.until_kept("/", "Accept-Language: en\r\nCookie: lang=zh\r\n") == chinese
    assert await asker.until_kept("/", "Accept-Language: fr\r\nCookie: slang=zh\r\n") == english


async def test_the_sites_own_language_is_the_one_it_has_now(
    asker: Asker, models: Models, people: People, town: Town
) -> None:
    assert b'<html lang="en">' in await asker.until_kept("/")
    await models.sites.edit({"language": "zh"}, by=people.ada)

    assert b'<html lang="zh-CN">' in await asker.ask("/")
    assert b'<html lang="zh-CN">' in await asker.until_kept("/")
    assert b'<html lang="en">' in await asker.until_kept("/", "Accept-Language: en\r\n")


async def test_what_is_shown_under_the_settings_names_while_mysql_is_away_is_not_kept(
    asker: Asker, mysql_wire: Wire, models: Models, people: People, town: Town, lines: Lines
) -> None:
    """All of the page is in Redis but for what an administrator has edited of the site."""
    await models.sites.edit({"title": "The name that was edited"}, by=people.ada)
    await asker.until_kept(town.path)
    await mysql_wire.cut()
    await models.cache.drop([ALL_OF_SITE(1)])
    for _ in range(4):
        answer = await asker.ask(town.path + "?x")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"The name that was edited" not in answer
        assert not asker.kept()
    await mysql_wire.mend()

    assert b"The name that was edited" in await asker.until_kept(town.path + "?x")


class Personal(JsonAnswer):
    async def get(self) -> None:
        await self.identify()
        self.answer({"for": self.user.name if self.user else ""})


class Private(JsonAnswer):
    async def get(self) -> None:
        self.set_header("Cache-Control", "private")
        self.answer({})


class Baker(JsonAnswer):
    async def get(self) -> None:
        self.set_cookie("a", "b")
        self.answer({})


class Piecemeal(JsonAnswer):
    async def get(self) -> None:
        self.write("one")
        await self.flush()
        self.finish("two")


@pytest.mark.parametrize("handler", [Personal, Private, Baker, Piecemeal])
async def test_a_handler_that_says_it_is_public_but_is_not_is_found_out(
    handler: type[JsonAnswer], asker: Asker, site: Running, lines: Lines
) -> None:
    web = site.application
    web.add_handlers(".*", [("/careless", handler, {"app": web.app, "route": "careless"})])
    for _ in range(4):
        assert (await asker.ask("/careless")).startswith(b"HTTP/1.1 200 ")

    assert "page" not in {line["cache"] for line in lines()}


async def test_who_writes_sees_it_at_once(asker: Asker, bob: Browser, town: Town, lines: Lines) -> None:
    for n in range(5):
        await asker.until_kept(town.path)
        answer = await bob.post(f"/blog/{town.post.id}/comments", {"body": f"Number {n}."}, follow=True)
        assert f"Number {n}." in answer.text
        assert f"Number {n}.".encode() in await asker.ask(town.path)


@pytest.fixture
def elsewhere(io_loop: IOLoop, settings: Settings, databases: Databases) -> Iterator[Models]:
    """Another process, which reaches Redis beside the wire of the test."""
    straight = settings.model_copy(update={"redis_url": f"unix://{databases.redis_socket}?db=0"})
    straight.__dict__.pop("redis", None)  # the address that was found before is copied too
    context = connected(straight)
    yield io_loop.run_sync(context.__aenter__)
    io_loop.run_sync(lambda: context.__aexit__(None, None, None))


async def test_who_is_signed_in_sees_what_was_written_elsewhere_however_late_that_is_told(
    asker: Asker, site: Running, bob: Browser, town: Town, elsewhere: Models, redis_wire: Wire
) -> None:
    """The pushes of the other process' write hang on the wire. Others may get what is 0.3 s old; a member may not."""
    key, still_open = f" {town.path}", False
    for n in range(20):  # on a busy machine 0.3 s are over before the question is asked; then it proves nothing
        while not site.models.pages.get(key):  # until it is answered without a trip
            await asker.until_kept(town.path)
        async with elsewhere.db.connection() as connection:
            await connection.execute("UPDATE comments SET body_html = %s WHERE id = %s", f"Words {n}.", town.talk.id)
        redis_wire.hang()
        ended = await elsewhere.cache.end([COMMENT(town.talk.id)], elsewhere.cache.writer())  # what a write does last
        still_open = ended and site.models.pages.get(key) is not None
        asked = asyncio.ensure_future(bob.get(town.path))
        while not site.application.waiting and not asked.done():  # noqa: ASYNC110 - nobody tells that a question has come
            await asyncio.sleep(0)
        await redis_wire.mend()

        assert f"Words {n}." in (await asked).text or not ended
        if still_open:
            break
    assert still_open


@pytest.mark.parametrize("choices", [{"comments_per_minute": 1000}])
async def test_after_a_post_to_one_process_the_page_of_another_shows_it(
    bob: Browser, town: Town, settings: Settings, http_client: AsyncHTTPClient
) -> None:
    async with running(settings) as other:
        server = HTTPServer(other.application)
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        there = Browser(http_client, f"http://127.0.0.1:{sockets[0].getsockname()[1]}", other.models)
        there.cookies = bob.cookies
        for n in range(20):
            await bob.post(f"/blog/{town.post.id}/comments", {"body": f"Number {n}."})
            assert f"Number {n}." in (await there.get(town.path)).text
            for _ in range(3):
                await there.get(town.path)  # it is kept there when the next one comes
        server.stop()
        await server.close_all_connections()


async def test_a_page_that_has_changed_is_made_once_however_many_ask_for_it(
    asker: Asker, browse: Callable[[], Browser], models: Models, town: Town, people: People, lines: Lines
) -> None:
    await asker.until_kept(town.path)
    before = len(lines())
    await models.comments.create(town.post.id, "One more.", by=people.alice)
    answers = await asyncio.gather(*(browse().get(town.path) for _ in range(20)))

    assert all("One more." in answer.text for answer in answers)
    assert [line["cache"] for line in lines()[before:]].count("page") == 19


@pytest.mark.parametrize("choices", [{"l1_memory": 0}])
async def test_without_l1_a_page_that_was_made_before_is_one_trip(
    asker: Asker, town: Town, people: People, models: Models, counted: Counted
) -> None:
    for path in ("/", town.path, f"/api/blogs/{town.post.id}", "/feed.atom"):
        kept = await asker.until_kept(path)
        counted.clear()

        assert await asker.ask(path) == kept
        assert asker.kept()
        assert (counted.trips, counted.statements) == (1, [])
    await models.comments.create(town.post.id, "One more.", by=people.alice)
    assert b"One more." in await asker.ask(town.path)


@pytest.mark.parametrize("choices", [{"l1_memory": 0}])
async def test_while_redis_is_away_pages_are_made_and_afterwards_kept_again(
    asker: Asker, town: Town, redis_wire: Wire, lines: Lines
) -> None:
    kept = await asker.until_kept(town.path)
    await redis_wire.cut()
    for _ in range(3):
        assert await asker.ask(town.path) == kept
        assert not asker.kept()
    await redis_wire.mend()

    assert await asker.until_kept(town.path) == kept
