"""The page of the cache tells what is so, in plain words; administrators alone see it, and drop what is old."""

import time
from typing import Any

import pytest

from cache.heat import ONE_IN
from handlers.charts import HEIGHT, WIDTH, line, stacked
from jobs.refreshing import NAME
from models import Models, audit
from models.edge_pages import EdgePages
from models.posts import BY_ID
from models.writing import Draft
from tests.handlers.conftest import Town
from tests.harness.browser import Browser
from tests.harness.people import People, email_of
from tests.harness.webs import read_often


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"compare_every": 1}


async def test_the_sentence_at_the_top_tells_how_well_it_goes_and_whether_it_is_true(
    models: Models, ada: Browser, town: Town
) -> None:
    async with models.figures.shown_as("web-0"):
        await models.figures.sample()
        first = (await ada.get("/manage/cache")).text
        for _ in range(4):
            await models.posts.one(town.post.id)
        async with models.db.connection() as connection:
            await connection.execute("UPDATE comparisons SET due = NOW(6)")
        await models.auditor.look()
        await models.figures.sample()
        page = await ada.get("/manage/cache")

    assert "Nobody counts" in first
    assert page.status == 200
    assert "were answered without MySQL" in page.text
    assert "Nothing older than allowed was found in the last day" in page.text
    assert '<rect class="l2"' in page.text
    for word in ("post", "web-0", "As a table", "Memory of Redis"):
        assert word in page.text
    assert "style=" not in page.text


async def test_the_page_stands_on_an_empty_day_in_both_languages_and_for_a_day(ada: Browser) -> None:
    for path in ("/manage/cache", "/manage/cache?span=day", "/manage/cache?span=nonsense"):
        for language in ("en", "zh"):
            assert (await ada.get(path, accept_language=language)).status == 200


async def test_it_tells_how_the_pages_in_nginx_fare(models: Models, ada: Browser, olga: Browser) -> None:
    silent = (await ada.get("/manage/cache")).text
    pages = EdgePages(models.figures)
    pages.heard([["made", " /", time.time() - 5, ["post:7"]], ["wrote", time.time() - 3, ["post:7"]]])
    async with models.figures.shown_as("worker"):
        await models.figures.sample()
        pages.look()
        page = await pages.due()
        pages.fetched(page, time.time(), page.since, "refreshed")
        await models.figures.sample()
        told = (await ada.get("/manage/cache")).text
    await models.duties.ended(NAME, "a page was wrong for 3.1 s")

    assert "The worker tells nothing of them: each is old for 10.0 s at most." in silent
    assert "<dt>Kept true by the worker</dt><dd>1</dd>" in told
    assert "<dd>1, the oldest for 3." in told
    assert "<dt>fetched anew after a write</dt><dd>1</dd>" in told
    assert "a page was wrong for 3.1 s" in (await olga.get("/manage/")).text


async def test_a_row_is_looked_up_on_every_level(models: Models, near: Models, ada: Browser, town: Town) -> None:
    await read_often(near, town.post.id)
    page = (await ada.get(f"/manage/cache?key=post+{town.post.id}")).text

    assert f"<h3>post:{town.post.id}</h3>" in page
    assert "The process answers it by itself, and asks nobody." in page
    assert "The value is good, and is given to whoever asks." in page
    assert "It is what MySQL holds." in page
    assert "What is given is not what MySQL holds." not in page
    assert "A post" in page


async def test_what_is_old_is_called_old_and_dropped(models: Models, ada: Browser, town: Town, people: People) -> None:
    await models.posts.one(town.post.id)
    async with models.db.connection() as connection:
        await connection.execute("UPDATE posts SET title = 'By hand' WHERE id = %s", town.post.id)
    old = (await ada.get(f"/manage/cache?key=post+{town.post.id}")).text
    dropped = await ada.post("/manage/cache/drop", {"key": f"post:{town.post.id}"})

    assert "What is given is not what MySQL holds." in old
    assert (dropped.status, dropped.location) == (303, f"/manage/cache?done=key&key=post%3A{town.post.id}")
    assert "It is read again" in (await ada.get(dropped.location)).text
    assert (await models.posts.one(town.post.id)).title == "By hand"
    (entry,) = await audit.entries(models.db, action="cache.drop")
    assert entry.actor_id == people.ada.id
    assert "had something read again" in (await ada.get("/manage/audit")).text


