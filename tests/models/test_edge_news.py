"""News of stored pages between processes: they go out together, nobody waits for them, and what cannot be told is counted."""

import asyncio
from collections.abc import Iterator
from typing import Any

import msgpack
import pytest
from redis.asyncio import Redis
from tornado.ioloop import IOLoop

from models import Models, edge_news
from models.counts import COUNTS
from models.edge_news import EdgeNews
from settings import Settings
from tests.cache.steps import until
from tests.harness.people import People
from tests.harness.servers import Databases
from tests.harness.wires import Wire

Said = list[list[list[Any]] | None]


@pytest.fixture
def said(io_loop: IOLoop, other_models: Models) -> Iterator[Said]:
    """All that another process hears, message by message."""
    found: Said = []
    task = io_loop.asyncio_loop.create_task(other_models.edge_news.hear(found.append))  # type: ignore[attr-defined]
    io_loop.run_sync(lambda: until(lambda: found))
    yield found
    task.cancel()
    io_loop.run_sync(lambda: asyncio.wait((task,)))


async def test_what_is_said_at_once_goes_out_together(models: Models, said: Said) -> None:
    for n in range(30):
        models.edge_news.made(f"en /{n}", 1.5 * n, (f"post:{n}", "汉字:\udcff"))
    await until(lambda: len(said) == 2)

    assert said == [None, [["made", f"en /{n}", 1.5 * n, [f"post:{n}", "汉字:\udcff"]] for n in range(30)]]


async def test_a_long_message_is_several(models: Models, said: Said) -> None:
    for n in range(2 * edge_news.AT_ONCE + 1):
        models.edge_news.made("", 0, [str(n)])
    await until(lambda: len(said) == 4)

    assert [len(message or ()) for message in said] == [0, edge_news.AT_ONCE, edge_news.AT_ONCE, 1]


async def test_each_write_tells_what_it_has_made_forgotten_when_it_is_over(
    models: Models, people: People, said: Said
) -> None:
    await models.users.rename(people.bob.id, "Robert")
    await until(lambda: len(said) > 1)

    wrote = [entry for message in said for entry in message or () if entry[0] == "wrote"]
    assert any(f"user:{people.bob.id}" in names for _, _, names in wrote)


async def test_of_too_much_at_once_a_part_is_left_and_counted(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_news, "MOST_UNTOLD", 10)
    before = COUNTS["edge.untold"]
    for n in range(25):
        models.edge_news.made("", 0, [str(n)])

    assert COUNTS["edge.untold"] - before == 15


async def test_a_write_while_redis_is_away_is_told_when_it_is_back(
    redis_wire: Wire, databases: Databases, models: Models, people: People, settings: Settings
) -> None:
    near = Redis(unix_socket_path=databases.redis_socket)
    async with near, near.pubsub() as heard:
        await heard.subscribe(f"{settings.namespace}:edge")
        await redis_wire.cut()
        async with asyncio.timeout(20):
            await models.users.rename(people.bob.id, "Robert")
        models.edge_news.made("a page", 0, [])
        await redis_wire.mend()
        said = list[list[Any]]()
        async with asyncio.timeout(30):
            while not any(f"user:{people.bob.id}" in entry[-1] for entry in said):
                message = await heard.get_message(ignore_subscribe_messages=True, timeout=1)
                said += msgpack.unpackb(message["data"]) if message else []

    assert (await models.users.fresh().one(people.bob.id)).name == "Robert"


async def test_who_ends_while_redis_is_away_does_not_wait_for_it(
    redis_wire: Wire, models: Models, people: People
) -> None:
    before = COUNTS["edge.untold"]
    await redis_wire.cut()
    await models.users.rename(people.bob.id, "Robert")
    async with asyncio.timeout(20):
        await models.edge_news.close()

    assert COUNTS["edge.untold"] > before
    await redis_wire.mend()


async def test_what_nobody_understands_is_passed_over(models: Models, said: Said, settings: Any) -> None:
    before = COUNTS["edge.unread"]
    await models.redis.publish(f"{settings.namespace}:edge", b"\xc1\xff")
    models.edge_news.made("after", 0, [])
    await until(lambda: len(said) == 2)

    assert COUNTS["edge.unread"] == before + 1
    assert said[1] == [["made", "after", 0, []]]


async def test_who_is_connected_anew_is_told_that_something_may_be_missing(redis_wire: Wire, models: Models) -> None:
    found: Said = []
    task = asyncio.create_task(models.edge_news.hear(found.append))
    await until(lambda: found)
    await redis_wire.cut()
    await redis_wire.mend()
    async with asyncio.timeout(20):
        while len(found) < 2:  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait((task,))

    assert found[:2] == [None, None]
    assert isinstance(models.edge_news, EdgeNews)
