"""`plaza up`: prepares what is missing, starts everything, waits until it answers, and says where."""

import asyncio
import errno
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import click

import models
import settings as knobs
from commands import demo, embedded, instance, orphans
from commands.console import Trouble, say, step
from commands.migrate import migrate, reachable
from commands.places import binary, make_folders, program_line, render, render_nginx, values
from commands.probes import fetch, ready
from commands.supervision import Process, Supervisor
from settings import Settings

PATIENCE = 60.0  # seconds for all processes to be ready
BROKEN = {"BACKOFF", "FATAL", "EXITED"}


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
        return _already(settings, supervisor)
    orphans.end(settings)
    for port in filter(None, (settings.port, settings.http_port)):
        _check_port(settings.host, port)
    instance.keep_choices(settings, told | {"var": str(settings.var)})
    with step("Preparing the database"):
        _prepare(settings)
    try:
        with step("Starting the database and the cache"):
            _start_supervisor(settings, told)
            _wait_for_servers(settings, supervisor)
        with step("Bringing the tables up to date"):
            migrate(settings)
        supervisor.start("web:*", wait=False)
        supervisor.start("worker", wait=False)
        if with_demo:
            _demo(settings)
        with step(f"Starting {settings.web} web processes and Nginx"):
            _start_site(settings, supervisor)
        link = asyncio.run(_invitation(settings))
    except BaseException:
        supervisor.shutdown()  # leave nothing half started
        raise
    _greet(settings, link)
    return None


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


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            why = {
                errno.EADDRINUSE: f"port {port} of {host} is taken by another program; choose another with --port",
                errno.EACCES: f"port {port} needs an administrator; choose one above 1023 with --port",
                errno.EADDRNOTAVAIL: f"{host} is not an address of this machine",
            }
            raise Trouble(why.get(error.errno or 0, f"cannot listen at {host}:{port}: {error.strerror}")) from None


def _prepare(settings: Settings) -> None:
    """Render every configuration; make the data directory; try what is not ours before anything starts."""
    if binary("nginx") is None:
        raise Trouble("Nginx is not installed: apt-get install nginx")
    own: dict[str, object] = {"mysql_command": "", "redis_command": ""}
    if settings.mysql_url is None:
        embedded.prepare_mysql(settings)
        own["mysql_command"] = program_line(embedded.mysql_command(settings))
    else:
        reachable(settings)
    if settings.redis_url is None:
        embedded.prepare_redis(settings)
        own["redis_command"] = program_line(embedded.redis_command(settings))
    elif said := embedded.redis_answers(settings):
        raise Trouble(f"Redis (PLAZA_REDIS_URL) does not answer: {said}")
    render_nginx(settings)
    render("supervisord.conf", values(settings) | own, settings.var / "etc" / "supervisord.conf")
    log = settings.var / "log" / "nginx.log"
    test = [binary("nginx") or "", "-t", "-q", "-e", "stderr", "-p", str(settings.var)]
    done = subprocess.run([*test, "-c", f"{settings.var}/etc/nginx.conf"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        log.write_text(done.stderr)
        raise Trouble(f"Nginx refuses its configuration: {embedded.last_line(log)}", log)


def _start_supervisor(settings: Settings, told: dict[str, str]) -> None:
    log = settings.var / "log" / "supervisord.log"
    environment = knobs.environment(told | {"var": str(settings.var)})
    done = subprocess.run(
        [sys.executable, "-P", "-m", "supervisor.supervisord", "-c", f"{settings.var}/etc/supervisord.conf"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=knobs.ROOT,
    )  # fmt: skip
    if done.returncode != 0:
        with log.open("a") as file:
            file.write(done.stdout + done.stderr)
        raise Trouble(f"Supervisor does not start: {embedded.last_line(log)}", log)


def _wait_for_servers(settings: Settings, supervisor: Supervisor) -> None:
    def lives(name: str) -> bool:
        found = supervisor.processes()
        return not found or not any(process.name == name and process.state in BROKEN for process in found)

    if settings.redis_url is None:
        log = settings.var / "log" / "redis.log"
        embedded.wait_for("Redis", lambda: embedded.redis_answers(settings), log, lambda: lives("redis"))
    if settings.mysql_url is None:
        log = settings.var / "log" / "mariadb.log"
        embedded.wait_for("MariaDB", lambda: embedded.mysql_answers(settings), log, lambda: lives("mariadb"))


def _start_site(settings: Settings, supervisor: Supervisor) -> None:
    until = time.monotonic() + PATIENCE
    for number in range(settings.web):
        _until_ready(settings, supervisor, number, until)
    supervisor.start("nginx", wait=False)
    said = "no answer"
    while time.monotonic() < until:
        broken = _broken(supervisor)
        if broken:
            break
        try:
            status, _, body = fetch(settings, "/readyz")
            processes = supervisor.processes()
            if status == 200 and all(process.state == "RUNNING" for process in processes):
                return
            said = " ".join(f"{process.name} {process.state}" for process in processes)
            said = said if status == 200 else f"{status} {body[:200]!r}"
        except OSError as error:
            said = str(error)
        time.sleep(0.05)
    else:
        raise Trouble(f"the site does not answer at {settings.site_url}: {said}", settings.var / "log" / "nginx.log")
    raise _does_not_start(settings, broken)


def _until_ready(settings: Settings, supervisor: Supervisor, number: int, until: float) -> None:
    path = settings.run / f"web-{number}.sock"
    while (said := ready(path)) is not None:
        if broken := _broken(supervisor):
            raise _does_not_start(settings, broken)
        if time.monotonic() > until:
            raise Trouble(said, settings.var / "log" / f"web-{number}.log")
        time.sleep(0.05)


def _broken(supervisor: Supervisor) -> Process | None:
    return next((process for process in supervisor.processes() if process.state in BROKEN), None)


def _does_not_start(settings: Settings, process: Process) -> Trouble:
    log = settings.var / "log" / f"{process.name}.log"
    return Trouble(f"{process.name} does not start: {embedded.last_line(log) or process.said}", log)


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
