"""What is written shows at once in pages that Nginx has stored: all of them, whoever wrote, and nobody waits for it."""

from collections.abc import Iterator

import pytest

from models import Models
from models.writing import Draft
from settings import Settings
from tests.handlers.storage import Reader
from tests.harness.people import People
from tests.harness.servers import Databases
from tests.harness.site import Site, run_site
from tests.jobs.edge import seen, stored, worker


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
    return Reader(refreshed)


async def test_a_new_post_is_on_the_front_page(models: Models, people: People, reader: Reader) -> None:
    await stored(reader, "/")
    post = await models.writing.create(Draft("A first one", "", "Text.", ("one",)), by=people.alice)
    await models.publishing.publish(post.id, by=people.alice)

    got = await seen(reader, "/", lambda got: "A first one" in got.text)
    assert got.cache == "HIT"
