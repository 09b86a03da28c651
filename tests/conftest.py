"""The fixtures of all tests. A coroutine named `test_...` runs on pytest-tornado's loop; nothing needs to be marked."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
from argon2 import PasswordHasher
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import Application

from models import Models, connected, image_work, passwords
from server import Running, running
from settings import Settings
from tests.harness import people as everybody
from tests.harness.browser import Browser
from tests.harness.counting import Counted, counting
from tests.harness.people import People
from tests.harness.post_office import PostOffice
from tests.harness.servers import Databases, run_servers
from tests.harness.site import Site, run_site
from tests.harness.webs import web
from tests.harness.wires import Wire

Value = TypeVar("Value")
_controller = pytest.StashKey[ExitStack]()
_folder = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """No loop but pytest-tornado's own: asyncio would make one when first asked, and nobody would close it."""
    asyncio.set_event_loop(None)
    # argon2id as everywhere, but so cheap that a thousand tests can sign in.
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    # Pictures get the time that nobody else wants, and tests want all of it.
    image_work.PATIENCE = 90.0


def pytest_itemcollected(item: pytest.Item) -> None:
    """Every coroutine test is a `gen_test`."""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        item.add_marker(pytest.mark.gen_test)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """With xdist the controller runs the servers, and tells every worker where they are."""
    config: pytest.Config = node.config
    if _controller not in config.stash:
        config.stash[_controller] = ExitStack()
        config.stash[_folder] = config.stash[_controller].enter_context(run_servers())
    node.workerinput["plaza_servers"] = str(config.stash[_folder])


def pytest_unconfigure(config: pytest.Config) -> None:
    if _controller in config.stash:
        config.stash[_controller].close()


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Makes databases, on servers that run as long as the tests."""
    told: dict[str, str] = getattr(request.config, "workerinput", {})
    if "plaza_servers" in told:
        yield Databases(Path(told["plaza_servers"]), told["workerid"])
    else:
        with run_servers() as folder:
            yield Databases(folder, "one")


@pytest.fixture
def choices() -> dict[str, Any]:
    """Settings that a test module or a test (by `@pytest.mark.parametrize("choices", [{...}])`) wants to be different."""
    return {}


@pytest.fixture
def settings(request: pytest.FixtureRequest, databases: Databases, choices: dict[str, Any]) -> Iterator[Settings]:
    """A database, a Redis namespace and a folder that no other test has; its servers on wires, if the test has those."""
    with databases.fresh(**choices) as fresh:
        if "redis_wire" in request.fixturenames:
            wire: Wire = request.getfixturevalue("redis_wire")
            fresh = fresh.model_copy(update={"redis_url": f"unix://{wire.path}?db=0"})
        if "mysql_wire" in request.fixturenames and fresh.mysql_url:
            wire = request.getfixturevalue("mysql_wire")
            fresh = fresh.model_copy(update={"mysql_url": fresh.mysql_url.partition("=")[0] + f"={wire.path}"})
        yield fresh


def _entered(loop: IOLoop, context: AbstractAsyncContextManager[Value]) -> Iterator[Value]:
    value: Value = loop.run_sync(context.__aenter__)
    yield value
    loop.run_sync(lambda: context.__aexit__(None, None, None))


@pytest.fixture
def site(io_loop: IOLoop, settings: Settings) -> Iterator[Running]:
    """All that a web process has."""
    yield from _entered(io_loop, running(settings))


@pytest.fixture
def app(site: Running) -> Application:
    """What pytest-tornado's `http_server` serves."""
    return site.application


@pytest.fixture
def models(request: pytest.FixtureRequest, settings: Settings, io_loop: IOLoop) -> Iterator[Models]:
    """The models of the site when the test has one; else over connections of their own."""
    if "site" in request.fixturenames or "http_server" in request.fixturenames:
        yield request.getfixturevalue("site").models
    else:
        yield from _entered(io_loop, connected(settings))


@pytest.fixture
def other_models(io_loop: IOLoop, settings: Settings) -> Iterator[Models]:
    """Another process's models over the same servers."""
    yield from _entered(io_loop, connected(settings))


@pytest.fixture
def near(io_loop: IOLoop, settings: Settings) -> Iterator[Models]:
    """The models of a web process beside, "web-0", which keeps what it reads and is asked by the others what that is."""
    yield from _entered(io_loop, web(settings, "web-0"))


@pytest.fixture
def people(io_loop: IOLoop, models: Models) -> People:
    found: People = io_loop.run_sync(lambda: everybody.find(models))
    return found


@pytest.fixture
def browse(
    http_client: AsyncHTTPClient, http_server: HTTPServer, base_url: str, site: Running
) -> Callable[[], Browser]:
    """`browse()` is a new visitor."""
    return lambda: Browser(http_client, base_url, site.models)


def _signed_in(name: str) -> Any:
    def fixture(io_loop: IOLoop, browse: Callable[[], Browser], people: People) -> Browser:
        browser: Browser = io_loop.run_sync(lambda: browse().sign_in(people.named(name)))
        return browser

    return pytest.fixture(fixture, name=name)


visitor = _signed_in("visitor")
alice = _signed_in("alice")
bob = _signed_in("bob")
olga = _signed_in("olga")
ada = _signed_in("ada")


@pytest.fixture
def counted() -> Iterator[Counted]:
    """What is asked of MySQL and Redis from here on; `clear()` begins anew."""
    with counting() as found:
        yield found


@pytest.fixture
def redis_wire(io_loop: IOLoop, databases: Databases, tmp_path: Path) -> Iterator[Wire]:
    """The wire on which the settings of the test find Redis."""
    wire = Wire(tmp_path / "r.sock", databases.redis_socket)
    io_loop.run_sync(wire.mend)
    yield wire
    io_loop.run_sync(wire.cut)


@pytest.fixture
def mysql_wire(io_loop: IOLoop, databases: Databases, tmp_path: Path) -> Iterator[Wire]:
    """The wire on which the settings of the test find MySQL."""
    wire = Wire(tmp_path / "m.sock", databases.mysql_socket)
    io_loop.run_sync(wire.mend)
    yield wire
    io_loop.run_sync(wire.cut)


@pytest.fixture
def post_office(io_loop: IOLoop) -> Iterator[PostOffice]:
    """A mail server on loopback; a module whose `choices` name it has a site with mail."""
    office = PostOffice()
    io_loop.run_sync(office.open)
    yield office
    io_loop.run_sync(office.close)


@pytest.fixture(scope="module")
def whole_site(databases: Databases) -> Iterator[Site]:
    """Nginx, a web process, and a database for the tests of one module together."""
    with run_site(databases) as running_site:
        yield running_site
