"""The sitemap, robots.txt, llms.txt, and what the head of a page tells programs."""

import json
import re
from collections.abc import Callable
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import pytest

from models import Models
from models.posts import PER_PART, Post
from models.writing import Draft
from tests.harness.browser import Browser
from tests.harness.counting import Counted
from tests.harness.people import People

NS = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


async def publish(models: Models, people: People, title: str, md: str = "Text.") -> Post:
    return await models.writing.create(Draft(title, "", md, ("缓存",)), by=people.alice, publish=True)


@pytest.fixture
def reader(browse: Callable[[], Browser]) -> Browser:
    return browse()


async def places(reader: Browser, path: str) -> dict[str, str | None]:
    """Each address of a sitemap, and when it last changed."""
    answer = await reader.get(path)
    assert answer.status == 200, path
    assert answer.headers["Content-Type"] == "application/xml; charset=UTF-8"
    root = ElementTree.fromstring(answer.body)  # noqa: S314 - our own
    return {str(entry.findtext(f"{NS}loc")): entry.findtext(f"{NS}lastmod") for entry in root}


async def test_the_sitemap_leads_to_every_published_post(reader: Browser, models: Models, people: People) -> None:
    first = await publish(models, people, "四层缓存 a&b")
    await models.writing.create(Draft("Draft", "", "x", ()), by=people.alice)
    base = models.sites.defaults.url
    index = await places(reader, "/sitemap.xml")

    posts = await places(reader, urlsplit(next(url for url in index if "sitemap-0" in url)).path)
    site = await places(reader, "/sitemap-site.xml")

    assert list(index) == [f"{base}/sitemap-site.xml", f"{base}/sitemap-0.xml"]
    assert len(posts) == 1
    for url in (*posts, *site):
        assert (await reader.get(url.removeprefix(base))).status == 200, url
    assert index[f"{base}/sitemap-0.xml"] == next(iter(posts.values())) == f"{first.updated_at:%Y-%m-%dT%H:%M:%SZ}"


async def test_each_part_has_ten_thousand_numbers_and_is_read_again_only_when_its_own_posts_change(
    reader: Browser, models: Models, people: People, counted: Counted
) -> None:
    await publish(models, people, "One")
    async with models.db.connection() as connection:
        await connection.execute("ALTER TABLE posts AUTO_INCREMENT = %s", PER_PART)
    later = await publish(models, people, "Ten thousand")
    before = await places(reader, "/sitemap.xml")
    assert len(await places(reader, "/sitemap-0.xml")) == 1
    assert list(await places(reader, "/sitemap-1.xml")) == [f"{models.sites.defaults.url}/blog/{later.id}-ten-thousand"]

    await models.writing.edit(later.id, Draft("Renamed", "", "x", ()), by=people.alice)
    counted.clear()
    assert len(await places(reader, "/sitemap-0.xml")) == 1
    assert not [sql for sql in counted.selects if "FROM posts" in sql]
    assert list(await places(reader, "/sitemap-1.xml")) == [f"{models.sites.defaults.url}/blog/{later.id}-renamed"]
    await models.publishing.trash(later.id, by=people.alice)

    assert len(before) == 3
    assert len(await places(reader, "/sitemap.xml")) == 2
    for path in ("/sitemap-1.xml", "/sitemap-2.xml", "/sitemap-00.xml", "/sitemap-x.xml"):
        assert (await reader.get(path)).status == 404, path


async def test_gaps_between_numbers_are_jumped_over(reader: Browser, models: Models, people: People) -> None:
    await publish(models, people, "One")
    async with models.db.connection() as connection:
        await connection.execute("ALTER TABLE posts AUTO_INCREMENT = %s", 10**15)
    far = await publish(models, people, "Far")

    assert [url.rpartition("-")[2] for url in await places(reader, "/sitemap.xml")] == [
        "site.xml",
        "0.xml",
        f"{10**11}.xml",
    ]
    assert list(await places(reader, f"/sitemap-{10**11}.xml")) == [f"{models.sites.defaults.url}/blog/{far.id}-far"]


