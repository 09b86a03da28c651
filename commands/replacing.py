"""A web process makes way for a new one, and meanwhile somebody answers at each socket that Nginx needs."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import settings as knobs
from commands.children import end
from commands.console import Trouble
from commands.embedded import last_line
from commands.instance import choices
from commands.probes import listener, ready
from commands.supervision import Supervisor
from settings import Settings

PATIENCE = 120.0  # seconds for one process to be ready again, on a machine that has much else to do
UNDER_WAY = 300.0  # seconds that what a process has begun may take, a long upload say; then it is stopped all the same
SPARE = 2  # others that answer; of so many one may die meanwhile


def replace(settings: Settings, supervisor: Supervisor, name: str, names: list[str]) -> None:
    """Have the web process `name` of these start anew. Raises Trouble; then the others were left as they are."""
    others = sum(ready(settings.run / f"{other}.sock") is None for other in names if other != name)
    if others >= SPARE:
        _renew(settings, supervisor, name)
    else:
        with _stand_in(settings, name):
            _renew(settings, supervisor, name)


def replace_all(settings: Settings, supervisor: Supervisor, names: list[str]) -> None:
    """Supervisor takes another definition only of a group that has ended, so each has somebody who stands in for it meanwhile."""
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(_stand_in(settings, name))
        for name in names:
            _finish(settings, name, partial(supervisor.pid_of, name))
        supervisor.replace("web")
        now = [process.name for process in supervisor.processes() if process.group == "web"]
        for name in now:
            supervisor.start(f"web:{name}", wait=False)
        for name in now:
            _until_there(settings, supervisor, name)


def _renew(settings: Settings, supervisor: Supervisor, name: str) -> None:
    """While it is away, who stands in for it has its socket; or there is none, and Nginx asks another process."""
    _finish(settings, name, partial(supervisor.pid_of, name))
    supervisor.stop(f"web:{name}")
    supervisor.start(f"web:{name}", wait=False)
    _until_there(settings, supervisor, name)


@contextmanager
def _stand_in(settings: Settings, name: str) -> Iterator[None]:
    """A web process of our own has the socket of `name`, until the block ends. If it does not start, nothing was taken away."""
    beside = f"beside-{name.rpartition('-')[2]}"
    # A log of its own, anew each time: the last line of the other one shall be the word of a process that does not start.
    path, log = settings.run / f"{beside}.sock", settings.var / "log" / f"{beside}.log"
    orphan = listener(path)  # of a restart that was killed
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", f"{knobs.ROOT}/server.py", "--socket", str(path)],
            env=knobs.environment(choices(settings)), cwd=knobs.ROOT, stdout=output, stderr=output,
            start_new_session=True,  # Ctrl-C in the terminal reaches us, and we end it in order
        )  # fmt: skip

    def pid() -> int | None:
        return process.pid if process.poll() is None else None

    try:
        _wait(path, log, pid, lambda: process.poll() is not None)
        _take_over(path, settings.run / f"{name}.sock")
        if orphan:
            with suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGTERM)
        yield
        _finish(settings, beside, pid)
    finally:
        end(process, settings.drain_seconds + 10)


def _take_over(path: Path, socket: Path) -> None:
    """Who asks at `socket` from now on is answered by who listens at `path`; there is no moment without anybody."""
    fresh = socket.with_name(f"{path.name}~")
    fresh.unlink(missing_ok=True)
    fresh.hardlink_to(path)
    fresh.replace(socket)


def _finish(settings: Settings, name: str, pid: Callable[[], int | None]) -> None:
    """Nginx gives it nothing more to do, and it finishes what it has begun: by TERM it would have `drain_seconds` for that."""
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


def _until_there(settings: Settings, supervisor: Supervisor, name: str) -> None:
    """Until the process that Supervisor has started answers at its socket, not who stands in for it."""
    pids: dict[str, int] = {}
    path, log = settings.run / f"{name}.sock", settings.var / "log" / f"{name}.log"
    _wait(path, log, partial(supervisor.pid_of, name), lambda: supervisor.crashed(pids, name) is not None)


def _wait(path: Path, log: Path, pid: Callable[[], int | None], crashed: Callable[[], bool]) -> None:
    """Until the process of that number listens at `path`, and is ready. Raises Trouble."""
    until = time.monotonic() + PATIENCE
    while True:
        who = pid()
        said = ready(path) if who is not None and listener(path) == who else f"{log.stem} is not there again"
        if said is None:
            return
        has_crashed = crashed()
        if has_crashed or time.monotonic() > until:
            raise Trouble(f"{last_line(log) if has_crashed else said}; the other processes were left as they are", log)
        time.sleep(0.05)
