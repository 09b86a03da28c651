"""Live results: who may listen, what they hear, and when they are let go."""

import asyncio
import itertools
import json
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import HTTPClientError
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import create_signed_value

from handlers import live as handler
from models import Models, live
from models.counts import COUNTS
from models.poll_rules import NewPoll
from models.polls import Poll
from settings import Settings
from tests.cache.steps import until
from tests.harness.browser import Browser
from tests.harness.counting import Counted
from tests.harness.listeners import Listener, listen
from tests.harness.people import People
from tests.harness.wires import Wire

Hear = Callable[..., Awaitable[Listener]]
VISITOR = "a1" * 16
HANDSHAKE = (
    "GET /polls/{id}/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def colours(models: Models, people: People, **fields: object) -> Poll:
    new = NewPoll("Which colour?", ("Red", "绿"), **{"visitors": True, **fields})  # type: ignore[arg-type]
    return await models.polls.create(new, by=people.alice)


@pytest.fixture
def hear(io_loop: IOLoop, http_server: HTTPServer, base_url: str) -> Iterator[Hear]:
    """`await hear(poll.id)` is somebody who listens until the test ends."""
    opened: list[Listener] = []

    async def one(poll_id: int, cookies: Mapping[str, str] | None = None, **headers: str) -> Listener:
        opened.append(await listen(base_url, poll_id, cookies=cookies, **headers))
        return opened[-1]

    yield one
    for listener in opened:
        io_loop.run_sync(listener.close)


async def vote(models: Models, poll: Poll, number: int) -> None:
    """By a voter of that number, for the first or the second choice."""
    await models.ballots.cast(poll, [poll.choices[number % 2].id], voter=f"{number:032x}")


async def heard(listener: Listener, voters: int) -> None:
    """Until so many have voted, as the listener is told."""
    while (said := await listener.next()) is None or said["voters"] != voters:
        assert said, "it was closed"


async def closed(listener: Listener) -> int | None:
    """How it was closed, after whatever was said before."""
    while await listener.next() is not None:
        pass
    return listener.code


def mute(base_url: str, poll_id: int, *, buffer: int = 0) -> socket.socket:
    """Somebody who shakes hands, and neither reads nor answers."""
    parts = urlsplit(base_url)
    deaf = socket.socket()
    if buffer:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    deaf.connect((parts.hostname, parts.port))
    deaf.sendall(HANDSHAKE.format(id=poll_id).encode())
    return deaf


async def test_who_listens_is_sent_the_result_and_each_change(
    models: Models, other_models: Models, people: People, hear: Hear
) -> None:
    poll = await colours(models, people)
    listener = await hear(poll.id)

    assert await listener.next() == {"id": poll.id, "status": "open", "voters": 0, "votes": [0, 0], "version": 0}

    cast = await other_models.ballots.cast(poll, [poll.choices[1].id], voter=people.bob)
    said = await listener.next()

    assert said == {"id": poll.id, "status": "open", "voters": 1, "votes": [0, 1], "version": cast.result.version}

    await other_models.polls.close(poll.id, by=people.alice)
    said = await listener.next()

    assert said
    assert said["status"] == "closed"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_strangers_are_refused(
    headers: dict[str, str], status: int, models: Models, people: People, hear: Hear
) -> None:
    poll = await colours(models, people)

    with pytest.raises(HTTPClientError) as refused:
        await hear(poll.id, **headers)
    assert refused.value.code == status


async def test_a_page_of_our_own_is_let_in(models: Models, people: People, hear: Hear, visitor: Browser) -> None:
    poll = await colours(models, people)

    assert await (await hear(poll.id, Origin=visitor.base_url)).next()
    assert await (await hear(poll.id, Sec_Fetch_Site="same-origin")).next()


async def test_only_polls_that_readers_see_are_listened_to(models: Models, people: People, hear: Hear) -> None:
    trashed = await colours(models, people)
    await models.polls.trash(trashed.id, by=people.alice)

    for id in (trashed.id, 999_999, 10**18 - 1):
        with pytest.raises(HTTPClientError) as refused:
            await hear(id)
        assert refused.value.code == 404


async def test_who_is_no_websocket_is_told_so(models: Models, people: People, visitor: Browser) -> None:
    poll = await colours(models, people)
    answer = await visitor.get(f"/polls/{poll.id}/live")
    broken = await visitor.get(f"/polls/{poll.id}/live", upgrade="websocket", connection="upgrade")

    assert (answer.status, answer.headers["Upgrade"]) == (426, "websocket")
    assert answer.json()["message"] == "This address is for WebSockets."
    assert broken.status == 426


async def test_results_after_the_vote_are_for_voters(
    models: Models, people: People, settings: Settings, hear: Hear, bob: Browser, alice: Browser
) -> None:
    poll = await colours(models, people, results="after_vote", visitors=True)
    await models.ballots.cast(poll, [poll.choices[0].id], voter=people.bob)
    await models.ballots.cast(poll, [poll.choices[0].id], voter=VISITOR)
    signed = create_signed_value(settings.secret_key, "voter", VISITOR).decode()

    for cookies in ({}, alice.cookies, {"voter": "forged"}):
        listener = await hear(poll.id, cookies=cookies)
        assert await listener.next() is None
        assert listener.code == 4403
    for cookies in (bob.cookies, {"voter": signed}):
        said = await (await hear(poll.id, cookies=cookies)).next()
        assert said
        assert said["votes"] == [2, 0]


async def test_who_has_not_voted_is_let_go_when_a_poll_is_opened_again(
    models: Models, people: People, hear: Hear, bob: Browser
) -> None:
    poll = await colours(models, people, results="after_vote")
    await models.ballots.cast(poll, [poll.choices[0].id], voter=people.bob)
    await models.polls.close(poll.id, by=people.alice)
    voter, other = await hear(poll.id, cookies=bob.cookies), await hear(poll.id)
    assert await voter.next() == await other.next()
    await models.polls.reopen(poll.id, by=people.alice)

    assert await closed(other) == 4403
    said = await voter.next()
    assert said
    assert said["status"] == "open"


async def test_results_after_the_close_are_told_then_and_not_before(models: Models, people: People, hear: Hear) -> None:
    poll = await colours(models, people, results="after_close")
    listener = await hear(poll.id)
    await vote(models, poll, 1)
    await until(lambda: models.live._rooms[poll.id].sent)  # there was something to tell
    await models.polls.close(poll.id, by=people.alice)

    said = await listener.next()
    assert said
    assert (said["status"], said["votes"]) == ("closed", [0, 1])


async def test_a_poll_in_the_trash_has_no_listeners(models: Models, people: People, hear: Hear) -> None:
    poll = await colours(models, people)
    listener = await hear(poll.id)
    await models.polls.trash(poll.id, by=people.alice)

    assert await closed(listener) == 4403
    await until(lambda: len(models.live) == 0)


async def test_many_votes_are_few_messages_and_the_last_is_told(
    models: Models, people: People, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BEAT", 1.0)
    poll = await colours(models, people)
    listener = await hear(poll.id)
    assert await listener.next()
    began, before = time.monotonic(), COUNTS["live.sent"]
    for number in range(30):
        await vote(models, poll, number)
    await heard(listener, 30)

    assert COUNTS["live.sent"] - before <= time.monotonic() - began + 2


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
    models.cache.ended = lambda names: None
    await vote(models, poll, 1)

    await heard(listener, 1)


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


@pytest.mark.parametrize(("said", "code"), [("hello", 1008), ("x" * 2000, 1009)])
async def test_who_speaks_is_sent_away(said: str, code: int, models: Models, people: People, hear: Hear) -> None:
    poll = await colours(models, people)
    listener = await hear(poll.id)
    await listener.connection.write_message(said)

    assert await closed(listener) == code
    await until(lambda: len(models.live) == 0)


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


async def test_there_is_room_for_so_many_and_no_more(
    models: Models, people: People, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "MOST_LISTENERS", 1)
    poll = await colours(models, people)
    await hear(poll.id)

    with pytest.raises(HTTPClientError) as refused:
        await hear(poll.id)
    assert refused.value.code == 503
    assert refused.value.response
    assert int(refused.value.response.headers["Retry-After"]) > 0


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


async def test_it_is_seen_how_many_listen(models: Models, people: People, hear: Hear) -> None:
    poll = await colours(models, people)
    await hear(poll.id)

    assert models.figures.seen[live.LISTENERS] == 1
