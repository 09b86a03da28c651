"""What tests of the laboratory stand on."""

import asyncio
from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from replay import tap as taps
from replay.tap import Tap
from server import Running
from settings import Settings


@pytest.fixture
def tapped(site: Running, settings: Settings, io_loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tap]:
    """The site of the test, whose tap looks often for a recorder; a module says `app` is it."""
    monkeypatch.setattr(taps, "LOOK", 0.02)
    made = Tap(site.application, settings.run)
    settings.run.mkdir(parents=True, exist_ok=True)
    watching = asyncio.ensure_future(made.watch(), loop=io_loop.asyncio_loop)  # type: ignore[attr-defined]
    yield made
    watching.cancel()
    io_loop.run_sync(lambda: asyncio.wait((watching,)))
