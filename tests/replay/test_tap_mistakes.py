"""A mistake of the tap costs a recording at most, and never the web process that it stands in."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tornado.web import Application

from replay import tap
from replay.tap import Tap
from settings import Settings
from tests.harness.browser import Browser
from tests.replay.taping import taping


@pytest.fixture
def app(tapped: Tap) -> Tap:
    """What pytest-tornado's server serves."""
    return tapped


class _Mistaken(Tap):
    """Fails at its first look."""

    def __init__(self, run: Path) -> None:
        super().__init__(Application(), run)
        self.looks, self.again = 0, asyncio.Event()

    async def _look(self) -> None:
        self.looks += 1
        if self.looks == 1:
            raise KeyError("nobody thought of this")
        self.again.set()


async def test_who_watches_goes_on_after_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap, "LOOK", 0.01)
    mistaken = _Mistaken(tmp_path)
    watching = asyncio.create_task(mistaken.watch())
    try:
        await asyncio.wait_for(mistaken.again.wait(), 30)

        assert not watching.done()
    finally:
        watching.cancel()


async def test_an_exchange_that_cannot_be_packed_is_counted_and_the_others_are_told(
    tapped: Tap, visitor: Browser, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = tapped._pack

    def packed(value: tuple[Any, ...]) -> Any:
        if "/about" in value:
            value = (*value, "\ud800")  # half a sign
        return pack(value)

    monkeypatch.setattr(tapped, "_pack", packed)
    async with taping(settings, tmp_path / "a") as tape:
        for path in ("/archive", "/about", "/polls"):
            assert (await visitor.get(path)).status == 200

    assert [one.target for one in tape.read().requests] == ["/archive", "/polls"]
    assert tape.dropped == {"cannot be packed": 1}
