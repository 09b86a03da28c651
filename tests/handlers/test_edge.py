"""Nginx's store with a real Nginx before the site: what lies in it, under which key, and how it goes out. No worker is there."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from models import Models
from models.writing import Draft
from settings import Settings
from tests.cache.steps import until
from tests.handlers.conftest import Town
from tests.handlers.edge import Store, cache, text
from tests.harness.browser import Browser
from tests.harness.people import People
from tests.harness.site import nginx_before


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"trusted_proxies": ("127.0.0.0/8",), "page_ttl": 60}


@pytest.fixture
def base_url(settings: Settings, http_port: int) -> Iterator[str]:
    """All browsers of these tests come through Nginx."""
    with nginx_before(settings, http_port) as url:
        yield url


@pytest.fixture
def store(settings: Settings, base_url: str) -> Store:
    return Store(settings)


async def test_what_one_reader_has_had_made_the_next_gets_from_nginx(visitor: Browser, town: Town) -> None:
    for path in ("/", town.path, "/feed.atom", "/api/blogs", "/api/v1/polls", f"/p/{town.file.stored_name}"):
        first, second = await visitor.get(path), await visitor.get(path)

        assert (first.status, cache(first), second.status, cache(second)) == (200, "MISS", 200, "HIT"), path
        assert first.body == second.body
        assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
        assert len(second.headers.get_list("X-Request-Id")) == 1
        for name in ("Etag", "Content-Security-Policy", "Content-Type", "Cache-Control", "Content-Language"):
            assert first.headers.get(name) == second.headers.get(name)
        assert not {"X-Accel-Expires", "Surrogate-Key"} & set(second.headers)


async def test_what_is_not_for_everybody_or_for_ever_new_is_not_stored(
    visitor: Browser, store: Store, town: Town
) -> None:
    file = town.file.stored_name
    for path in (
        "/search?q=words",
        "/healthz",
        "/readyz",
        "/signin",
        "/api/v1/me",
        f"/i/{file}",
        "/api/nothing",
        "/nothing",
    ):
        assert cache(await visitor.get(path)) == "", path

    assert store.files == []


async def test_each_form_is_stored_as_it_goes_out(visitor: Browser, store: Store, town: Town) -> None:
    first = [await visitor.get(town.path), await visitor.get(town.path, accept_encoding="br, gzip;q=0.9")]
    plain, small = await visitor.get(town.path), await visitor.get(town.path, accept_encoding="gzip")
    refusing = await visitor.get(town.path, accept_encoding="gzip;q=0")

    assert [cache(answer) for answer in (*first, plain, small, refusing)] == ["MISS", "MISS", "HIT", "HIT", "HIT"]
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert int(plain.headers["Content-Length"]) == len(plain.body)  # it was not unpacked on its way
    assert text(small) == plain.text == refusing.text
    assert store.entry(f" {town.path}").endswith(plain.body)
    assert store.entry(f"-gzip {town.path}").endswith(small.body)
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in small.headers["Vary"]


@pytest.mark.parametrize("form", ["gzip", "identity"])
async def test_who_has_the_page_already_is_told_so_by_nginx(visitor: Browser, town: Town, form: str) -> None:
    first = await visitor.get(town.path, accept_encoding=form)
    tag = first.headers["Etag"]
    known = [tag, tag.removeprefix("W/"), f'"other", {tag}', "*"]
    again = [await visitor.get(town.path, accept_encoding=form, if_none_match=one) for one in known]
    other = await visitor.get(town.path, accept_encoding=form, if_none_match='"other"')

    assert [(answer.status, cache(answer), answer.body) for answer in again] == [(304, "HIT", b"")] * 4
    assert {answer.headers["Etag"] for answer in again} == {tag}
    assert other.status == 200


async def test_head_and_get_are_one_entry(visitor: Browser, store: Store, town: Town) -> None:
    head = await visitor.request("HEAD", town.path, headers={"Accept-Encoding": "gzip"})
    page = await visitor.get(town.path, accept_encoding="gzip")

    assert (head.status, cache(head), head.body) == (200, "MISS", b"")
    assert (page.status, cache(page)) == (200, "HIT")
    assert head.headers["Etag"] == page.headers["Etag"]
    assert len(store.files) == 1


async def test_a_part_of_a_stored_page_is_a_part_of_it(visitor: Browser, town: Town) -> None:
    whole = await visitor.get(town.path, accept_encoding="gzip")
    part = await visitor.get(town.path, accept_encoding="gzip", range="bytes=10-19")
    plain = await visitor.get(town.path, range="bytes=10-19")

    assert part.status in (200, 206)
    assert part.body == (whole.body[10:20] if part.status == 206 else whole.body)
    assert plain.status == 200
    assert plain.text == text(whole)


async def test_a_reader_of_old_gets_it_too(visitor: Browser, town: Town) -> None:
    await visitor.get(town.path)
    old = await visitor.raw(f"GET {town.path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())

    assert old.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"X-Cache: HIT\r\n" in old
    assert old.endswith(b"</html>") or old.rstrip().endswith(b"</html>")


async def test_each_language_and_none_is_a_page_of_its_own(visitor: Browser, store: Store) -> None:
    wanted: list[tuple[dict[str, str], str, str]] = [
        ({"Accept-Language": "zh", "Cookie": "a=b; lang=en"}, "en", "en"), ({"Accept-Language": "zh-TW"}, "zh", "zh-CN"),
        ({}, "", "en"), ({"Accept-Language": "fr, zh"}, "", "en"), ({"Accept-Language": "en-GB,zh"}, "en", "en"),
        ({"Cookie": "lang=zh"}, "zh", "zh-CN"), ({"Cookie": "lang=klingon", "Accept-Language": "ZH"}, "zh", "zh-CN"),
    ]  # fmt: skip
    for headers, _, shown in wanted:
        page = await visitor.request("GET", "/about", headers=headers)
        assert f'<html lang="{shown}"' in page.text, headers

    assert len(store.files) == 3
    for variant in ("", "en", "zh"):
        assert store.entry(f"{variant} /about")


async def test_unknown_parameters_make_no_page_of_their_own_and_reach_nobody(visitor: Browser, store: Store) -> None:
    whole = await visitor.get("/boards?after=0")
    for n in range(1000):
        assert (await visitor.get(f"/boards?utm_{n}={n}&after=0&x={n}")).body == whole.body
    front = [await visitor.get(f"/?{n}=%ff&after={n}") for n in range(50)]

    assert {answer.status for answer in front} == {200}
    assert len(store.files) == 2
    assert "utm_" not in whole.text + front[0].text


async def test_known_parameters_count_in_any_order(visitor: Browser, store: Store, town: Town) -> None:
    board = f"/boards/{town.board.slug}"
    first = await visitor.get(f"{board}?n=100&window=day")
    second = await visitor.get(f"{board}?window=day&n=100")
    other = await visitor.get(f"{board}?n=100")

    assert [cache(answer) for answer in (first, second, other)] == ["MISS", "HIT", "MISS"]
    assert store.entry(f" {board}?window=day&n=100")
    assert store.entry(f" {board}?n=100")


async def test_no_spelling_of_one_address_is_the_page_of_another(
    visitor: Browser, models: Models, people: People, town: Town
) -> None:
    await models.writing.create(Draft("Other", "", "OTHER-WORDS", ()), by=people.alice, publish=True)
    right = (await visitor.get("/about")).text
    one = town.path
    for odd in (
        f"{one}%2F..%2F..%2Fabout", "/blog/..%2fabout", "/x/../about", "/./about", "//about", "/%61bout", "/about%23x",
        "/about;x", f"/blog/9-x%2F..%2F{one[6:]}", "/tag/..%2f..%2fabout", "/about#x", "/about%3Fx=1", "/about%00",
    ):  # fmt: skip
        await visitor.raw(f"GET {odd} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert (await visitor.get("/about")).text == right, odd
        assert "The <em>words</em>" in (await visitor.get(one)).text, odd
    for odd in ("/about%3Fx=1", "/about%23x", "/x/../about"):  # nor is it given one
        assert (await visitor.raw(f"GET {odd} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()))[
            9:12
        ] == b"404", odd


async def test_a_member_leaves_nothing_of_theirs_in_the_store(
    alice: Browser, visitor: Browser, store: Store, town: Town
) -> None:
    mine = await alice.get(town.path, user_agent="ALICE-AGENT", referer="https://example.org/ALICE-AGENT")
    theirs = await visitor.get(town.path)

    assert (cache(mine), cache(theirs)) == ("MISS", "HIT")
    assert mine.body == theirs.body
    assert not mine.set_cookies + theirs.set_cookies
    entry = store.entry(f" {town.path}")
    assert entry
    assert alice.cookies["plaza"].encode() not in entry
    assert b"Set-Cookie" not in entry
    assert b"ALICE-AGENT" not in entry


async def test_who_asks_by_token_or_for_times_gets_an_answer_of_their_own(
    visitor: Browser, alice: Browser, store: Store, town: Town
) -> None:
    await visitor.get(town.path)
    token = await visitor.get(town.path, authorization="Bearer nonsense")
    times = await alice.get(town.path, x_plaza_timing="1")
    other = await visitor.get("/about", authorization="Basic x")

    assert cache(token) == cache(times) == cache(other) == "BYPASS"
    assert "ms" in times.json()
    assert times.headers["Cache-Control"] == "private, no-store"
    assert (await visitor.get(town.path)).text.startswith("<!doctype html>")
    assert len(store.files) == 1


async def test_a_strange_host_is_refused_though_the_page_is_stored(visitor: Browser) -> None:
    await visitor.get("/about")
    strange = await visitor.get("/about", host="evil.example.com")

    assert strange.status == 421
    assert cache(await visitor.get("/about")) == "HIT"


async def test_what_accepts_something_else_gets_what_there_is(visitor: Browser) -> None:
    odd = await visitor.get("/api/v1/polls", accept="text/html")
    usual = await visitor.get("/api/v1/polls", accept="application/json")

    assert (odd.status, usual.status, cache(usual)) == (200, 200, "HIT")


async def test_a_body_where_none_belongs_is_not_stored(visitor: Browser, store: Store) -> None:
    answer = await visitor.request("GET", "/about", body=b"x=1")

    assert answer.status == 200
    assert store.files == []


async def test_writing_to_a_stored_address_goes_through_as_it_is(alice: Browser, town: Town) -> None:
    await alice.get("/api/blogs")
    made = await alice.post_json("/api/blogs?x=1", {"name": "New", "content": "words"})

    assert made.status == 201
    assert cache(made) == ""
    assert "New" in (await alice.get("/api/blogs")).text


async def test_the_log_says_where_the_answer_came_from(visitor: Browser, settings: Settings) -> None:
    await visitor.get("/about?who=cares", accept_language="zh")
    await visitor.get("/about", accept_language="zh")
    log = settings.var / "log" / "access.log"
    await until(lambda: log.read_text().count("\n") == 2)

    found = [re.findall(r'"cache":"(\w*)","variant":"(\w*)"', line)[0] for line in log.read_text().splitlines()]
    assert found == [("MISS", "zh"), ("HIT", "zh")]


async def test_the_whole_front_page_is_small_on_the_wire(
    visitor: Browser, models: Models, people: People, town: Town
) -> None:
    for n in range(10):
        await models.writing.create(
            Draft(f"Title {n}", "A few words on it. " * 8, "words", ("news",)), by=people.alice, publish=True
        )
    page = await visitor.get("/", accept_encoding="gzip")
    links = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js|mjs))"', text(page))
    parts = [await visitor.get(link, accept_encoding="gzip") for link in links]

    assert len(links) >= 2
    assert {part.headers["Content-Encoding"] for part in (page, *parts)} == {"gzip"}
    assert all("immutable" in part.headers["Cache-Control"] for part in parts)
    assert sum(len(part.body) for part in (page, *parts)) <= 40_000
