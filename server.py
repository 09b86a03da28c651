"""One web process: settings -> models -> handlers; listens on a Unix socket (behind Nginx) or an address; drains on TERM."""

import argparse
import asyncio
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvloop
from setproctitle import setproctitle
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

import handlers
from handlers.app import App
from handlers.limits import Limits
from handlers.remembered import Remembering
from handlers.static import publish
from handlers.views import Views
from models import Models, connected, logs, sentry
from models.logs import Journal
from models.nearby import Nearby
from models.neighbours import listening
from replay.tap import Tap
from settings import Settings, SettingsError, load

log = logging.getLogger("plaza.server")

BACKLOG = 1024
FILES = 65_536  # that a process may have open, where the system lets it: each listener of live results is one
LAST_CALL = 0.05  # s; who had looked up our socket's name just before it went has connected by then
FORGOTTEN = (
    60.0  # s after which a process that has stepped aside, and is not stopped, leaves by itself, and is started again
)


@dataclass(frozen=True, slots=True)
class Running:
    settings: Settings
    models: Models
    application: Remembering


@asynccontextmanager
async def running(settings: Settings, journal: Journal | None = None) -> AsyncIterator[Running]:
    """The whole application of a process, for `main` and for the tests; what it opened is closed at the end."""
    async with connected(settings, near=True) as models:
        addresses = publish(settings.var / "static")
        views = Views(settings, addresses.__getitem__)
        app = App(settings, models, Limits(settings, models.redis), views, journal or Journal(None))
        try:
            yield Running(settings, models, handlers.application(app))
        finally:
            app.journal.flush()


@dataclass(frozen=True, slots=True)
class Door:
    """Where requests come in. With a `path`, `inode` tells our socket from that of a process that has taken over."""

    sockets: list[socket.socket]
    path: Path | None = None
    inode: int = 0

    def take_name_away(self) -> None:
        """From here on Nginx goes to the other processes. Once only: when the sockets are closed another may get our inode."""
        try:
            if self.path and self.path.stat().st_ino == self.inode:
                self.path.unlink()
        except FileNotFoundError:
            pass

    def say_that_all_is_done(self) -> None:
        """`plaza restart` has laid this file there, and waits until it is gone."""
        if self.path:
            self.path.with_suffix(".leaving").unlink(missing_ok=True)


def bind(path: Path) -> Door:
    """Listen under a temporary name and rename it over `path`, so that there is never a moment without a listener."""
    mine = path.with_name(f"{path.name}.{os.getpid()}~")
    mine.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    listener.bind(str(mine))
    mine.chmod(0o666)  # Nginx's workers may be another user; the folder says who comes this far
    listener.listen(BACKLOG)
    mine.replace(path)
    door = Door([listener], path, path.stat().st_ino)
    door.say_that_all_is_done()  # whom that was for died before it was
    return door


def listen(address: str) -> Door:
    """Listen at HOST:PORT; an IPv6 host stands in brackets."""
    host, _, port = address.rpartition(":")
    return Door(bind_sockets(int(port), host.strip("[]"), backlog=BACKLOG))


async def serve(
    settings: Settings, open_door: Callable[[], Door], name: str = "web", journal: Journal | None = None
) -> None:
    """Answer until TERM or INT, seen by the other processes as `name`; then take our name away, empty the backlog, finish what is
    under way within `drain_seconds`. Told to by USR1 before, do all that at leisure: an upload may take minutes."""
    async with running(settings, journal) as app:
        stop, aside = _told_by(signal.SIGTERM, signal.SIGINT), _told_by(signal.SIGUSR1)
        await asyncio.to_thread(app.application.app.views.load)  # a new release takes seconds for that, once
        door = open_door()  # not before there is somebody to answer
        tap = Tap(app.application, settings.run)
        # Tornado's own xheaders are off: handlers/origin.py decides whose word about the visitor's address counts.
        server = HTTPServer(tap, xheaders=False, max_body_size=settings.max_body, idle_connection_timeout=75)
        server.add_sockets(door.sockets)
        log.info("serving at %s", door.path or door.sockets[0].getsockname())
        nearby = Nearby(app.models.cache, app.models.pages)
        async with (
            app.models.figures.shown_as(name),
            listening(settings.run, name, nearby.answer),
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(tap.watch())]
            tasks += [group.create_task(_step_aside(aside, stop, door, server, app.models))]
            await stop.wait()
            for task in tasks:
                task.cancel()
        log.info("draining")
        if not aside.is_set():
            door.take_name_away()
        await _close(server, app.models)
        try:
            async with asyncio.timeout(settings.drain_seconds):
                await _all_done(server)
        except TimeoutError:
            log.warning("some requests took longer than %s s to drain", settings.drain_seconds)
        tap.leave()
        await server.close_all_connections()


async def _step_aside(
    aside: asyncio.Event, stop: asyncio.Event, door: Door, server: HTTPServer, models: Models
) -> None:
    await aside.wait()
    log.info("stepping aside")
    door.take_name_away()
    await _close(server, models)
    await _all_done(server)
    door.say_that_all_is_done()
    await asyncio.sleep(FORGOTTEN)
    stop.set()


async def _close(server: HTTPServer, models: Models) -> None:
    """Nobody comes in any more; who listens is sent to another process."""
    await asyncio.sleep(LAST_CALL)
    server.stop()
    await models.live.send_all_away()


async def _all_done(server: HTTPServer) -> None:
    # Nginx opens a connection for each request, so nothing is under way when none is open.
    while server._connections:  # noqa: ASYNC110 - Tornado tells nobody when a connection ends
        await asyncio.sleep(0.01)


def _raise_limits() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))


def _told_by(*signals: signal.Signals) -> asyncio.Event:
    told = asyncio.Event()
    for one in signals:
        asyncio.get_running_loop().add_signal_handler(one, told.set)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--socket", type=Path, help="path of the Unix socket")
    where.add_argument("--listen", metavar="HOST:PORT", help="address, without Nginx")
    options = parser.parse_args()
    try:
        settings = load()
    except SettingsError as error:
        sys.exit(f"plaza: {error}")
    _raise_limits()
    name = options.socket.stem if options.socket else f"web-{options.listen.rpartition(':')[2]}"
    journal = logs.start(settings, name)
    sentry.start(settings, name)
    setproctitle(f"plaza web {options.socket.stem if options.socket else options.listen}")
    open_door = partial(bind, options.socket) if options.socket else partial(listen, options.listen)
    uvloop.run(serve(settings, open_door, name, journal))


if __name__ == "__main__":
    main()
