"""The fixtures of L1: two processes over the common Redis, a wire for the pushes of one, and a maker of pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from cache import records
from cache.pages import Pages
from settings import Settings
from tests.cache.sides import Maker, Side, end, side, until
from tests.harness.servers import Databases
from tests.harness.wires import Wire


def _on(io_loop: IOLoop, settings: Settings, pushes: str = "") -> Iterator[Side]:
    made = io_loop.run_sync(lambda: side(settings.redis, settings.namespace, pushes))
    yield made
    io_loop.run_sync(lambda: end(made))


@pytest.fixture
def here(io_loop: IOLoop, settings: Settings) -> Iterator[Side]:
    yield from _on(io_loop, settings)


@pytest.fixture
def there(io_loop: IOLoop, settings: Settings) -> Iterator[Side]:
    yield from _on(io_loop, settings)


@pytest.fixture
def wire(io_loop: IOLoop, databases: Databases, tmp_path: Path) -> Iterator[Wire]:
    wire = Wire(tmp_path / "pushes.sock", databases.redis_socket)
    io_loop.run_sync(wire.mend)
    yield wire
    io_loop.run_sync(wire.cut)


@pytest.fixture
def on_wire(io_loop: IOLoop, settings: Settings, wire: Wire) -> Iterator[Side]:
    """The link goes to Redis, the pushes come over a wire."""
    yield from _on(io_loop, settings, f"unix://{wire.path}?db=0")


@pytest.fixture
def maker(here: Side, io_loop: IOLoop) -> Maker:
    maker = Maker(here, Pages(here.local, here.link.get, records.stamp))

    async def fill() -> None:
        ticket = here.local.ticket("c")
        for n, name in enumerate("abc"):
            await maker.set(name, n)
        await until(lambda: not ticket.alive)

    io_loop.run_sync(fill)
    return maker
