"""Pages in Nginx when what keeps them true is away: old for `page_ttl` seconds at most, and true at once when it is back."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from jobs.refreshing import NAME
from models import Models, connected
from models.posts import Post
from models.writing import Draft
from settings import Settings
from tests.cache.own_redis import OwnRedis
from tests.harness.people import People, find
from tests.harness.servers import Databases
from tests.harness.site import Site, run_site
from tests.jobs.refreshed import PATIENCE, Reader, worker

pytest_plugins = ["tests.cache.stages"]

pytestmark = pytest.mark.gen_test(timeout=180)
TTL = 3  # s


@pytest.fixture(scope="module")
def unattended(databases: Databases) -> Iterator[Site]:
    """Nginx and a web process."""
    with run_site(databases, page_ttl=TTL) as site:
        yield site


@pytest.fixture
def settings(unattended: Site) -> Settings:
    return unattended.settings


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not claim():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)


async def published(models: Models, people: People, title: str) -> tuple[Post, str]:
    post = await models.writing.create(Draft(title, "", "Text.", ()), by=people.alice, publish=True)
    return post, f"/blog/{post.id}-{post.slug}"


async def test_without_a_worker_a_page_is_old_for_its_time_at_most(
    models: Models, people: People, settings: Settings
) -> None:
    reader = Reader(settings)
    post, path = await published(models, people, "Nobody works")
    await reader.stored(path)
    await models.comments.create(post.id, "Said in silence.", by=people.bob)
    written = time.time()
    await reader.seen(path, lambda got: "Said in silence." in got.text)

    assert time.time() - written < TTL + 10  # of which the machine may need some


async def test_a_worker_that_is_killed_and_comes_again(models: Models, people: People, settings: Settings) -> None:
    reader = Reader(settings)
    post, path = await published(models, people, "Twice")
    with worker(settings):
        await reader.stored(path)
        await models.comments.create(post.id, "With the first.", by=people.bob)
        await reader.all_show("With the first.", path)
    await models.comments.create(post.id, "With none.", by=people.bob)
    with worker(settings):
        await reader.all_show("With none.", path)
        await models.comments.create(post.id, "With the second.", by=people.bob)
        await reader.all_show("With the second.", path)


async def test_a_page_that_is_read_does_not_end(models: Models, people: People, settings: Settings) -> None:
    """By itself it ends after TTL."""
    reader = Reader(settings)
    _, path = await published(models, people, "Evergreen")
    with worker(settings):
        latest, since = time.monotonic() + 3 * PATIENCE, time.monotonic()
        while time.monotonic() - since < TTL + 3:
            if (await reader.ask(path)).cache != "HIT":
                since = time.monotonic()
            assert since < latest
            await asyncio.sleep(0.1)


@pytest.fixture
def on_own_redis(databases: Databases, own_redis: OwnRedis) -> Iterator[Settings]:
    with run_site(databases, page_ttl=60, redis_url=own_redis.url) as site, worker(site.settings):
        yield site.settings


async def test_redis_is_killed_and_comes_again(on_own_redis: Settings, own_redis: OwnRedis) -> None:
    """Of what is written meanwhile nobody hears; of all that comes after it the worker does."""
    reader, log = Reader(on_own_redis), on_own_redis.var / "log" / "worker.log"
    async with connected(on_own_redis) as models:
        people = await find(models)
        _, path = await published(models, people, "Before an outage")
        await reader.stored(path)
        await own_redis.kill()
        await models.comments.create(1, "During it.", by=people.bob)
        without = await reader.ask(path)
        await own_redis.start()
        await until(lambda: "heard again" in log.read_text() and models.cache.link.up)
        post, path = await published(models, people, "After it")
        await reader.stored(path)
        await models.comments.create(post.id, "Well again.", by=people.bob)
        await reader.all_show("Well again.", path)

    assert without.status == 200


async def test_people_are_told_when_pages_cannot_be_fetched(models: Models, people: People, settings: Settings) -> None:
    """Nginx's socket is gone."""
    reader = Reader(settings)
    post, path = await published(models, people, "Unreachable")
    socket = settings.run / "edge.sock"
    aside = socket.rename(settings.run / "aside.sock")
    try:
        with worker(settings):
            await reader.stored(path)
            await models.comments.create(post.id, "Said.", by=people.bob)
            async with asyncio.timeout(PATIENCE):
                while not await _failing(models):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)
            (report,) = [one for one in await models.duties.failing() if one.name == NAME]
    finally:
        aside.rename(socket)

    assert "could not be fetched anew" in report.error


async def _failing(models: Models) -> bool:
    return any(one.name == NAME for one in await models.duties.failing())
