"""Processes that outlived a killed supervisord: they keep the port and the database's lock, so they are ended first."""

import os
import signal
import time
from pathlib import Path

from commands.console import Trouble
from settings import Settings

PATIENCE = 20.0  # seconds for a database to close its files


def end(settings: Settings) -> None:
    """End what a dead supervisord left behind, and forget its pid files. Raises Trouble when something stays."""
    pidfile = settings.run / "supervisord.pid"
    left = _left_behind(pidfile)
    for name in ("supervisord.pid", "nginx.pid"):
        (settings.run / name).unlink(missing_ok=True)
    for pid in left:
        _signal(pid, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while left := [pid for pid in left if _signal(pid, 0)]:
        if time.monotonic() > until:
            raise Trouble(f"processes of an earlier start do not end: {', '.join(map(str, left))}")
        time.sleep(0.05)


def _left_behind(pidfile: Path) -> list[int]:
    """Supervisord leads a session that all its children are in; its number names the session even after its death."""
    try:
        session, written = int(pidfile.read_text()), pidfile.stat().st_mtime
    except (OSError, ValueError):
        return []
    if written < _booted() or _signal(
        session, 0
    ):  # numbers from before the last boot mean nothing; nor does a reused one
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.getsid(int(entry.name)) == session and entry.stat().st_uid == os.geteuid():
                found.append(int(entry.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def _booted() -> float:
    lines = Path("/proc/stat").read_text().splitlines()
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), 0.0)


def _signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
