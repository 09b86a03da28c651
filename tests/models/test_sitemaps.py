"""The list of the sitemap's parts is made of other lists, and none of those is believed as this process remembers it."""

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from models import Models, connected
from models.posts import PART_CHANGED, shown_in
from models.writing import Draft
from settings import Settings
from tests.cache.sides import until
from tests.harness.people import People


@pytest.fixture
def web(io_loop: IOLoop, settings: Settings) -> Iterator[Models]:
    """A process with an L1."""
    context = connected(settings, near=True)
    yield io_loop.run_sync(context.__aenter__)
    io_loop.run_sync(lambda: context.__aexit__(None, None, None))


async def test_what_is_stored_for_all_is_not_made_of_what_one_process_remembers(
    web: Models, models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1 may be 0.3 s old, and the list that was made of it would be old as long as it lives in Redis."""
    local = web.cache.local
    post = await models.writing.create(Draft("A title", "", "Text.", ()), by=people.alice, publish=True)
    await until(lambda: local.open)
    while local.get(PART_CHANGED(0).name) is None:
        await web.sitemaps._changed(0)
    monkeypatch.setattr(local, "drop", lambda names: None)  # the pushes have not come yet
    async with models.posts.write() as w:
        await w.execute("UPDATE posts SET updated_at = '2030-01-01' WHERE id = %s", post.id)
        w.touch(*shown_in(post))
    assert local.open
    assert local.get(PART_CHANGED(0).name)

    ((_, seen),) = await web.sitemaps.parts()

    ((_, stored),) = await models.sitemaps.parts()
    assert seen == stored == 1893456000
