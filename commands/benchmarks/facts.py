"""What a figure means nothing without: the machine, the versions, the commit, and what else the machine was doing."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import tornado

from commands.benchmarks.wrk import CONNECTIONS
from commands.places import binary
from settings import ROOT

REMARK = (
    "wrk is a closed loop: each of its connections asks again only when it has been answered. So its latencies are those of a "
    "server driven as hard as it goes, and a stall counts once where real visitors would have kept coming (coordinated "
    "omission). Compare p99 between lanes; do not promise it to anybody. CPU µs is what the answering processes (web, Nginx; "
    "not MariaDB and Redis) computed for one request."
)


def gather() -> dict[str, str | int | float]:
    """Facts by name, in the order in which they are shown."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "tornado": tornado.version,
        "nginx": _version("-v", "nginx"),
        "mariadb": _version("--version", "mariadbd", "mysqld"),
        "redis": _version("--version", "redis-server"),
        "connections": CONNECTIONS,
    }


def commit() -> str:
    """The commit of this checkout, with a + when files differ from it; empty where there is no git."""
    line = ["git", "-C", os.fspath(ROOT), "describe", "--always", "--dirty=+", "--abbrev=10", "--exclude=*"]
    try:
        return subprocess.run(line, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def _cpu() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _version(flag: str, *names: str) -> str:
    program = binary(*names)
    if program is None:
        return ""
    done = subprocess.run([program, flag], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)*", (done.stdout + done.stderr).replace(program, ""))
    return found[0] if found else ""
