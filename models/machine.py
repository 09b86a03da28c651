"""What the kernel says of this process, and what runs in it."""

import os
import platform
import resource
import tomllib
from pathlib import Path

from settings import ROOT

VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PYTHON = platform.python_version()
_SELF, _PAGE = Path("/proc/self"), os.sysconf("SC_PAGE_SIZE")


def processor_seconds() -> float:
    """Time of a processor that this process has used, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_bytes() -> int:
    """Memory in use; 0 where the kernel does not say."""
    try:
        return int((_SELF / "statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0


def open_files() -> int:
    """Files and sockets that are open; 0 where the kernel does not say."""
    try:
        return len(os.listdir(_SELF / "fd"))
    except OSError:
        return 0
