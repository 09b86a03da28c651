"""Processor time that processes have used: unlike requests per second, it hardly depends on what else the machine does."""

import os
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")  # per second


def spent(pids: Iterable[int]) -> float:
    """Seconds that these processes have computed, in user and system mode; one that is gone counts nothing."""
    return sum(int(fields[11]) + int(fields[12]) for pid in pids if (fields := _stat(pid))) / TICKS


def family(pids: Iterable[int]) -> frozenset[int]:
    """These processes and their children: Nginx's master and its workers."""
    wanted = set(pids)
    all_pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return frozenset(wanted | {pid for pid in all_pids if (fields := _stat(pid)) and int(fields[1]) in wanted})


def _stat(pid: int) -> list[str]:
    """What follows the name in /proc/PID/stat: state, parent, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
