"""What each process of this host has counted, in a small file of its own that it replaces every second.

Whoever wants to know reads all of them, without Redis and MySQL: in an outage, too, and whichever process is asked.
"""

import time
from dataclasses import dataclass, fields
from pathlib import Path

import msgpack

from models.metrics import Series

EVERY = 1.0  # s
LONGEST = 10.0  # s; a process that has not written for so long is not counted any more


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One process at one moment; `started` and `at` are seconds since 1970. `born` is when the kernel says that it was made, for
    numbers of processes come again. Of `times` the counts by class (`cache.counts.BOUNDS`) and the sum in seconds."""

    process: str
    pid: int
    born: int
    started: float
    at: float
    counters: dict[Series, float]
    gauges: dict[Series, float]
    times: dict[Series, tuple[tuple[int, ...], float]]


def folder(run: Path) -> Path:
    return run / "figures"


def write(run: Path, snapshot: Snapshot) -> None:
    """Replace the file of this process. Raises OSError."""
    path = folder(run) / snapshot.process
    mine = path.with_name(f".{snapshot.process}.{snapshot.pid}~")
    path.parent.mkdir(parents=True, exist_ok=True)
    mine.write_bytes(msgpack.packb([getattr(snapshot, field.name) for field in fields(snapshot)]))
    mine.replace(path)


def remove(run: Path, process: str, pid: int) -> None:
    """Take the file of a process away, unless another has taken over its name."""
    path = folder(run) / process
    if (there := _read(path)) and there.pid == pid:
        path.unlink(missing_ok=True)


def read_all(run: Path) -> list[Snapshot]:
    """Those of the processes that live, by name. Files that cannot be read are left out."""
    try:
        paths = sorted(path for path in folder(run).iterdir() if not path.name.startswith("."))
    except OSError:
        return []  # nobody has written yet
    return [snapshot for path in paths if (snapshot := _read(path)) and _lives(snapshot)]


def born(pid: int) -> int:
    """When the kernel made the process, in its own units; 0 when there is none, or when the kernel does not say."""
    try:
        # After the name, which may hold anything: the state first, and twenty fields on the start.
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if told[0] in "ZX" else int(told[19])


def _read(path: Path) -> Snapshot | None:
    try:
        return Snapshot(*msgpack.unpackb(path.read_bytes(), use_list=False, strict_map_key=False))
    except (OSError, ValueError, TypeError, msgpack.UnpackException):
        return None  # it ended just now, or is of another version of ours


def _lives(snapshot: Snapshot) -> bool:
    return born(snapshot.pid) == snapshot.born and abs(time.time() - snapshot.at) <= LONGEST
