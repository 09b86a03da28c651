"""What a write does to pages in Nginx's store: made anew by the worker's question, by the writer's own, or over by themselves."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import aiomysql
import pytest

from models import Models
from models.writing import Draft
from server import Running
from settings import Settings
from tests.cache.steps import until, until_answers
from tests.handlers.conftest import Town
from tests.handlers.edge import Store, cache
from tests.harness.browser import Browser
from tests.harness.people import People
from tests.harness.site import nginx_before
from tests.harness.wires import Wire


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"trusted_proxies": ("127.0.0.0/8",), "page_ttl": 60}


SHORT = pytest.mark.parametrize("choices", [{"trusted_proxies": ("127.0.0.0/8",), "page_ttl": 1}])


@pytest.fixture
def base_url(settings: Settings, http_port: int) -> Iterator[str]:
    """All browsers of these tests come through Nginx."""
    with nginx_before(settings, http_port) as url:
        yield url


async def is_from(visitor: Browser, path: str, where: str) -> bool:
    return cache(await visitor.get(path)) == where


@pytest.fixture
def store(settings: Settings, base_url: str) -> Store:
    return Store(settings)


async def test_a_refresh_puts_the_page_of_now_in_place_of_the_old_one(
    visitor: Browser, store: Store, models: Models, people: People, town: Town
) -> None:
    before = await visitor.get(town.path)
    await models.comments.create(town.post.id, "NEW-WORDS", by=people.bob)
    old = await visitor.get(town.path)
    refreshed = await store.refresh(town.path)
    new = await visitor.get(town.path)

    assert (cache(old), old.body) == ("HIT", before.body)
    assert b"X-Cache: BYPASS\r\n" in refreshed
    assert cache(new) == "HIT"
    assert "NEW-WORDS" in new.text
    assert len(store.files) == 1


async def test_a_page_that_is_ended_is_made_anew_for_the_next_reader(
    visitor: Browser, store: Store, town: Town
) -> None:
    for _ in range(2):  # made by its handler, then given from the memory of the process
        await visitor.get(town.path)
        await store.refresh(town.path, over=True)
        ended = await visitor.get(town.path)
        again = await visitor.get(town.path)

        assert (cache(ended), cache(again)) == ("EXPIRED", "HIT")
        assert ended.body == again.body


async def test_only_the_worker_ends_pages(visitor: Browser, store: Store, town: Town) -> None:
    await visitor.get(town.path)
    for path in (town.path, "/archive"):  # one that is stored, and one that is not yet
        await store.refresh(path, over=True, secret="guessed")

        assert cache(await visitor.get(path)) == "HIT"


@pytest.mark.parametrize("secret", ["", "1", "x" * 43, "true", "*", "~.*"])
async def test_a_forged_refresh_is_a_question_like_any_other(
    visitor: Browser, store: Store, models: Models, people: People, town: Town, secret: str
) -> None:
    before = await visitor.get(town.path)
    await models.comments.create(town.post.id, "NEW-WORDS", by=people.bob)
    forged = await store.refresh(town.path, secret=secret)

    assert b"X-Cache: HIT\r\n" in forged
    assert (await visitor.get(town.path)).body == before.body


async def test_the_secret_goes_no_further(visitor: Browser, store: Store, settings: Settings) -> None:
    answer = await store.refresh("/about")
    log = settings.var / "log" / "access.log"
    await until(log.read_text)

    secret = settings.secret("edge")
    assert secret.encode() not in answer + store.entry(" /about")
    assert secret not in log.read_text()
    assert (settings.var / "etc" / "nginx.conf").stat().st_mode & 0o077 == 0


async def test_what_is_deleted_or_moved_goes_out_of_the_store_too(
    visitor: Browser, store: Store, models: Models, people: People, town: Town
) -> None:
    post = await models.writing.create(Draft("Old name", "", "words", ()), by=people.alice, publish=True)
    path = f"/blog/{post.id}-{post.slug}"
    await visitor.get(path)
    renamed = await models.writing.edit(post.id, Draft("New name", "", "words", (), "new-name"), by=people.alice)
    await store.refresh(path)
    moved = [await visitor.get(path) for _ in range(2)]
    await models.publishing.trash(post.id, by=people.alice)
    await store.refresh(path)
    gone = [await visitor.get(path) for _ in range(2)]

    assert [(answer.status, cache(answer)) for answer in moved] == [(301, "HIT")] * 2
    assert moved[0].location.endswith(f"/blog/{post.id}-{renamed.slug}")
    assert [(answer.status, cache(answer)) for answer in gone] == [(404, "HIT")] * 2
    assert gone[0].headers["Cache-Control"] == "no-store"  # that is for browsers


async def test_who_writes_sees_it_on_every_page_and_has_the_others_see_it(
    bob: Browser, visitor: Browser, town: Town
) -> None:
    pages = (town.path, f"/user/{town.talk.author_id}", "/api/comments", f"/blog/{town.post.id}/feed.atom")
    for path in pages:
        await visitor.get(path)
    sent = await bob.post(f"/blog/{town.post.id}/comments", {"body": "NEW-WORDS"})
    own = [await bob.get(path) for path in pages]
    theirs = [await visitor.get(path) for path in pages]

    (cookie,) = sent.set_cookies
    assert cookie.startswith("fresh=1; HttpOnly; Max-Age=60; Path=/; SameSite=Lax")
    assert [cache(answer) for answer in own] == ["BYPASS"] * 4
    assert all("NEW-WORDS" in answer.text for answer in own + theirs)
    assert [cache(answer) for answer in theirs] == ["HIT"] * 4
    assert not own[0].set_cookies


async def test_only_who_has_written_gets_the_cookie(bob: Browser, visitor: Browser, town: Town) -> None:
    refused = await visitor.post(f"/blog/{town.post.id}/comments", {"body": "x"})
    wrong = await bob.post(f"/blog/{town.post.id}/comments", {"body": ""})
    read = [await bob.get(path) for path in (town.path, "/account", "/api/v1/me")]

    assert (refused.status, wrong.status) == (401, 422)
    assert not [line for answer in (refused, wrong, *read) for line in answer.set_cookies if "fresh" in line]


@SHORT
async def test_a_page_is_over_by_itself_and_never_later_than_told(
    visitor: Browser, models: Models, people: People, town: Town
) -> None:
    await visitor.get(town.path)
    await models.comments.create(town.post.id, "NEW-WORDS", by=people.bob)
    written = asked = time.time()
    while "NEW-WORDS" not in (await visitor.get(town.path)).text:
        assert asked - written < 1.05
        asked = time.time()


@SHORT
async def test_a_page_that_was_long_in_the_making_is_stored_as_over(
    visitor: Browser, store: Store, models: Models, people: People, town: Town, settings: Settings
) -> None:
    """Begun before a write, ready after it and after the refresh: what others are given is not that page."""
    address = settings.mysql
    lock = await aiomysql.connect(
        unix_socket=address.unix_socket, user=address.user, password=address.password, db=address.database
    )
    async with lock, lock.cursor() as cursor:
        await cursor.execute("LOCK TABLES posts WRITE")
        slow = asyncio.create_task(visitor.get(town.path))
        await asyncio.sleep(2.5)
        await cursor.execute("UNLOCK TABLES")
        first = await slow

    assert (first.status, cache(first)) == (200, "MISS")
    assert store.entry(f" {town.path}")
    assert cache(await visitor.get(town.path)) == "EXPIRED"


async def test_a_page_that_changes_while_it_is_made_is_stored_as_over_and_says_so(
    visitor: Browser, store: Store, site: Running, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ready() -> bool:  # all it is made of comes from L1, so nothing is loaded while it is made
        await visitor.request("GET", town.path, headers={"Cookie": "fresh=1"})
        return bool(site.models.pages.get(f" {town.path}"))

    await until_answers(ready)
    site.models.pages.forget(f" {town.path}")
    views, render = site.application.app.views, type(site.application.app.views).render

    def pushed(self: Any, name: str, lang: str, **context: Any) -> str:
        site.models.cache.local.drop([f"post:{town.post.id}"])
        return render(self, name, lang, **context)

    monkeypatch.setattr(type(views), "render", pushed)
    changed = await store.refresh(town.path)
    monkeypatch.undo()
    after = await visitor.get(town.path)

    assert b"X-Plaza-Again: 1\r\n" in changed
    assert cache(after) == "EXPIRED"
    assert "X-Plaza-Again" not in after.headers
    assert cache(await visitor.get(town.path)) == "HIT"


@SHORT
async def test_an_old_page_is_better_than_none(
    mysql_wire: Wire, redis_wire: Wire, visitor: Browser, town: Town, store: Store
) -> None:
    before = await visitor.get(town.path)
    await mysql_wire.cut()
    await redis_wire.cut()
    await until_answers(lambda: is_from(visitor, town.path, "STALE"))
    old = await visitor.get(town.path)
    never = await visitor.get("/archive")
    refreshed = await store.refresh(town.path)
    await redis_wire.mend()
    await mysql_wire.mend()

    assert (old.status, cache(old), old.body) == (200, "STALE", before.body)
    assert (never.status, cache(never)) == (503, "MISS")
    assert never.headers["Retry-After"]
    assert refreshed.startswith(b"HTTP/1.1 503 ")
    await until_answers(lambda: is_from(visitor, town.path, "HIT"))


@SHORT
async def test_a_page_in_which_we_made_a_mistake_is_not_old_for_as_long_as_it_is_read(
    visitor: Browser, site: Running, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await visitor.get(town.path)
    views = type(site.application.app.views)
    render = views.render

    def broken(self: Any, name: str, lang: str, **context: Any) -> str:
        if name == "post.html":
            raise ZeroDivisionError
        return render(self, name, lang, **context)

    async def is_told() -> bool:
        site.models.pages.forget(f" {town.path}")
        return (await visitor.get(town.path)).status == 500

    monkeypatch.setattr(views, "render", broken)
    await until_answers(is_told)
    monkeypatch.undo()
    after = await visitor.get(town.path)

    assert (before.status, after.status, after.body) == (200, 200, before.body)


@pytest.mark.parametrize(
    "choices", [{"trusted_proxies": ("127.0.0.0/8",), "purge_url": "https://cdn.example.org/purge"}]
)
async def test_a_cdn_is_told_how_long_and_under_which_keys(visitor: Browser, alice: Browser, town: Town) -> None:
    page = await visitor.get(town.path)
    kept = [await visitor.request("GET", town.path, headers={"Cookie": "fresh=1"}) for _ in range(4)][-1]
    own = await alice.get("/account")

    for answer in (page, kept):
        assert answer.headers["CDN-Cache-Control"] == answer.headers["Surrogate-Control"] == "max-age=10"
        assert answer.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert set(page.headers["Surrogate-Key"].split()) == set(kept.headers["Surrogate-Key"].split())
    assert len(page.headers["Surrogate-Key"].split()) > 3
    assert "Surrogate-Key" not in own.headers
