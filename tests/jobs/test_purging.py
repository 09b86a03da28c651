"""A CDN is told what it must forget: by a request or a command, in batches, with some patience."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from jobs import purging
from jobs.purging import Purging
from models import Models, edge_pages
from models.counts import COUNTS
from models.edge_news import surrogate_key
from models.edge_pages import EdgePages, Purge
from settings import Settings

BOTH = Purge(["post:7", "scope:posts"], ["/", "/blog/7-a"])


class Cdn(RequestHandler):
    """Keeps what it was told; the first `refusals` it does not take."""

    def initialize(self, told: list[tuple[dict[str, Any], str]], refusals: list[int]) -> None:
        self.told, self.refusals = told, refusals

    def post(self) -> None:
        if self.refusals:
            self.set_status(self.refusals.pop())
            return
        self.told.append((json.loads(self.request.body), self.request.headers["Surrogate-Key"]))


class Purged:
    """A CDN on loopback, and the settings of a site behind it."""

    def __init__(self, settings: Settings, *refusals: int) -> None:
        self.told: list[tuple[dict[str, Any], str]] = []
        routes = [("/purge", Cdn, {"told": self.told, "refusals": list(refusals)})]
        self.server = HTTPServer(Application(routes))
        (socket,) = bind_sockets(0, "127.0.0.1")
        self.server.add_socket(socket)
        self.settings = settings.model_copy(update={"purge_url": f"http://127.0.0.1:{socket.getsockname()[1]}/purge"})


def counted() -> tuple[int, int]:
    return COUNTS["edge.purged"], COUNTS["edge.unpurged"]


async def test_a_url_is_told_names_and_addresses(settings: Settings) -> None:
    cdn, before = Purged(settings), counted()
    await Purging(cdn.settings).purge(BOTH)
    cdn.server.stop()
    keys = [surrogate_key(name) for name in BOTH.names]

    assert cdn.told == [
        ({"keys": keys, "urls": [f"{settings.site_url}/", f"{settings.site_url}/blog/7-a"]}, " ".join(keys))
    ]
    assert counted() == (before[0] + 4, before[1])


async def test_it_is_told_again_when_it_refuses(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "PAUSE", 0.01)
    cdn, before = Purged(settings, 503, 500), counted()
    told = Purging(cdn.settings)
    await told.purge(BOTH)
    cdn.server.stop()

    assert len(cdn.told) == 1
    assert counted() == (before[0] + 4, before[1])
    assert "503" in told.failure


async def test_it_is_given_up_and_counted(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "PAUSE", 0.01)
    cdn, before = Purged(settings, *[503] * 3), counted()
    await Purging(cdn.settings).purge(BOTH)
    cdn.server.stop()

    assert cdn.told == []
    assert counted() == (before[0], before[1] + 4)


def command(script: str, *arguments: object) -> str:
    return " ".join([sys.executable, "-c", f"'{script}'", *map(str, arguments)])


async def test_a_command_is_told_the_same_at_its_input(settings: Settings, tmp_path: Path) -> None:
    script = 'import sys; open(sys.argv[1], "a").write(sys.stdin.read())'
    named = settings.model_copy(update={"purge_command": command(script, tmp_path / "told")})
    await Purging(named).purge(BOTH)

    told = json.loads((tmp_path / "told").read_text())
    assert told["keys"] == [surrogate_key(name) for name in BOTH.names]
    assert told["urls"][0] == f"{settings.site_url}/"


@pytest.mark.parametrize(
    ("script", "why"),
    [('import sys; sys.exit("no such zone")', "no such zone"), ("import time; time.sleep(60)", "no answer in time")],
)
async def test_a_command_that_fails_or_hangs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    monkeypatch.setattr(purging, "PAUSE", 0.01)
    monkeypatch.setattr(purging, "TRIES", 1)
    monkeypatch.setattr(purging, "PATIENCE", 0.5 if "sleep" in script else 30)
    told, before = Purging(settings.model_copy(update={"purge_command": command(script)})), counted()
    await told.purge(BOTH)

    assert why in told.failure
    assert counted()[1] == before[1] + 4


async def test_a_command_that_is_not_there(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "PAUSE", 0.01)
    told = Purging(settings.model_copy(update={"purge_command": "/nowhere/purge --now"}))
    await told.purge(BOTH)

    assert "/nowhere/purge" in told.failure


@pytest.fixture
def pages(models: Models) -> EdgePages:
    """Of a site with a CDN, with one page in it."""
    models.figures.settings = models.figures.settings.model_copy(update={"purge_command": "true"})
    found = EdgePages(models.figures)
    found.heard([["made", " /", time.time(), ["post:7", "user:1"]]])
    return found


async def test_a_name_is_purged_when_its_pages_are_right_in_nginx(pages: EdgePages) -> None:
    pages.heard([["wrote", time.time(), ["post:7", "session:9"]]])
    at_first = pages.to_purge(10)
    page = await pages.due()
    pages.fetched(page, time.time(), page.since, "refreshed")

    assert at_first == Purge([], [])
    assert pages.to_purge(10) == Purge(["post:7"], ["/"])
    assert pages.to_purge(10) == Purge([], [])


async def test_a_page_that_cannot_be_fetched_does_not_hold_it_up(
    pages: EdgePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages.heard([["wrote", time.time(), ["post:7"]]])
    monkeypatch.setattr(edge_pages, "LONGEST", 0.0)
    await asyncio.sleep(0.01)

    assert pages.to_purge(10) == Purge(["post:7"], [])


async def test_what_waits_has_a_bound(pages: EdgePages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_pages, "MOST_TO_PURGE", 5)
    before, now = counted(), time.time()
    pages.heard(
        [["made", " /", now, [f"post:{n}" for n in range(20)]], ["wrote", now - 1, [f"post:{n}" for n in range(20)]]]
    )

    assert len(pages.to_purge(3).names) == 3
    assert len(pages.to_purge(10).names) == 2
    assert counted()[1] == before[1] + 15