async def test_a_family_is_dropped(models: Models, ada: Browser, town: Town) -> None:
    await models.posts.one(town.post.id)
    async with models.db.connection() as connection:
        await connection.execute("UPDATE posts SET title = 'By hand' WHERE id = %s", town.post.id)
    dropped = await ada.post("/manage/cache/drop", {"family": "post"})

    assert dropped.status == 303
    assert "The whole family is read again" in (await ada.get(dropped.location)).text
    assert (await models.posts.one(town.post.id)).title == "By hand"


async def test_a_page_that_is_old_says_why(near: Models, ada: Browser) -> None:
    """The process beside keeps a page made of what has changed since."""
    with near.pages.reading() as reading:
        reading.saw("post:1", 1, False)
    for _ in range(2):
        near.pages.put("en /somewhere", reading, _Whole())
    old = (await ada.get("/manage/cache?key=/somewhere")).text
    dropped = await ada.post("/manage/cache/drop", {"key": "/somewhere"})
    gone = (await ada.get(dropped.location)).text

    assert "It is old, and the next reader gets a new one, because these have changed since it was made:" in old
    assert "post:1" in old
    assert "No process keeps this page whole" in gone
    assert near.pages.look("en /somewhere") is None


async def test_what_is_no_slot_is_told_beside_the_form(ada: Browser) -> None:
    for answer in (
        await ada.get("/manage/cache?key=pots+1"),
        await ada.post("/manage/cache/drop", {"key": "pots 1"}),
        await ada.post("/manage/cache/drop", {"family": "pots"}),
        await ada.post("/manage/cache/drop", {}),
    ):
        assert answer.status == 422
        assert "There is no family of that name." in answer.text
    assert (await ada.get("/manage/cache?key=post")).status == 422


async def test_no_secret_is_shown_or_linked(models: Models, near: Models, ada: Browser) -> None:
    bob = email_of("bob")
    for _ in range(ONE_IN * 3):
        near.cache.local.heat.passed([f"user.email:{bob.replace('@', '%40')}"])
    await models.users.by_email(bob)
    page = (await ada.get(f"/manage/cache?key=user.email+{bob}")).text
    hottest = (await ada.get("/manage/cache")).text
    user = (await ada.get("/manage/cache?key=user+2")).text

    assert "<h3>user.email:…</h3>" in page
    assert "user.email:…" in hottest
    assert bob not in hottest
    assert "bob%40" not in hottest
    assert bob not in user


async def test_a_violation_is_shown_with_its_trace(models: Models, ada: Browser, town: Town, people: People) -> None:
    draft = Draft("New words", "", "Words.", ())
    post = await models.writing.edit(town.post.id, draft, version=town.post.version, by=people.alice)
    name = models.cache.link.full(BY_ID(post.id).name)
    await models.posts.one(post.id)
    data = bytes(await models.redis.get(name) or b"")  # type: ignore[arg-type]
    await models.redis.set(name, data.replace(b"New words", b"Old words"), px=60_000)
    async with models.figures.shown_as("worker"):
        await models.figures.sample()
        async with models.db.connection() as connection:
            await connection.execute("UPDATE comparisons SET due = NOW(6)")
        await models.auditor.look()
        await models.figures.sample()
        page = (await ada.get("/manage/cache")).text

    assert "was older than it may be." in page
    assert "<del>Old words</del> <ins>New words</ins>" in page


async def test_without_redis_the_page_says_what_it_can(models: Models, ada: Browser, town: Town) -> None:
    await models.cache.link.close()
    page = await ada.get(f"/manage/cache?key=post+{town.post.id}")

    assert page.status == 200
    assert "A reader would be answered from MySQL." in page.text


def test_a_stacked_bar_is_as_high_as_the_drawing() -> None:
    shapes = stacked([(3, 1, 0, 0), (0, 0, 0, 0), (0, 0, 0, 5)])

    assert [(shape.part, shape.height) for shape in shapes] == [(0, 0.75 * HEIGHT), (1, 0.25 * HEIGHT), (3, HEIGHT)]
    assert shapes[0].y + shapes[0].height == HEIGHT
    assert shapes[1].y == 0
    assert shapes[-1].x + shapes[-1].width <= WIDTH
    assert stacked([]) == []


def test_a_line_is_broken_where_there_is_nothing() -> None:
    assert line([1.0, 0.0]) == "M0.0 5.0 L600.0 95.0"
    assert line([None, 0.5, None, 0.5, 0.5]) == "M150.0 50.0 h6 M450.0 50.0 L600.0 50.0"
    assert line([]) == ""


class _Whole:
    weight = 100
