"""A mistake of the tap costs a recording at most, and never the web process that it stands in."""

import asyncio
from pathlib import Path

import pytest
from tornado.web import Application

from replay import tap
from replay.tap import Tap


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
