"""What is kept of a request: its name, one line in the log, its spans for staff and for the slow log."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from handlers.tracing import ASKED_BY
from models import slow
from models.logs import Journal
from server import Running, running
from settings import Settings
from tests.handlers.conftest import Town
from tests.harness.browser import Browser

TIMES = {ASKED_BY: "1"}
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def log() -> io.BytesIO:
    return io.BytesIO()


@pytest.fixture
def journal(log: io.BytesIO) -> Journal:
    return Journal(log)


@pytest.fixture
def site(io_loop: IOLoop, settings: Settings, journal: Journal) -> Iterator[Running]:
    """As everywhere, but its requests are written down."""
    context = running(settings, journal)
    yield io_loop.run_sync(context.__aenter__)
    io_loop.run_sync(lambda: context.__aexit__(None, None, None))


@pytest.fixture
def person(request: pytest.FixtureRequest, who: str) -> Browser:
    found: Browser = request.getfixturevalue(who)
    return found


@pytest.fixture
def lines(log: io.BytesIO, journal: Journal) -> Lines:
    def read() -> list[dict[str, Any]]:
        journal.flush()
        return [json.loads(line) for line in log.getvalue().decode().splitlines()]

    return read


async def test_each_request_is_one_line_with_its_name_route_status_time_and_person(
    bob: Browser, town: Town, lines: Lines
) -> None:
    answer = await bob.get("/account?x=1")

    line = lines()[-1]
    assert line["request"] == answer.headers["X-Request-Id"]
    assert (line["method"], line["path"], line["route"], line["status"]) == ("GET", "/account", "account", 200)
    assert line["user"] == town.talk.author_id
    assert line["bytes"] == len(answer.body)
    assert 0 < line["ms"] < 15_000
    assert line["sql"] >= 1
    assert line["sql_ms"] <= line["ms"]


async def test_the_line_tells_how_far_the_question_went(browse: Callable[[], Browser], lines: Lines) -> None:
    await browse().get("/archive")
    for _ in range(20):  # Redis may be too slow on a busy machine; then MySQL is asked again
        await browse().get("/archive")
        if lines()[-1]["cache"] == "redis":
            break
    await browse().get("/healthz")

    cold, *_, warm, health = lines()
    assert (cold["cache"], cold["route"]) == ("mysql", "archive")
    assert cold["misses"] > 0 < cold["sql"]
    assert (warm["cache"], warm["misses"], warm["sql"]) == ("redis", 0, 0)
    assert warm["hits"] > 0 < warm["redis_ms"]
    assert warm["template_ms"] > 0
    assert health["route"] == "healthz"


async def test_errors_and_what_is_no_request_have_a_line_too(
    browse: Callable[[], Browser], site: Running, lines: Lines
) -> None:
    answer = await browse().get('/nothing"\\/here')
    await browse().request("BREW", "/", body=b"")
    await browse().get("/static/nothing.css")

    missing, strange, static = lines()[-3:]
    assert missing["path"] == '/nothing"\\/here'
    assert missing["request"] == answer.headers["X-Request-Id"]
    assert (missing["status"], strange["status"], static["status"]) == (404, 405, 404)
    assert strange["method"] == "?"


async def test_a_strangers_own_request_id_is_not_believed(browse: Callable[[], Browser], site: Running) -> None:
    answer = await browse().get("/about", x_request_id="deadbeefdeadbeef")
    again = await browse().get("/about")

    assert answer.headers["X-Request-Id"] not in ("deadbeefdeadbeef", again.headers["X-Request-Id"])


async def test_secrets_in_addresses_are_not_in_the_line(browse: Callable[[], Browser], lines: Lines) -> None:
    token = "vGKlAHRg5519qpKbUDqG0zFKOkT5pJ6QIZFhH-ixyas"
    await browse().get(f"/reset/{token}?token={token}&mail=alice@example.org")
    await browse().get(f"/register?invite={token}")

    said = json.dumps(lines()[-2:])
    assert token not in said
    assert "alice" not in said


async def test_who_reads_the_log_may_go_away(browse: Callable[[], Browser], journal: Journal, log: io.BytesIO) -> None:
    log.close()
    for _ in range(3):
        assert (await browse().get("/about")).status == 200
        journal.flush()


@pytest.mark.parametrize("choices", [{"slow_request": 1e-6, "slow_query": 0}])
async def test_a_slow_request_is_in_the_slow_log_with_its_spans(
    browse: Callable[[], Browser], town: Town, tmp_path: Path
) -> None:
    path = tmp_path / "slow.jsonl"
    slow.into(path)
    try:
        answer = await browse().get(town.path)
    finally:
        for handler in list(slow.log.handlers):
            slow.log.removeHandler(handler)
            handler.close()

    (line,) = [json.loads(text) for text in path.read_text().splitlines()]
    assert (line["slow"], line["route"], line["request"]) == ("request", "post", answer.headers["X-Request-Id"])
    assert {span["kind"] for span in line["spans"]} >= {"sql", "redis", "template"}
    assert all(0 <= span["at"] <= line["ms"] and span["ms"] <= line["ms"] for span in line["spans"])


@pytest.mark.parametrize("who", ["alice", "olga", "ada"])
async def test_staff_are_told_the_times_of_a_page_in_its_place(who: str, person: Browser, town: Town) -> None:
    for path, status in ((town.path, 200), ("/account", 200), ("/blog/999999-x", 404), (f"/blog/{town.post.id}", 301)):
        answer = await person.request("GET", path, headers=TIMES)
        times = answer.json()
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Location" not in answer.headers
        assert times["status"] == status
        assert times["level"] in ("fast", "middling", "slow")
        assert times["request"] == answer.headers["X-Request-Id"]
        assert all(len(span) == len(times["columns"]) for span in times["spans"])
    assert "DRAFT" not in answer.text


@pytest.mark.parametrize("who", ["visitor", "bob"])
async def test_nobody_else_is(who: str, person: Browser, town: Town) -> None:
    plain = await person.get(town.path)
    answer = await person.request("GET", town.path, headers=TIMES)

    assert answer.body == plain.body
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_times_are_for_gets_alone_and_change_no_permission(alice: Browser, town: Town) -> None:
    made = await alice.post("/account/name", {"name": "Alice Again"}, headers=TIMES)
    refused = await alice.request("GET", "/manage/roles", headers=TIMES)

    assert made.status == 303
    assert refused.json()["status"] == 403


@pytest.mark.parametrize("choices", [{"timing_badge": False}])
async def test_the_badge_can_be_switched_off(ada: Browser, town: Town) -> None:
    page = await ada.request("GET", town.path, headers=TIMES)
    me = (await ada.get(f"/api/v1/me?on={town.path}")).json()
    manage = await ada.get("/account")

    assert page.headers["Content-Type"].startswith("text/html")
    assert "timing" not in f"{me['scripts']} {me['styles']}"
    assert "/static/timing." not in manage.text


async def test_me_brings_the_badge_to_staff_alone(alice: Browser, bob: Browser, town: Town) -> None:
    staff = (await alice.get(f"/api/v1/me?on={town.path}")).json()
    member = (await bob.get(f"/api/v1/me?on={town.path}")).json()

    for address in (*staff["scripts"], *staff["styles"]):
        assert (await alice.get(address)).status == 200
    assert "timing" in f"{staff['scripts']} {staff['styles']}"
    assert "timing" not in f"{member['scripts']} {member['styles']}"
    assert "/static/timing." in (await alice.get("/account")).text
    assert "/static/timing." not in (await bob.get("/account")).text
    assert "/static/timing." not in (await alice.get(town.path)).text
