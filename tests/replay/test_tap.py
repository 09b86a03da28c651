"""A web process tells what it is asked and answers, all of it, and nothing waits for whoever listens."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tornado.httpserver import HTTPServer
from tornado.websocket import websocket_connect

from models import Models
from replay import listening as listenings
from replay import tap as taps
from replay.tap import Tap
from server import Running
from settings import Settings
from tests.cache.steps import until
from tests.handlers.polling import lunch
from tests.harness.browser import Browser
from tests.harness.files import form
from tests.harness.people import People
from tests.replay.taping import taping

JSON = {"Accept": "application/json"}


@pytest.fixture
def choices() -> dict[str, object]:
    return {"comments_per_minute": 1000, "max_body": 3 << 20}


@pytest.fixture
def app(tapped: Tap) -> Tap:
    """What pytest-tornado's server serves."""
    return tapped


async def test_what_is_kept_whole_and_answered_at_the_door_is_told(
    visitor: Browser, settings: Settings, tmp_path: Path
) -> None:
    for _ in range(3):
        first = await visitor.get("/about")

    async with taping(settings, tmp_path / "a") as tape:
        await visitor.get("/about")
        await visitor.get("/about", if_none_match=first.headers["Etag"])
        await visitor.request("HEAD", "/about")

    whole, changed, head = tape.read().requests
    assert (whole.answer.status, changed.answer.status, head.answer.status) == (200, 304, 200)
    assert (whole.answer.length, changed.answer.length, head.answer.length) == (len(first.body), 0, 0)
    assert f'"{whole.answer.hash}"' == first.headers["Etag"]
    assert whole.answer.content_type == first.headers["Content-Type"]
    assert 0 < whole.answer.first_byte_us <= whole.answer.total_us


async def test_a_streamed_upload_is_told_up_to_the_limit(bob: Browser, settings: Settings, tmp_path: Path) -> None:
    body, headers = form("a.txt", b"x" * 300_000)

    async with taping(settings, tmp_path / "a", most_body=100_000) as tape:
        answer = await bob.request("POST", "/api/v1/files", body=body, headers={**headers, **JSON})
        await bob.get(urlsplit(answer.json()["url_i"]).path)

    sent, got = tape.read().requests
    assert (sent.answer.status, sent.body_length, sent.truncated) == (201, len(body), True)
    assert len(sent.body) == 100_000
    assert sent.answer.made[0].kind == "file"
    assert (got.answer.status, got.answer.length) == (200, 300_000)
    assert sent.answer.made[0].placeholder in got.target


async def test_an_upload_that_is_refused_before_its_end_is_told_and_ends(
    visitor: Browser, settings: Settings, tmp_path: Path
) -> None:
    body, headers = form("a.txt", b"x" * 200_000)

    async with taping(settings, tmp_path / "a") as tape:
        answer = await visitor.request("POST", "/api/v1/files", body=body, headers={**headers, **JSON})
        await visitor.get("/about")

    assert [one.answer.status for one in tape.read().requests] == [answer.status, 200]
    assert answer.status == 401


async def test_who_hangs_up_is_counted_and_holds_nothing_up(
    visitor: Browser, settings: Settings, site: Running, tmp_path: Path
) -> None:
    async with taping(settings, tmp_path / "a") as tape:
        host, port = visitor.base_url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /signin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nemail")
        await writer.drain()
        writer.close()
        await until(lambda: tape.dropped["hung up"])
        await visitor.get("/about")

    assert [one.target for one in tape.read().requests] == ["/about"]
    assert tape.dropped == {"hung up": 1}


async def test_what_only_says_upgrade_is_told_and_holds_nothing(
    tapped: Tap, visitor: Browser, settings: Settings, tmp_path: Path
) -> None:
    async with taping(settings, tmp_path / "a") as tape:
        await visitor.post("/search", {"a": "b" * 1000}, headers={"Upgrade": "h2c"})
        await visitor.post("/polls/1/live", {"a": "b" * 1000}, headers={"Upgrade": "websocket"})

    assert [one.target for one in tape.read().requests] == ["/search"]
    assert tapped._held == 0


async def test_one_that_takes_long_does_not_hold_up_the_others(
    visitor: Browser, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taps, "LONGEST_WAIT", 0)
    async with taping(settings, tmp_path / "a") as tape:
        host, port = visitor.base_url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /signin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")
        await writer.drain()
        await visitor.get("/about")
        await until(lambda: len(tape.read().requests) == 1)
        writer.write(b"email")
        await until(lambda: tape.dropped["late"])
        writer.close()

    assert [one.target for one in tape.read().requests] == ["/about"]


async def test_what_strangers_send_does_not_end_the_recording(
    visitor: Browser, settings: Settings, tmp_path: Path
) -> None:
    async with taping(settings, tmp_path / "a") as tape:
        await visitor.post_json("/api/authenticate", {"password": "x", "a": "\ud800 bob@example.org"})
        await visitor.get("/about", referer="http://a\tb/x")
        await visitor.request("M-SEARCH", "/")
        await visitor.request("get", "/about")
        await visitor.get("/about")

    assert [one.method for one in tape.read().requests] == ["POST", "GET", "M-SEARCH", "get", "GET"]
    assert not tape.dropped


