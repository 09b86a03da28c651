"""What is written shows at once in pages that Nginx has stored: all of them, whoever wrote, and nobody waits for it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from models import Models
from models.posts import Post
from models.writing import Draft
from settings import Settings
from tests.harness.people import People
from tests.harness.servers import Databases
from tests.harness.site import Site, run_site
from tests.jobs.refreshed import Reader, worker
from tests.models.poll_making import colours, ids
from tests.models.uploading import upload

# A page that is not fetched anew shows nothing new before this file is through.
pytestmark = pytest.mark.gen_test(timeout=120)


@pytest.fixture(scope="module")
def refreshed(databases: Databases) -> Iterator[Site]:
    """Nginx, a web process, and a worker that keeps its pages true."""
    with run_site(databases, page_ttl=60) as site, worker(site.settings):
        yield site


@pytest.fixture
def settings(refreshed: Site) -> Settings:
    return refreshed.settings


@pytest.fixture
def reader(refreshed: Site) -> Reader:
    return Reader(refreshed.settings)


async def published(models: Models, people: People, title: str, *tags: str) -> tuple[Post, str]:
    """A post, and the path of its page."""
    post = await models.writing.create(Draft(title, "", f"The text of {title}.", tags), by=people.alice, publish=True)
    return post, path_of(post)


def path_of(post: Post) -> str:
    return f"/blog/{post.id}-{quote(post.slug)}"


async def test_a_post_that_is_published_edited_and_trashed(models: Models, people: People, reader: Reader) -> None:
    lists = ("/", "/tag/daily", "/feed.atom", f"/user/{people.alice.id}", "/api/blogs", "/sitemap-0.xml")
    for path in lists:
        await reader.stored(path)  # that there is no such part of the sitemap, too
    draft = Draft("Fresh bread", "", "It smells.", ("daily",))
    post = await models.writing.create(draft, by=people.alice)
    await models.publishing.publish(post.id, by=people.alice)
    named = lists[:-1]
    await reader.all_show("Fresh bread", *named)
    await reader.all_show(post.slug, "/sitemap-0.xml")
    await reader.all_show("It smells.", path_of(post))

    await models.writing.edit(post.id, replace(draft, title="Stale bread", slug=post.slug), by=people.alice)
    await reader.all_show("Stale bread", *named, path_of(post))

    await models.publishing.trash(post.id, by=people.alice)
    await reader.none_shows("Stale bread", *named)
    gone = await reader.seen(path_of(post), lambda got: got.status == 404)
    assert gone.cache == "HIT"


async def test_each_language_that_is_stored_is_fetched(models: Models, people: People, reader: Reader) -> None:
    post, path = await published(models, people, "Two tongues")
    for language in ("", "en", "zh"):
        await reader.stored(path, language)
    await models.comments.create(post.id, "A word from Bob.", by=people.bob)

    for language, words in (("", "Comments"), ("en", "Comments"), ("zh", "评论")):
        got = await reader.seen(path, lambda got: "A word from Bob." in got.text, language)
        assert got.cache == "HIT"
        assert words in got.text


async def test_the_name_of_an_author_on_all_their_pages(models: Models, people: People, reader: Reader) -> None:
    _, path = await published(models, people, "By somebody", "authors")
    pages = (path, "/", "/tag/authors", f"/user/{people.alice.id}")
    for page in pages:
        await reader.stored(page)
    await models.users.rename(people.alice.id, "Alice the Second")

    await reader.all_show("Alice the Second", *pages)
    await models.users.rename(people.alice.id, people.alice.name)
    await reader.none_shows("Alice the Second", *pages)


async def test_what_is_published_by_the_clock(models: Models, people: People, reader: Reader) -> None:
    await reader.stored("/")
    post = await models.writing.create(Draft("Right on time", "", "Now.", ()), by=people.alice)
    await models.publishing.schedule(post.id, datetime.now(UTC) + timedelta(seconds=1), by=people.alice)

    await reader.all_show("Right on time", "/", path_of(post))


async def test_votes_and_the_end_of_voting(models: Models, people: People, reader: Reader) -> None:
    poll = await colours(models, people)
    page, told = f"/polls/{poll.id}", f"/api/v1/polls/{poll.id}"
    for path in (page, told, "/polls"):
        await reader.stored(path)
    await models.ballots.cast(await models.polls.one(poll.id), ids(poll, 1), voter=people.bob)
    await reader.seen(told, lambda got: '"voters": 1' in got.text or '"voters":1' in got.text)

    await models.polls.close(poll.id, by=people.alice)
    got = await reader.seen(told, lambda got: "closed" in got.text)
    assert got.cache == "HIT"


async def test_a_file_that_was_uploaded(models: Models, people: People, reader: Reader) -> None:
    await reader.stored("/latest_files")
    await upload(models, people.bob, name="newest-cat.png")

    await reader.all_show("newest-cat.png", "/latest_files")


async def test_nobody_waits_when_all_pages_are_wrong_at_once(models: Models, people: People, reader: Reader) -> None:
    """The site's title is on each page."""
    paths = [(await published(models, people, f"One of many {n}"))[1] for n in range(30)]
    for path in paths:
        await reader.stored(path)
    await models.sites.edit({"title": "Another name"}, by=people.ada)
    meanwhile = [await reader.ask(path) for path in paths]

    assert {got.cache for got in meanwhile} == {"HIT"}
    await reader.all_show("Another name", *paths)


async def test_writes_at_the_same_moment_are_all_shown(models: Models, people: People, reader: Reader) -> None:
    post, path = await published(models, people, "A crowd writes")
    await reader.stored(path)
    await asyncio.gather(*(models.comments.create(post.id, f"Comment {n}.", by=people.bob) for n in range(20)))

    await reader.seen(path, lambda got: all(f"Comment {n}." in got.text for n in range(20)))
