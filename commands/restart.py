"""`plaza restart`: one process after another, each ready again before the next; no request fails."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

import settings as knobs
from commands import nginx, releases, starting
from commands.console import Trouble, say, step
from commands.embedded import last_line
from commands.instance import alone, choices, current
from commands.probes import ready
from commands.supervision import Supervisor
from settings import Settings

PATIENCE = 120.0  # seconds for one process to be ready again, on a machine that has much else to do
UNDER_WAY = 300.0  # seconds that what a process has begun may take, a long upload say; then it is stopped all the same


@click.command()
def command() -> None:
    """Restart the web processes and the worker, one after another, as after a change of the program or of plaza.toml.

    Nginx reads its configuration again if that changed, and Supervisor how they are started. The database and the cache are
    left alone.
    """
    settings = current()
    supervisor = Supervisor(settings)
    if supervisor.pid() is None:
        raise Trouble("Plaza is not up; start it with: plaza up")
    with alone(settings, "up"):
        if (now := releases.current(settings)) not in (None, knobs.ROOT):
            raise Trouble(f"release {now.name if now else ''} has become current meanwhile; call plaza restart again")
        starting.render_programs(settings)
        redefined = supervisor.reread()
        _web(settings, supervisor, redefined="web" in redefined)
        with step("Restarting worker"):
            if "worker" in redefined:
                supervisor.replace("worker")
            else:
                supervisor.stop("worker")
            supervisor.start("worker")
        if "events" in redefined or _is_of_another_release(supervisor, "events"):
            supervisor.replace("events")
        if others := sorted(redefined - {"web", "worker", "events"}):
            say(
                f"[yellow]![/] How {', '.join(others)} is started has changed; that comes in with: plaza down, plaza up"
            )
        if nginx.render_files(settings) or not nginx.is_read(settings) or _certificate_is_newer(settings):
            if refusal := nginx.refusal(settings):
                raise Trouble(f"Nginx goes on as it was, for it refuses its new configuration: {refusal}")
            supervisor.signal("nginx", "HUP")
            nginx.mark_read(settings)
            say("[green]✓[/] Nginx reads its configuration again")


def _web(settings: Settings, supervisor: Supervisor, *, redefined: bool) -> None:
    names = [process.name for process in supervisor.processes() if process.group == "web"]
    names.sort(key=lambda name: int(name.rpartition("-")[2]))
    if redefined:
        with step("Restarting the web processes, as they are defined now"):
            _all_beside(settings, supervisor, names)
        return
    for name in names:
        with step(f"Restarting {name}"):
            if len(names) == 1:
                _beside(settings, supervisor, name)
            else:
                _one(settings, supervisor, name)


def _one(settings: Settings, supervisor: Supervisor, name: str) -> None:
    """While it is away its socket is gone, and Nginx asks another one."""
    _finish(settings, supervisor, name)
    supervisor.stop(f"web:{name}")
    supervisor.start(f"web:{name}", wait=False)
    _until_ready(settings, supervisor, name)


def _beside(settings: Settings, supervisor: Supervisor, name: str) -> None:
    """The only web process: a second one takes its socket over, until the first is there again."""
    with _stand_in(settings, supervisor, name) as before:
        _finish(settings, supervisor, name)
        supervisor.stop(f"web:{name}")
        supervisor.start(f"web:{name}", wait=False)
        _until_replaced(settings, name, before)
        _until_ready(settings, supervisor, name)


def _all_beside(settings: Settings, supervisor: Supervisor, names: list[str]) -> None:
    """Supervisor takes another definition only of a group that has ended, so each has somebody who stands in for it meanwhile."""
    with ExitStack() as stack:
        sockets = {name: stack.enter_context(_stand_in(settings, supervisor, name)) for name in names}
        for name in names:
            _finish(settings, supervisor, name)
        supervisor.replace("web")
        now = [process.name for process in supervisor.processes() if process.group == "web"]
        for name in now:
            supervisor.start(f"web:{name}", wait=False)
        for name in now:
            if name in sockets:
                _until_replaced(settings, name, sockets[name])
            _until_ready(settings, supervisor, name)


@contextmanager
def _stand_in(settings: Settings, supervisor: Supervisor, name: str) -> Iterator[int]:
    """A web process of our own that takes the socket of `name` over, until the block ends; the socket's inode."""
    path = settings.run / f"{name}.sock"
    before = path.stat().st_ino if path.exists() else 0
    with (settings.var / "log" / f"{name}.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", f"{knobs.ROOT}/server.py", "--socket", str(path)],
            env=knobs.environment(choices(settings)), cwd=knobs.ROOT, stdout=output, stderr=output,
            start_new_session=True,  # Ctrl-C in the terminal reaches us, and we end it in order
        )  # fmt: skip
    try:
        yield _until_replaced(settings, name, before)
        _finish(settings, supervisor, name, process)
    finally:
        process.terminate()
        process.wait(settings.drain_seconds + 10)


def _finish(
    settings: Settings, supervisor: Supervisor, name: str, stand_in: "subprocess.Popen[bytes] | None" = None
) -> None:
    """Nginx gives it nothing more to do, and it finishes what it has begun: by TERM it would have `drain_seconds` for that."""

    def pid() -> int | None:
        if stand_in:
            return stand_in.pid if stand_in.poll() is None else None
        return next((process.pid for process in supervisor.processes() if process.name == name), None)

    # The process takes the file away when it has done all, and another one when it starts in its place.
    busy, asked, until = settings.run / f"{name}.leaving", pid(), time.monotonic() + UNDER_WAY
    if asked is None or not _hears(asked):
        return
    busy.touch()
    try:
        os.kill(asked, signal.SIGUSR1)
        while busy.exists() and pid() == asked and time.monotonic() < until:
            time.sleep(0.05)
    except ProcessLookupError:
        pass
    finally:
        busy.unlink(missing_ok=True)


def _hears(pid: int) -> bool:
    """Whether it knows USR1. One of an older version would be killed by it."""
    try:
        caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", Path(f"/proc/{pid}/status").read_text(), re.M)
    except OSError:
        return False
    return bool(caught and int(caught[1], 16) >> (signal.SIGUSR1 - 1) & 1)


def _until_replaced(settings: Settings, name: str, before: int) -> int:
    path = settings.run / f"{name}.sock"
    until = time.monotonic() + PATIENCE
    while True:
        now = path.stat().st_ino if path.exists() else before
        if now != before and ready(path) is None:
            return now
        if time.monotonic() > until:
            raise Trouble(f"{name} is not there again", settings.var / "log" / f"{name}.log")
        time.sleep(0.05)


def _until_ready(settings: Settings, supervisor: Supervisor, name: str) -> None:
    until = time.monotonic() + PATIENCE
    log = settings.var / "log" / f"{name}.log"
    pids: dict[str, int] = {}
    while (said := ready(settings.run / f"{name}.sock")) is not None:
        crashed = supervisor.crashed(pids, name) is not None
        if crashed or time.monotonic() > until:
            raise Trouble(f"{last_line(log) if crashed else said}; the other processes were left as they are", log)
        time.sleep(0.05)


def _is_of_another_release(supervisor: Supervisor, name: str) -> bool:
    return any(
        process.name == name and process.pid and releases.code_of(process.pid) not in (knobs.ROOT, None)
        for process in supervisor.processes()
    )


def _certificate_is_newer(settings: Settings) -> bool:
    pid = settings.run / "nginx.pid"
    if settings.tls_cert is None or not pid.exists():
        return False
    return settings.tls_cert.stat().st_mtime > pid.stat().st_mtime
