"""What tests of the laboratory stand on."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from replay import tap as taps
from replay.tap import Tap
from server import Running
from settings import Settings
from tests.harness.certificates import certificate_in


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """Of a server that has a certificate for localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate_in(tmp_path))
    return context


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
