"""The steps of `plaza up`: configuration, Supervisor, the servers of our own, the site."""

import errno
import socket
import subprocess
import sys
import time

import settings as knobs
from commands import embedded, nginx
from commands.console import Trouble
from commands.migrate import reachable
from commands.places import binary, program_line, render, values
from commands.probes import fetch, ready
from commands.supervision import BROKEN, Process, Supervisor
from settings import Settings

PATIENCE = 60.0  # seconds for all processes to be ready


def check_port(host: str, port: int) -> None:
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


def prepare(settings: Settings) -> None:
    """Render every configuration; make the data directory; try what is not ours before anything starts."""
    if binary("nginx") is None:
        raise Trouble("Nginx is not installed: apt-get install nginx")
    if settings.mysql_url is None:
        embedded.prepare_mysql(settings)
    else:
        reachable(settings)
    if settings.redis_url is None:
        embedded.prepare_redis(settings)
    elif said := embedded.redis_answers(settings):
        raise Trouble(f"Redis (PLAZA_REDIS_URL) does not answer: {said}")
    nginx.render_files(settings)
    render_programs(settings)
    if refusal := nginx.refusal(settings):
        log = settings.var / "log" / "nginx.log"
        log.write_text(refusal + "\n")
        raise Trouble(f"Nginx refuses its configuration: {embedded.last_line(log)}", log)


def render_programs(settings: Settings) -> None:
    """Write what Supervisor reads: which programs there are, and how each is started."""
    own = {
        "mysql_command": program_line(embedded.mysql_command(settings)) if settings.mysql_url is None else "",
        "redis_command": program_line(embedded.redis_command(settings)) if settings.redis_url is None else "",
        "nginx_command": program_line(nginx.command(settings)),
    }
    render("supervisord.conf", values(settings) | own, settings.var / "etc" / "supervisord.conf")


def start_supervisor(settings: Settings, told: dict[str, str]) -> None:
    log = settings.var / "log" / "supervisord.log"
    environment = knobs.environment(told | {"var": str(settings.var)})
    done = subprocess.run(
        [sys.executable, "-P", "-m", "supervisor.supervisord", "-c", f"{settings.var}/etc/supervisord.conf"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=settings.var,
    )  # fmt: skip
    if done.returncode != 0:
        with log.open("a") as file:
            file.write(done.stdout + done.stderr)
        raise Trouble(f"Supervisor does not start: {embedded.last_line(log)}", log)


def wait_for_servers(settings: Settings, supervisor: Supervisor) -> None:
    def lives(name: str) -> bool:
        found = supervisor.processes()
        return not found or not any(process.name == name and process.state in BROKEN for process in found)

    if settings.redis_url is None:
        log = settings.var / "log" / "redis.log"
        embedded.wait_for("Redis", lambda: embedded.redis_answers(settings), log, lambda: lives("redis"))
    if settings.mysql_url is None:
        log = settings.var / "log" / "mariadb.log"
        embedded.wait_for("MariaDB", lambda: embedded.mysql_answers(settings), log, lambda: lives("mariadb"))


def start_site(settings: Settings, supervisor: Supervisor) -> None:
    until = time.monotonic() + PATIENCE
    pids: dict[str, int] = {}
    for number in range(settings.web):
        _until_ready(settings, supervisor, number, until, pids)
    supervisor.start("nginx", wait=False)
    nginx.mark_read(settings)
    said = "no answer"
    while time.monotonic() < until:
        broken = supervisor.crashed(pids)
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


def _until_ready(settings: Settings, supervisor: Supervisor, number: int, until: float, pids: dict[str, int]) -> None:
    path = settings.run / f"web-{number}.sock"
    while (said := ready(path)) is not None:
        if broken := supervisor.crashed(pids):
            raise _does_not_start(settings, broken)
        if time.monotonic() > until:
            raise Trouble(said, settings.var / "log" / f"web-{number}.log")
        time.sleep(0.05)


def _does_not_start(settings: Settings, process: Process) -> Trouble:
    log = settings.var / "log" / f"{process.name}.log"
    return Trouble(f"{process.name} does not start: {embedded.last_line(log) or process.said}", log)