async def test_the_walk_is_along_an_index_that_has_all_it_needs(
    reader: Browser, models: Models, people: People, counted: Counted
) -> None:
    await publish(models, people, "One")
    counted.clear()
    await places(reader, "/sitemap.xml")
    await places(reader, "/sitemap-0.xml")
    walks = [sql for sql in counted.selects if "id >= " in sql]

    plans = [(await models.db.fetch(f"EXPLAIN {sql.replace('%', '%%')}"))[0] for sql in walks]

    assert len(plans) >= 3
    for plan in plans:
        assert "sitemap" in plan
        assert "Using index" in str(plan[-1])


async def test_an_empty_site_has_a_sitemap(reader: Browser) -> None:
    assert len(await places(reader, "/sitemap.xml")) == 1
    assert (await reader.get("/sitemap-0.xml")).status == 404


async def test_robots_may_read_what_readers_read(reader: Browser, models: Models, people: People) -> None:
    post = await publish(models, people, "One")
    answer = await reader.get("/robots.txt")
    rules = RobotFileParser()
    rules.parse(answer.text.splitlines())

    assert answer.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert rules.site_maps() == [f"{models.sites.defaults.url}/sitemap.xml"]
    for path in ("/", f"/blog/{post.id}-one", "/tag/x", "/archive", "/user/1", "/feed.atom", "/static/site.css"):
        assert rules.can_fetch("Anybody", path), path
    for path in (
        "/manage/blogs",
        "/account",
        "/signin?next=/",
        "/register",
        "/api/blogs",
        "/language/zh?next=/",
        "/search?q=a",
    ):
        assert not rules.can_fetch("Anybody", path), path


async def test_llms_txt_is_markdown_with_the_newest_posts(reader: Browser, models: Models, people: People) -> None:
    await publish(models, people, "Brackets [in] a\ntitle")
    answer = await reader.get("/llms.txt")

    assert answer.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert answer.text.startswith("# Plaza\n\n> ")
    assert re.search(r"^- \[Brackets \(in\) a title\]\(http://[^)]+\): Text\.$", answer.text, re.MULTILINE)


async def test_each_public_page_names_its_one_address(reader: Browser, models: Models, people: People) -> None:
    for n in range(11):
        post = await publish(models, people, f"四 {n}")
    month = f"{post.created_at:%Y-%m}"
    here = f"/blog/{post.id}-%E5%9B%9B-10"
    paths = {
        "/": "/", "/?utm_source=x": "/", "/page/2": "/page/2", "/archive?x": "/archive", f"/archive/{month}": f"/archive/{month}",
        "/about": "/about", "/tag/%E7%BC%93%E5%AD%98": "/tag/%E7%BC%93%E5%AD%98",
        "/tag/%e7%bc%93%e5%ad%98/page/2?y": "/tag/%E7%BC%93%E5%AD%98/page/2",
        f"/user/{people.alice.id}/page/2": f"/user/{people.alice.id}/page/2", f"{here}?after=5": here,
    }  # fmt: skip

    for asked, wanted in paths.items():
        page = (await reader.get(asked)).text
        base = models.sites.defaults.url
        assert re.findall(r'<link rel="canonical" href="([^"]*)">', page) == [base + wanted], asked
        assert re.findall(r'<meta property="og:url" content="([^"]*)">', page) == [base + wanted], asked
    assert "canonical" not in (await reader.get("/nothing-here")).text
    assert "canonical" not in (await reader.get("/signin")).text


async def test_a_post_tells_programs_what_it_is(reader: Browser, models: Models, people: People) -> None:
    title = '</script><script>alert("1")</script> <!-- 四层 & "more"'
    post = await publish(models, people, title, "![p](/pictures/a.png?x=1&y=2)\n\nText.")
    await models.comments.create(post.id, "Yes", by=people.bob)

    page = (await reader.get(f"/blog/{post.id}", follow=True)).text
    (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    facts = json.loads(data)
    base = models.sites.defaults.url

    assert "<script>alert" not in page
    assert facts["@type"] == "BlogPosting"
    assert facts["headline"] == title
    assert facts["image"] == f"{base}/pictures/a.png?x=1&y=2"
    assert facts["author"] == {"@type": "Person", "name": "Alice", "url": f"{base}/user/{people.alice.id}"}
    assert (facts["keywords"], facts["commentCount"]) == ("缓存", 1)
    assert f'<meta property="og:image" content="{base}/pictures/a.png?x=1&amp;y=2">' in page
    assert '<meta property="og:type" content="article">' in page
    assert '<meta property="article:tag" content="缓存">' in page
