"""Addresses: each thing has one, old ones lead to it, and what readers may not see has none."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from models import Models
from models.imports import Imported
from models.writing import Draft
from tests.handlers.conftest import Town
from tests.harness.browser import Browser
from tests.harness.people import People

SECRETS = (b"DRAFT-WORDS", b"draft-words", b"TRASHED-WORDS", b"trashed-words")


NUMBERS = (
    ("1", 301, "/"), ("01", 301, "/"), ("2", 200, ""), ("02", 301, "/page/2"), ("3", 302, "/page/2"),
    ("99999", 302, "/page/2"), ("0", 404, ""), ("-1", 404, ""), ("x", 404, ""), ("1.0", 404, ""), ("1e3", 404, ""),
    ("+2", 404, ""), ("%20" + "2", 404, ""), ("²", 404, ""), ("٢", 404, ""), ("1" + "0" * 30, 404, ""), ("0x2", 404, ""),
)  # fmt: skip


async def test_a_page_number_is_a_page_or_leads_to_one_or_is_nothing(models: Models, visitor: Browser) -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    for n in range(11):
        file = Imported(f"{n}", f"{n}", "", "x", ("t",), "Ann", None, at + timedelta(hours=n), (), "")
        await models.imports.post(file)
    for number, status, location in NUMBERS:
        for prefix in ("", "/tag/t", "/user/5"):
            answer = await visitor.get(f"{prefix}/page/{quote(number, safe='%+')}")
            led = ((prefix + location).rstrip("/") or "/") if location else ""

            assert (answer.status, answer.location) == (status, led), f"{prefix}/page/{number}"


async def test_a_slug_that_is_old_or_wrong_leads_to_the_post(
    town: Town, people: People, models: Models, visitor: Browser
) -> None:
    await models.writing.edit(town.post.id, Draft("New title", "", "x", ()), by=people.alice)
    for old in ("-a-post", "-whatever", "", "-A-Post", "-%E4%B8%AD"):
        answer = await visitor.get(f"/blog/{town.post.id}{old}")
        assert (answer.status, answer.location) == (301, f"/blog/{town.post.id}-new-title")

    assert (await visitor.get(f"/blog/{town.post.id}-new-title")).status == 200


async def test_a_chinese_title_keeps_its_characters(models: Models, people: People, visitor: Browser) -> None:
    post = await models.writing.create(Draft("发布 Rust 1.0", "", "x", ("中文",)), by=people.alice, publish=True)
    led = await visitor.get(f"/blog/{post.id}")
    shown = await visitor.get(led.location)

    assert led.location.startswith(f"/blog/{post.id}-%E5%8F%91%E5%B8%83")
    assert shown.status == 200
    assert "发布 Rust 1.0" in shown.text
    assert (await visitor.get("/tag/%E4%B8%AD%E6%96%87")).status == 200


async def test_an_imported_alias_leads_to_its_post_with_or_without_a_slash(models: Models, visitor: Browser) -> None:
    at = datetime(2015, 5, 15, tzinfo=UTC)
    file = Imported("a.md", "First", "", "x", (), "Ann", None, at, ("/2015/05/15/first.html", "old/中文"), "")
    await models.imports.post(file)
    for path in ("/2015/05/15/first.html", "/2015/05/15/first.html/"):
        answer = await visitor.get(path)
        assert (answer.status, answer.location) == (301, "/blog/1-first")

    assert (await visitor.get("/2015/05/15/second.html")).status == 404


async def test_a_tag_in_capitals_leads_to_the_tag(town: Town, visitor: Browser) -> None:
    answer = await visitor.get("/tag/NEWS")

    assert (answer.status, answer.location) == (301, "/tag/news")


async def test_an_unknown_address_is_a_page_of_the_site_and_json_below_api(visitor: Browser) -> None:
    page, call = await visitor.get("/nothing/here"), await visitor.get("/api/nothing/here")

    assert page.status == call.status == 404
    assert "<!doctype html>" in page.text.lower()
    assert call.json()["error"] == "value:notfound"


async def test_no_reader_meets_a_draft_or_the_trash_by_any_route(
    town: Town, people: People, models: Models, visitor: Browser, bob: Browser
) -> None:
    trashed_comments = await models.db.fetch("SELECT id FROM comments WHERE post_id = %s", town.trashed.id)
    routes = [
        "/", "/archive", "/api/blogs", "/api/comments", f"/user/{people.alice.id}", f"/user/{people.bob.id}", town.path,
        f"/archive/{datetime.now(UTC):%Y-%m}", "/tag/drafts", "/tag/trash", "/tag/news", "/nothing",
        f"/comments/{trashed_comments[0][0]}",
    ]  # fmt: skip
    for post in (town.draft, town.trashed):
        routes += [
            f"/blog/{post.id}", f"/blog/{post.id}-{post.slug}", f"/api/blogs/{post.id}", f"/api/v1/me?on=/blog/{post.id}",
            f"/manage/blogs/preview?id={post.id}", f"/manage/blogs/edit?id={post.id}", "/manage/blogs",
        ]  # fmt: skip
    for browser in (visitor, bob):
        for path in routes:
            answer = await browser.get(path)
            found = [word for word in SECRETS if word in answer.body and word.decode() not in path]
            assert found == [], path
        for post in (town.draft, town.trashed):
            answer = await browser.post(f"/blog/{post.id}/comments", {"body": "hello"})
            assert answer.status == 404
            assert not any(word in answer.body for word in SECRETS)


async def test_a_draft_is_previewed_by_editors_alone_and_kept_nowhere(
    town: Town, alice: Browser, bob: Browser, visitor: Browser
) -> None:
    path = f"/manage/blogs/preview?id={town.draft.id}"
    shown = await alice.get(path)

    assert shown.status == 200
    assert "DRAFT-WORDS" in shown.text
    assert "no-store" in shown.headers["Cache-Control"]
    assert (await bob.get(path)).status == 403
    assert (await visitor.get(path)).location.startswith("/signin?next=")
