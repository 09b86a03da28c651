"""Live results when something goes wrong: news are lost, readers are deaf, Redis or the process goes away."""

import asyncio
import itertools
import json
from contextlib import closing

import pytest

from handlers import live as handler
from models import Models, live
from models.counts import COUNTS
from tests.cache.steps import until
from tests.handlers.watching import Hear, closed, colours, heard, mute, vote
from tests.harness.browser import Browser
from tests.harness.counting import Counted
from tests.harness.people import People
from tests.harness.wires import Wire


async def test_where_nobody_listens_nothing_is_read(
    models: Models, people: People, hear: Hear, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "NET", 0.02)
    poll = await colours(models, people)
    listener = await hear(poll.id)
    assert await listener.next()
    counted.clear()
    await until(lambda: len(counted.commands) > 3)
    listener.connection.close()
    await until(lambda: len(models.live) == 0)
    await asyncio.sleep(0.2)
    counted.clear()
    await asyncio.sleep(0.3)

    assert counted.commands == []


async def test_a_change_that_nobody_told_of_is_found(
    models: Models, people: People, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = await colours(models, people)
    monkeypatch.setattr(live, "NET", 0.2)
    listener = await hear(poll.id)
    await vote(models, poll, 1)
    await heard(listener, 1)
    models.cache.ended.clear()
    await vote(models, poll, 2)

    await heard(listener, 2)


async def test_after_an_outage_of_redis_all_that_is_watched_is_read(
    models: Models, people: People, hear: Hear, redis_wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "NET", 1000)
    poll = await colours(models, people)
    listener = await hear(poll.id)
    assert await listener.next()
    await redis_wire.cut()
    await vote(models, poll, 1)
    await redis_wire.mend()
    await heard(listener, 1)
    await vote(models, poll, 2)

    await heard(listener, 2)


async def test_who_does_not_read_is_dropped_and_nobody_waits_for_them(
    models: Models, people: People, hear: Hear, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = itertools.count()
    monkeypatch.setattr(live, "BEAT", 0.001)
    monkeypatch.setattr(live, "message", lambda poll, result: json.dumps([next(numbers), "x" * 60_000]).encode())
    poll = await colours(models, people)
    reader, dropped = await hear(poll.id), COUNTS["live.dropped"]
    with closing(mute(visitor.base_url, poll.id, buffer=4096)):
        await until(lambda: len(models.live) == 2)
        async with asyncio.timeout(20):
            while COUNTS["live.dropped"] == dropped:
                models.live._heard((poll.id,))
                await reader.connection.read_message()

        await until(lambda: len(models.live) == 1)
    assert await reader.connection.read_message()


async def test_who_pings_without_end_is_dropped(models: Models, people: People, hear: Hear) -> None:
    poll = await colours(models, people)
    listener = await hear(poll.id)
    for _ in range(handler.MOST_PINGS + 1):
        listener.connection.ping()

    assert await closed(listener) is None
    await until(lambda: len(models.live) == 0)


async def test_who_does_not_answer_a_ping_is_gone(
    models: Models, people: People, hear: Hear, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "TICK", 0.05)
    monkeypatch.setattr(live, "PING", 0.3)
    poll = await colours(models, people)
    lost = COUNTS["live.lost"]
    listener = await hear(poll.id)
    with closing(mute(visitor.base_url, poll.id)):
        await until(lambda: len(models.live) == 2)
        await until(lambda: COUNTS["live.lost"] == lost + 1)
        await until(lambda: len(models.live) == 1)
    await vote(models, poll, 1)

    await heard(listener, 1)


async def test_before_the_end_of_a_process_all_are_sent_to_another(
    models: Models, people: People, hear: Hear, visitor: Browser
) -> None:
    poll = await colours(models, people)
    listeners = [await hear(poll.id) for _ in range(3)]
    with closing(mute(visitor.base_url, poll.id)):
        await until(lambda: len(models.live) == 4)
        _, *codes = await asyncio.gather(models.live.send_all_away(), *map(closed, listeners))

        assert codes == [1012] * 3
        await until(lambda: len(models.live) == 0)
    assert await closed(await hear(poll.id)) == 1012
