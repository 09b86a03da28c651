"""The fixtures of the races: processes on a stage, with a truth in a dict or in MySQL, over a common Redis or their own."""

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
from tornado.ioloop import IOLoop

from settings import Settings
from tests.cache.notes import CommitWire, Desks
from tests.cache.own_redis import OwnRedis
from tests.cache.steps import Stage, folder_url
from tests.harness.servers import Databases
from tests.harness.wires import Wire


@pytest.fixture
def redis_socket(databases: Databases) -> str:
    """Where the common Redis listens."""
    return databases.redis_socket


@pytest.fixture
def stage(io_loop: IOLoop, redis_socket: str) -> Iterator[Stage]:
    """Processes over the common Redis, in a namespace that no other run of the test has; the truth is a dict."""
    yield from _on(io_loop, Stage(folder_url(Path(redis_socket)), f"t.{token_hex(8)}"))


@pytest.fixture
def own_redis(io_loop: IOLoop, tmp_path: Path) -> Iterator[OwnRedis]:
    """A Redis that only this test has."""
    redis = OwnRedis(tmp_path)
    io_loop.run_sync(redis.start)
    yield redis
    io_loop.run_sync(redis.kill)


@pytest.fixture
def own_stage(io_loop: IOLoop, own_redis: OwnRedis) -> Iterator[Stage]:
    """Processes over a Redis of their own; the truth is a dict."""
    yield from _on(io_loop, Stage(own_redis.url, "own"))


def _on(io_loop: IOLoop, stage: Stage) -> Iterator[Stage]:
    yield stage
    io_loop.run_sync(stage.close)


@pytest.fixture
def desks(io_loop: IOLoop, stage: Stage, settings: Settings) -> Iterator[Desks]:
    """Processes over a database of the test's own and the common Redis."""
    desks = Desks(stage, settings)
    io_loop.run_sync(desks.start)
    yield desks
    io_loop.run_sync(stage.close)
    io_loop.run_sync(desks.close)


@pytest.fixture
def commit_wire(io_loop: IOLoop, databases: Databases, tmp_path: Path) -> Iterator[CommitWire]:
    """A wire to MySQL that can lose the reply to a COMMIT, or bring a COMMIT late."""
    wire = CommitWire(tmp_path / "commit.sock", databases.mysql_socket)
    io_loop.run_sync(wire.mend)
    yield wire
    wire.through.set()
    io_loop.run_sync(wire.cut)


@pytest.fixture
def side_wire(io_loop: IOLoop, redis_socket: str, tmp_path: Path) -> Iterator[Wire]:
    """A wire to the common Redis for those processes of a test that are told its path; the others do not notice a cut."""
    wire = Wire(tmp_path / "side.sock", redis_socket)
    io_loop.run_sync(wire.mend)
    yield wire
    io_loop.run_sync(wire.cut)
