"""Answers that are remembered whole are never old ones: after writes here and elsewhere, without L1, without Redis."""

import asyncio
from collections.abc import Iterator

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from models import Models, connected
from models.comments import BY_ID as COMMENT
from server import Running, running
from settings import Settings
from tests.handlers.asking import Asker
from tests.handlers.conftest import Town
from tests.harness.browser import Browser
from tests.harness.counting import Counted
from tests.harness.people import People
from tests.harness.servers import Databases
from tests.harness.wires import Wire


async def test_who_writes_sees_it_at_once(asker: Asker, bob: Browser, town: Town) -> None:
    for n in range(5):
        await asker.until_kept(town.path)
        answer = await bob.post(f"/blog/{town.post.id}/comments", {"body": f"Number {n}."}, follow=True)
        assert f"Number {n}." in answer.text
        assert f"Number {n}.".encode() in await asker.ask(town.path)


async def test_the_sites_own_language_is_the_one_it_has_now(
    asker: Asker, models: Models, people: People, town: Town
) -> None:
    assert b'<html lang="en">' in await asker.until_kept("/")
    await models.sites.edit({"language": "zh"}, by=people.ada)

    assert b'<html lang="zh-CN">' in await asker.ask("/")
    assert b'<html lang="zh-CN">' in await asker.until_kept("/")
    assert b'<html lang="en">' in await asker.until_kept("/", "Accept-Language: en\r\n")


@pytest.fixture
def elsewhere(io_loop: IOLoop, settings: Settings, databases: Databases) -> Iterator[Models]:
    """Another process, which reaches Redis beside the wire of the test."""
    straight = settings.model_copy(update={"redis_url": f"unix://{databases.redis_socket}?db=0"})
    straight.__dict__.pop("redis", None)  # the address that was found before is copied too
    context = connected(straight)
    yield io_loop.run_sync(context.__aenter__)
    io_loop.run_sync(lambda: context.__aexit__(None, None, None))


async def test_who_is_signed_in_sees_what_was_written_elsewhere_however_late_that_is_told(
    asker: Asker, site: Running, bob: Browser, town: Town, elsewhere: Models, redis_wire: Wire
) -> None:
    """The pushes of the other process' write hang on the wire. Others may get what is 0.3 s old; a member may not."""
    key, still_open = f" {town.path}", False
    for n in range(20):  # on a busy machine 0.3 s are over before the question is asked; then it proves nothing
        while not site.models.pages.get(key):  # until it is answered without a trip
            await asker.until_kept(town.path)
        async with elsewhere.db.connection() as connection:
            await connection.execute("UPDATE comments SET body_html = %s WHERE id = %s", f"Words {n}.", town.talk.id)
        redis_wire.hang()
        ended = await elsewhere.cache.end([COMMENT(town.talk.id)], elsewhere.cache.writer())  # what a write does last
        still_open = ended and site.models.pages.get(key) is not None
        asked = asyncio.ensure_future(bob.get(town.path))
        while not site.application.waiting and not asked.done():  # noqa: ASYNC110 - nobody tells that a question has come
            await asyncio.sleep(0)
        await redis_wire.mend()

        assert f"Words {n}." in (await asked).text or not ended
        if still_open:
            break
    assert still_open


@pytest.mark.parametrize("choices", [{"comments_per_minute": 1000}])
async def test_after_a_post_to_one_process_the_page_of_another_shows_it(
    bob: Browser, town: Town, settings: Settings, http_client: AsyncHTTPClient
) -> None:
    async with running(settings) as other:
        server = HTTPServer(other.application)
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        there = Browser(http_client, f"http://127.0.0.1:{sockets[0].getsockname()[1]}", other.models)
        there.cookies = bob.cookies
        for n in range(20):
            await bob.post(f"/blog/{town.post.id}/comments", {"body": f"Number {n}."})
            assert f"Number {n}." in (await there.get(town.path)).text
            for _ in range(3):
                await there.get(town.path)  # it is kept there when the next one comes
        server.stop()
        await server.close_all_connections()


@pytest.mark.parametrize("choices", [{"l1_memory": 0}])
async def test_without_l1_a_page_that_was_made_before_is_one_trip(
    asker: Asker, town: Town, people: People, models: Models, counted: Counted
) -> None:
    for path in ("/", town.path, f"/api/blogs/{town.post.id}", "/feed.atom"):
        kept = await asker.until_kept(path)
        counted.clear()

        assert await asker.ask(path) == kept
        assert asker.kept
        assert (counted.trips, counted.statements) == (1, [])
    await models.comments.create(town.post.id, "One more.", by=people.alice)
    assert b"One more." in await asker.ask(town.path)


@pytest.mark.parametrize("choices", [{"l1_memory": 0}])
async def test_while_redis_is_away_pages_are_made_and_afterwards_kept_again(
    asker: Asker, town: Town, redis_wire: Wire
) -> None:
    kept = await asker.until_kept(town.path)
    await redis_wire.cut()
    for _ in range(3):
        assert await asker.ask(town.path) == kept
        assert not asker.kept
    await redis_wire.mend()

    assert await asker.until_kept(town.path) == kept


@pytest.mark.parametrize("choices", [{"l1_memory": 0}])
async def test_who_goes_away_while_redis_is_asked_leaves_nothing_behind(
    asker: Asker, town: Town, site: Running, http_server: HTTPServer, base_url: str, redis_wire: Wire
) -> None:
    kept = await asker.until_kept(town.path)
    redis_wire.hang()
    _, writer = await asyncio.open_connection("localhost", int(base_url.rpartition(":")[2]))
    writer.write(f"GET {town.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    while not site.application.waiting:  # noqa: ASYNC110 - nobody tells that a question has come
        await asyncio.sleep(0)
    (waiting,) = site.application.waiting
    writer.transport.abort()
    while http_server._connections:  # noqa: ASYNC110 - nor that a client has gone
        await asyncio.sleep(0.01)
    await redis_wire.mend()

    await waiting
    assert await asker.until_kept(town.path) == kept