async def test_listeners_of_live_results_are_left_out_and_live(
    models: Models, people: People, visitor: Browser, settings: Settings, tmp_path: Path
) -> None:
    poll = await lunch(models, people)

    async with taping(settings, tmp_path / "a") as tape:
        socket = await websocket_connect(f"{visitor.base_url.replace('http', 'ws')}/polls/{poll.id}/live")
        told = await socket.read_message()
        await visitor.get("/healthz")
        await visitor.get("/about")
        socket.close()

    assert told
    assert [one.target for one in tape.read().requests] == ["/about"]


async def test_what_a_slow_recorder_cannot_take_is_dropped_and_counted_and_nobody_waits(
    visitor: Browser, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taps, "MOST_WAITING", 30_000)

    async with taping(settings, tmp_path / "a") as tape:
        await visitor.post("/search", {"a": "b" * 40_000})
        await visitor.get("/about")

    first, second = tape.read().requests
    assert (first.target, first.body, first.truncated) == ("/search", b"", True)
    assert second.target == "/about"

    monkeypatch.setattr(taps, "MOST_WAITING", 10)
    async with taping(settings, tmp_path / "b") as tape:
        answer = await visitor.get("/about")
        await until(lambda: tape.dropped)

    assert answer.status == 200
    assert tape.read().requests == []
    assert tape.dropped == {"queue full": 1}


async def test_what_is_over_is_told_before_it_is_said_how_far_we_are(
    visitor: Browser, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taps, "SOON", 600)

    async with taping(settings, tmp_path / "a") as tape:
        await visitor.get("/about")

    assert [one.target for one in tape.read().requests] == ["/about"]
    assert not tape.dropped


@pytest.mark.parametrize(("together", "soon"), [(1, 600), (16, taps.SOON)])
async def test_what_is_over_is_told_when_there_is_enough_of_it_or_soon(
    together: int, soon: float, visitor: Browser, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taps, "TOGETHER", together)
    monkeypatch.setattr(taps, "SOON", soon)
    monkeypatch.setattr(listenings, "LAST_WORDS", 1)

    async with taping(settings, tmp_path / "a") as tape:
        monkeypatch.setattr(taps, "LOOK", 600)  # after one more look nobody says any more how far we are
        await asyncio.sleep(0.5)
        await visitor.get("/about")

    assert [one.target for one in tape.read().requests] == ["/about"]


async def test_a_body_is_kept_no_longer_than_its_request_lasts(
    tapped: Tap, visitor: Browser, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taps, "SOON", 600)

    async with taping(settings, tmp_path / "a"):
        monkeypatch.setattr(taps, "LOOK", 600)
        monkeypatch.setattr(listenings, "LAST_WORDS", 1)
        await asyncio.sleep(0.5)
        await visitor.get("/about")
        waiting = len(tapped._over)
        await visitor.post("/search", {"a": "b" * 1000})

        assert (waiting, tapped._over) == (1, [])


async def test_without_a_recorder_nothing_is_looked_at(tapped: Tap, visitor: Browser, http_server: HTTPServer) -> None:
    await visitor.get("/about")

    assert tapped._line is None
    assert not tapped._open


async def test_a_recorder_that_is_killed_leaves_its_socket_and_the_next_one_is_found(
    tapped: Tap, visitor: Browser, settings: Settings, tmp_path: Path
) -> None:
    (settings.run / "record.sock").write_text("nobody listens here")
    await visitor.get("/about")
    assert tapped._line is None

    async with taping(settings, tmp_path / "a") as tape:
        await visitor.get("/about")

    assert len(tape.read().requests) == 1
    assert not (settings.run / "record.sock").exists()
    await until(lambda: tapped._line is None)
    assert (await visitor.get("/about")).status == 200


async def test_requests_stand_in_the_order_in_which_they_began(
    bob: Browser, visitor: Browser, settings: Settings, tmp_path: Path
) -> None:
    async with taping(settings, tmp_path / "a") as tape:
        await asyncio.gather(
            bob.post("/signin", {"email": "bob@example.org", "password": "x" * 20}),
            *(visitor.get("/about") for _ in range(5)),
        )

    times = [one.t_us for one in tape.read().requests]
    assert times == sorted(times)
    assert len(times) == 6


async def test_a_share_of_the_sessions_is_recorded_whole(visitor: Browser, settings: Settings, tmp_path: Path) -> None:
    async with taping(settings, tmp_path / "a", share=0.5) as tape:
        for number in range(40):
            for _ in range(2):
                await visitor.get("/about", user_agent=f"program {number}")

    counts: dict[str, int] = {}
    for one in tape.read().requests:
        counts[one.session] = counts.get(one.session, 0) + 1
    assert set(counts.values()) == {2}
    assert 5 < len(counts) < 35


async def test_what_is_over_when_a_process_leaves_is_told_before(
    visitor: Browser, tapped: Tap, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with taping(settings, tmp_path / "a") as tape:
        for wait in ("tap.LOOK", "tap.SOON", "exchanges.TOGETHER"):  # nothing else tells it
            monkeypatch.setattr(f"replay.{wait}", 3600.0)
        await asyncio.sleep(0.1)
        await visitor.get("/about")
        tapped.leave()

    assert [one.target for one in tape.read().requests] == ["/about"]
