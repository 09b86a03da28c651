"""Feeds: what feed readers make of them, and that nothing that must not be read gets into one."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest

from models import Models
from models.posts import Post
from models.writing import Draft
from tests.handlers.json_feed import faults
from tests.harness.browser import Answer, Browser
from tests.harness.people import People

KINDS = ("atom", "rss", "json")
MD = "第一段。\n\n[inside](/about) [here](#there) ![picture](a%20b.png)\n\n```python\nif a < b: print('href=\"/x\"')\n```\n"


async def publish(models: Models, people: People, title: str, md: str = MD, tags: tuple[str, ...] = ("cache",)) -> Post:
    return await models.writing.create(Draft(title, "In short.", md, tags), by=people.alice, publish=True)


def read(answer: Answer) -> Any:
    """As feedparser reads it; a feed that it has to guess at fails. JSON Feed, which it does not know, in the same shape."""
    assert answer.status == 200
    if "json" in answer.headers["Content-Type"]:
        assert faults(answer.json()) == []
        return _like_feedparser(answer.json())
    ElementTree.fromstring(answer.body)  # noqa: S314 - our own
    parsed = feedparser.parse(answer.body, response_headers={"content-type": answer.headers["Content-Type"]})
    assert not parsed.bozo, parsed.get("bozo_exception")
    return parsed


def _like_feedparser(feed: dict[str, Any]) -> Any:
    entries = [
        SimpleNamespace(
            id=item["id"], link=item["url"], title=item["title"], summary=item.get("summary"),
            author=item["authors"][0]["name"], tags=[SimpleNamespace(term=tag) for tag in item.get("tags", ())],
            published_parsed=item["date_published"], content=[SimpleNamespace(value=item["content_html"])],
        )
        for item in feed["items"]
    ]  # fmt: skip
    return SimpleNamespace(feed=SimpleNamespace(title=feed["title"]), entries=entries)


@pytest.fixture
def reader(browse: Callable[[], Browser]) -> Browser:
    return browse()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_feed_has_the_newest_posts_with_their_whole_text(
    kind: str, reader: Browser, models: Models, people: People
) -> None:
    for n in range(22):
        post = await publish(models, people, f"四层缓存 & <{n}>")

    answer = await reader.get(f"/feed.{kind}")
    parsed = read(answer)
    first = parsed.entries[0]
    base = models.sites.defaults.url

    assert len(parsed.entries) == 20
    assert parsed.feed.title == "Plaza"
    assert (first.title, first.summary) == ("四层缓存 & <21>", "In short.")
    assert first.id == f"{base}/blog/{post.id}"
    assert first.link.startswith(f"{base}/blog/{post.id}-")
    assert first.author == "Alice"
    assert [tag.term for tag in first.tags] == ["cache"]
    assert first.published_parsed is not None
    html = first.content[0].value
    assert "<p>第一段。</p>" in html
    assert f'href="{base}/about"' in html
    assert f'href="{first.link}#there"' in html
    assert f'src="{base}/blog/a%20b.png"' in html
    assert 'href="/x"' in re.sub(r"<[^>]*>|&quot;", lambda tag: '"' if tag[0] == "&quot;" else "", html)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_empty_site_has_good_feeds(kind: str, reader: Browser) -> None:
    parsed = read(await reader.get(f"/feed.{kind}"))

    assert parsed.entries == []
    assert parsed.feed.title == "Plaza"


@pytest.mark.parametrize("kind", KINDS)
async def test_tags_and_authors_have_feeds_of_their_own(
    kind: str, reader: Browser, models: Models, people: People
) -> None:
    await publish(models, people, "One", tags=("缓存",))
    await publish(models, people, "Two", tags=("other",))
    await models.writing.create(Draft("Three", "", "x", ()), by=people.olga, publish=True)

    tagged = read(await reader.get(f"/tag/%E7%BC%93%E5%AD%98/feed.{kind}"))
    written = read(await reader.get(f"/user/{people.alice.id}/feed.{kind}"))
    none = read(await reader.get(f"/user/{people.bob.id}/feed.{kind}"))

    assert [entry.title for entry in tagged.entries] == ["One"]
    assert tagged.feed.title == "缓存 · Plaza"
    assert [entry.title for entry in written.entries] == ["Two", "One"]
    assert written.feed.title == "Alice · Plaza"
    assert none.entries == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_posts_comments_are_a_feed_with_replies_and_without_what_was_trashed(
    kind: str, reader: Browser, models: Models, people: People
) -> None:
    post = await publish(models, people, "Talk")
    first = await models.comments.create(post.id, "A *question*", by=people.bob)
    await models.comments.create(post.id, "An answer, [here](/about)", by=people.alice, parent_id=first.id)
    spam = await models.comments.create(post.id, "Spam", by=people.bob)
    await models.comments.trash(spam.id, by=people.alice)

    parsed = read(await reader.get(f"/blog/{post.id}/feed.{kind}"))

    assert [entry.author for entry in parsed.entries] == ["Alice", "Bob"]
    assert parsed.entries[1].link.endswith(f"/blog/{post.id}-talk#comment-{first.id}")
    assert "<em>question</em>" in parsed.entries[1].content[0].value
    assert f'href="{models.sites.defaults.url}/about"' in parsed.entries[0].content[0].value
    assert parsed.feed.title == "Comments on Talk · Plaza"


@pytest.mark.parametrize("kind", KINDS)
async def test_only_what_is_published_is_in_a_feed_and_a_change_is_there_at_once(
    kind: str, reader: Browser, models: Models, people: People
) -> None:
    kept = await publish(models, people, "Kept")
    taken = await publish(models, people, "Taken back")
    await models.writing.create(Draft("Secret draft", "", "secret", ("cache",)), by=people.alice)
    before = [entry.title for entry in read(await reader.get(f"/feed.{kind}")).entries]
    await models.publishing.unpublish(taken.id, by=people.alice)
    await models.writing.edit(kept.id, Draft("Kept, better", "", "y", ("cache",)), by=people.alice)

    for path in ("/feed", "/tag/cache/feed", f"/user/{people.alice.id}/feed"):
        assert [entry.title for entry in read(await reader.get(f"{path}.{kind}")).entries] == ["Kept, better"]
    assert before == ["Taken back", "Kept"]
    assert (await reader.get(f"/blog/{taken.id}/feed.{kind}")).status == 404


@pytest.mark.parametrize("kind", KINDS)
async def test_who_has_the_feed_already_gets_304(kind: str, reader: Browser, models: Models, people: People) -> None:
    post = await publish(models, people, "One")
    answer = await reader.get(f"/feed.{kind}")
    tag = answer.headers["Etag"]

    again = await reader.get(f"/feed.{kind}", if_none_match=tag)
    zipped = await reader.get(f"/feed.{kind}", if_none_match=f"W/{tag}")  # as Nginx says it of a compressed answer
    head = await reader.request("HEAD", f"/feed.{kind}")
    await models.writing.edit(post.id, Draft("Two", "", "x", ()), by=people.alice)
    changed = await reader.get(f"/feed.{kind}", if_none_match=tag)

    assert (again.status, again.body, zipped.status) == (304, b"", 304)
    assert (head.status, head.body, head.headers["Etag"]) == (200, b"", tag)
    assert head.headers["Content-Length"] == str(len(answer.body))
    assert changed.status == 200
    assert answer.headers["Cache-Control"] == "public, max-age=0, must-revalidate"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_feed_is_the_same_for_every_reader(
    kind: str, reader: Browser, alice: Browser, models: Models, people: People
) -> None:
    await publish(models, people, "One")

    mine = await alice.get(f"/feed.{kind}", accept_language="zh")
    theirs = await reader.get(f"/feed.{kind}", accept_language="en")

    assert mine.body == theirs.body
    assert "Accept-Language" not in mine.headers.get("Vary", "")
    assert mine.set_cookies == []


@pytest.mark.parametrize("kind", KINDS)
async def test_signs_that_xml_cannot_write_and_hostile_text_do_no_harm(
    kind: str, reader: Browser, models: Models, people: People
) -> None:
    title = "a\x0b\x01\ufffeb ]]> <script>alert(1)</script> &amp; \U0001f600"
    md = "x ]]> y\x08z &#1; <script>alert(1)</script>\n\n<a title=' href=' href='/q?a=1&b=2'>l</a> <!-- -- -->"
    await publish(models, people, title, md, tags=("a&b",))

    entry = read(await reader.get(f"/feed.{kind}")).entries[0]

    html = entry.content[0].value
    assert entry.title.endswith("b ]]> <script>alert(1)</script> &amp; \U0001f600")
    assert "<script" not in html
    assert "]]&gt; y" in html
    assert f'href="{models.sites.defaults.url}/q?a=1&amp;b=2"' in html
    assert [tag.term for tag in entry.tags] == ["a&b"]


async def test_the_names_of_the_site_are_those_that_an_administrator_gave_it(
    reader: Browser, models: Models, people: People
) -> None:
    before = await reader.get("/feed.atom")
    words = {"title": "四 & <five>", "tagline": "", "logo": "/static/logo.png", "language": "zh"}
    await models.sites.edit(words, by=people.ada)

    base = models.sites.defaults.url
    atom, rss = read(await reader.get("/feed.atom")), read(await reader.get("/feed.rss"))
    json = (await reader.get("/feed.json")).json()

    assert read(before).feed.title == "Plaza"
    assert [feed["title"] for feed in (atom.feed, rss.feed, json)] == ["四 & <five>"] * 3
    assert (atom.feed.logo, rss.feed.image.href, json["icon"]) == (f"{base}/static/logo.png",) * 3
    assert (rss.feed.language, json["language"]) == ("zh-CN", "zh-CN")


async def test_addresses_of_feeds_that_are_not_there(reader: Browser, models: Models, people: People) -> None:
    draft = await models.writing.create(Draft("Draft", "", "x", ()), by=people.alice)
    await publish(models, people, "One")

    for path in ("/tag/none/feed.atom", "/user/999/feed.rss", f"/blog/{draft.id}/feed.json", "/feed.xml", "/feed"):
        assert (await reader.get(path)).status == 404, path
    upper = await reader.get("/tag/Cache/feed.atom")
    assert (upper.status, upper.location) == (301, "/tag/cache/feed.atom")
    assert (await reader.post("/feed.atom")).status == 405


async def test_pages_name_their_feeds(reader: Browser, models: Models, people: People) -> None:
    post = await publish(models, people, "One", tags=("缓存",))
    pages = {
        "/": 3, "/archive": 3, "/tag/%E7%BC%93%E5%AD%98": 6, f"/user/{people.alice.id}": 6, f"/blog/{post.id}-one": 6,
    }  # fmt: skip

    for path, count in pages.items():
        page = (await reader.get(path)).text
        links = re.findall(r'<link rel="alternate" type="([^"]+)" title="[^"]+" href="([^"]+)">', page)
        assert len(links) == count, path
        for kind, href in links:
            assert (await reader.get(href)).headers["Content-Type"].startswith(kind), href
