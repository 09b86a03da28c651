"""Processes that outlived a killed supervisord: they keep the port and the database's lock, so they are ended first."""

import os
import signal
import time
from pathlib import Path

from commands.console import Trouble
from settings import Settings

PATIENCE = 20.0  # seconds for a database to close its files


def end(settings: Settings) -> bool:
    """End what a dead supervisord left behind, and forget its pid files; True if there was something.

    Raises Trouble when something stays.
    """
    left = found = _left_behind(settings.run / "supervisord.pid")
    for pid in left:
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            continue
    until = time.monotonic() + PATIENCE
    while left := [pid for pid in left if lives(pid)]:
        if time.monotonic() > until:
            raise Trouble(f"processes of an earlier start do not end: {', '.join(map(str, left))}")
        time.sleep(0.05)
    for name in ("supervisord.pid", "nginx.pid"):
        (settings.run / name).unlink(missing_ok=True)
    return bool(found)


def lives(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent to notice does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def _left_behind(pidfile: Path) -> list[int]:
    """Supervisord leads a session that all its children are in; its number names the session even after its death."""
    try:
        session, written = int(pidfile.read_text()), pidfile.stat().st_mtime
    except (OSError, ValueError):
        return []
    if written < _booted() or lives(session):  # numbers from before the last boot mean nothing; nor does a reused one
        return []
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getsid(int(entry.name)) == session and lives(int(entry.name)):
                found.append(int(entry.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def _booted() -> float:
    lines = Path("/proc/stat").read_text().splitlines()
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), 0.0)
