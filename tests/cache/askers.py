"""The fixtures of tests that ask Redis by themselves, by a link or a desk."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from tornado.ioloop import IOLoop

from cache.link import Link
from tests.cache.asking import SECONDS, Desk, Links
from tests.cache.own_redis import OwnRedis
from tests.cache.steps import client
from tests.harness.wires import Wire


@pytest.fixture
def inside(io_loop: IOLoop, own_redis: OwnRedis) -> Iterator[Redis]:
    """The test's own look into its Redis."""
    redis = client(own_redis.url)
    yield redis
    io_loop.run_sync(redis.aclose)


@pytest.fixture
def links(io_loop: IOLoop) -> Iterator[Links]:
    found = Links()
    yield found
    io_loop.run_sync(found.close)


@pytest.fixture
def link(links: Links, own_redis: OwnRedis) -> Link:
    return links.open(own_redis.url)


@pytest.fixture
def relay(io_loop: IOLoop, own_redis: OwnRedis, tmp_path: Path) -> Iterator[Wire]:
    """Between `far` and Redis: it can be cut, and made to hang."""
    wire = Wire(tmp_path / "relay.sock", str(own_redis.socket))
    io_loop.run_sync(wire.mend)
    yield wire
    io_loop.run_sync(wire.cut)


@pytest.fixture
def far(io_loop: IOLoop, links: Links, relay: Wire) -> Link:
    """A link that has begun, on the relay."""
    link = links.open(f"unix://{relay.path}", seconds=SECONDS)
    io_loop.run_sync(link.start)
    return link


@pytest.fixture
def desk(io_loop: IOLoop, link: Link, inside: Redis) -> Desk:
    io_loop.run_sync(link.start)
    return Desk(link, inside)
