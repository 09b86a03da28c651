"""`plaza up`: prepares what is missing, starts everything, waits until it answers, and says where."""

import asyncio
import errno
import logging
import os
import tempfile
import time
import traceback
from pathlib import Path

import click

import models
import settings as knobs
from commands import demo, instance, orphans, starting
from commands.console import Trouble, say, step
from commands.migrate import migrate
from commands.places import make_folders
from commands.supervision import Supervisor
from settings import Settings


@click.command()
@click.option("--port", type=int, help="The port that Nginx answers at.  [default: 8000]")
@click.option("--web", type=int, help="How many web processes.  [default: one for each CPU, two at least]")
@click.option("--host", help="The address that Nginx listens at; 0.0.0.0 for everybody.  [default: 127.0.0.1]")
@click.option("--no-demo", is_flag=True, help="Start with an empty site.")
def command(port: int | None, web: int | None, host: str | None, no_demo: bool) -> None:
    """Start everything, and prepare it where that was not done yet.

    The first time: a database, its tables, and demo content, all under var/. A second `up` says that it is up.
    """
    given = {"port": port, "web": web, "host": host}
    told = knobs.from_environment() | {name: str(value) for name, value in given.items() if value is not None}
    settings = knobs.load(**told)
    try:
        make_folders(settings)
        with instance.alone(settings, "up"):
            _up(settings, told, with_demo=not no_demo)
    except Trouble as trouble:
        trouble.log = trouble.log or _write_log(settings, trouble.message)
        raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        text = f"the disk of {settings.var} is full" if full else f"{error.strerror}: {error.filename}"
        raise Trouble(text, _write_log(settings, text)) from error
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        raise Trouble(text, _write_log(settings, text)) from error


def _up(settings: Settings, told: dict[str, str], *, with_demo: bool) -> None:
    supervisor = Supervisor(settings)
    if supervisor.pid() is not None:
        _already(settings, supervisor)
        return
    instance.refuse_half_restored(settings)
    orphans.end(settings)
    for port in filter(None, (settings.port, settings.http_port)):
        starting.check_port(settings.host, port)
    instance.keep_choices(settings, told | {"var": str(settings.var)})
    with step("Preparing the database"):
        starting.prepare(settings)
    try:
        with step("Starting the database and the cache"):
            starting.start_supervisor(settings, told)
            # They take a second to load, and ask for nothing before Nginx is there.
            supervisor.start("web:*", wait=False)
            starting.wait_for_servers(settings, supervisor)
        with step("Bringing the tables up to date"):
            migrate(settings)
        supervisor.start("worker", wait=False)
        if with_demo:
            _demo(settings)
        with step(f"Starting {settings.web} web processes and Nginx"):
            starting.start_site(settings, supervisor)
        link = asyncio.run(_invitation(settings))
    except BaseException:
        supervisor.shutdown()  # leave nothing half started
        raise
    _greet(settings, link)


def _already(settings: Settings, supervisor: Supervisor) -> None:
    running = instance.current()
    unwell = [process for process in supervisor.processes() if process.state != "RUNNING"]
    if unwell:
        names = ", ".join(f"{process.name} ({process.state})" for process in unwell)
        log = settings.var / "log" / f"{unwell[0].name}.log"
        raise Trouble(f"Plaza is up at {running.site_url}, but not well: {names}", log)
    say(f"Plaza is up at [bold]{running.site_url}/[/]")
    if (running.port, running.host, running.web) != (settings.port, settings.host, settings.web):
        say("[dim]To start it with other options, stop it first: plaza down[/]")


def _demo(settings: Settings) -> None:
    """Load the demo content once in the life of a site that has nothing else."""
    mark = settings.var / "etc" / "demo"
    if mark.exists():
        return
    with step("Writing the demo content"):
        asyncio.run(_load_demo(settings))
    mark.touch()


async def _load_demo(settings: Settings) -> None:
    async with models.connected(settings) as tables:
        if (await tables.posts.front(1)).item_count == 0:
            await demo.load(tables)


async def _invitation(settings: Settings) -> str | None:
    async with models.connected(settings) as tables:
        if await tables.users.any_admin():
            return None
        return f"{settings.site_url}/register?invite={await tables.links.invite_admin()}"


def _greet(settings: Settings, link: str | None) -> None:
    say()
    say(f"  Plaza is up at  [bold]{settings.site_url}/[/]")
    if link:
        say(f"  Become its administrator, once, within two days:\n  [cyan]{link}[/]")
    say("\n  [dim]plaza status · plaza logs -f · plaza down[/]")


def _write_log(settings: Settings, text: str) -> Path | None:
    """The whole story of a failed start; beside the other logs where that can be written, else in /tmp."""
    story = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {text}\n{traceback.format_exc()}"
    try:
        path = settings.var / "log" / "up.log"
        with path.open("a") as file:
            file.write(story)
        return path
    except OSError:
        try:
            number, name = tempfile.mkstemp(prefix="plaza-up-", suffix=".log")
            with os.fdopen(number, "w") as file:
                file.write(story)
            return Path(name)
        except OSError:
            logging.getLogger(__name__).debug("nowhere to log to")
            return None
