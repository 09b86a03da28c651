"""Answers that are remembered whole: the very bytes the handler would send, and as well accounted for."""

import asyncio
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from models import Models, slow
from models.logs import Journal
from server import Running, running
from settings import Settings
from tests.handlers.asking import INSIDE, Asker
from tests.handlers.conftest import Town
from tests.handlers.ranks import built
from tests.handlers.table import TABLE
from tests.handlers.test_permissions import filled
from tests.harness.browser import Browser
from tests.harness.people import People

NEVER = {
    "search",
    "healthz",
    "metrics",
    "readyz",
    "file_d",
    "file_i",
    "me",
    "register",
    "signin",
    "forgot",
}  # routes that answer 200 and are never kept
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


def public_paths(town: Town, people: People) -> list[tuple[str, str]]:
    return [
        (line.name, filled(line.path, town, people))
        for line in TABLE if line.method == "GET" and line.statuses == (200,) * 5
    ]  # fmt: skip


async def test_what_is_kept_are_the_very_bytes_that_the_handler_sends(
    asker: Asker, town: Town, people: People, site: Running
) -> None:
    for board in await site.models.boards.listed():
        await built(site.models, board)
    seen = set()
    for name, path in public_paths(town, people):
        if name in NEVER:
            continue
        seen.add(name)
        for language in ("", "Accept-Language: zh-CN\r\n", "Cookie: a=b; lang=zh\r\n"):
            kept = await asker.until_kept(path, language)

            made = await asker.ask(path, language + INSIDE)
            assert not asker.kept
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
        "boards",
        "board",
        "v1_board",
        "v1_player",
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
                assert asker.kept, more
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


async def test_languages_do_not_meet(asker: Asker, town: Town) -> None:
    english = await asker.until_kept("/", "Accept-Language: en\r\n")
    chinese = await asker.until_kept("/", "Accept-Language: zh\r\n")

    assert b'<html lang="en">' in english
    assert b'<html lang="zh-CN">' in chinese
    assert await asker.until_kept("/", "Accept-Language: en\r\nCookie: lang=zh\r\n") == chinese
    assert await asker.until_kept("/", "Accept-Language: fr\r\nCookie: slang=zh\r\n") == english


async def test_a_page_that_has_changed_is_made_once_however_many_ask_for_it(
    asker: Asker, browse: Callable[[], Browser], models: Models, town: Town, people: People, lines: Lines
) -> None:
    await asker.until_kept(town.path)
    before = len(lines())
    await models.comments.create(town.post.id, "One more.", by=people.alice)
    answers = await asyncio.gather(*(browse().get(town.path) for _ in range(20)))

    assert all("One more." in answer.text for answer in answers)
    made = [line for line in lines()[before:] if line["cache"] != "page"]
    assert 1 <= len(made) <= 3  # who comes just between the check and the turn makes it too
