"""What a figure means nothing without: the machine, what else it did during the run, and where it was at its own limits."""

import os
import platform
import re
import resource
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

Value = TypeVar("Value")

OWN_CPU = 0.8  # of a core, for each process that sends; above it what was measured is the generator
NO_DESCRIPTOR, NO_PORT = "no descriptor", "no port"  # outcomes of requests that this machine could not even send
MAX_OPEN = "max open"  # of those for which no more connections were allowed
SPARE = 64  # descriptors that a process has besides its connections
_TICKS = os.sysconf("SC_CLK_TCK")  # per second
_PROC = Path("/proc")
# How the processes of a site call themselves.
_KINDS = {
    "nginx": re.compile(r"nginx(:|$)"), "web": re.compile(r"plaza web"), "worker": re.compile(r"plaza worker"),
    "mysql": re.compile(r"mariadbd|mysqld"), "redis": re.compile(r"redis-server"),
}  # fmt: skip


def facts() -> dict[str, Any]:
    """For `Run.machine`."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "cpu": _cpu(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


class Shares:
    """Who computed how much from now on: by kind of process, in cores. Empty where there is no /proc."""

    def __init__(self, own: Sequence[int] = ()) -> None:
        """`own` are the processes of the generator, besides this one."""
        self._own = {os.getpid(), *own}
        self._machine, self._processes = _timed(_machine_spent), _timed(_spent)

    def by_kind(self) -> dict[str, float]:
        """`generator`, those of `_KINDS` that are here, `other`: the rest of the machine, and the kernel by itself; and `stolen`:
        what a virtual machine was to have while others had its cores. Whoever was to send then was late."""
        processes, all_cores = _timed(_spent), _timed(_machine_spent)
        sums: Counter[str] = Counter()
        for process, ticks in processes.value.items():
            sums["generator" if process[0] in self._own else process[1]] += ticks - self._processes.value.get(
                process, 0
            )
        took = processes.since(self._processes)
        cores = {kind: ticks / took for kind, ticks in sums.items()}
        took = all_cores.since(self._machine)
        busy, stolen = (now - then for now, then in zip(all_cores.value, self._machine.value, strict=True))
        cores["other"] = max(0.0, busy / took - sum(share for kind, share in cores.items() if kind))
        if stolen > 0:
            cores["stolen"] = stolen / took
        kinds = ("generator", *_KINDS, "other", "stolen")
        return {kind: round(cores[kind], 3) for kind in kinds if kind in cores}


def go_first() -> None:
    """This process before all others, where the system allows it: what it sends wakes the target, and who is woken on the same
    core would go before the next that is to be sent."""
    if hasattr(os, "sched_setscheduler"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))


def go_in_turn() -> None:
    """As all others again: what is sent goes first, not what is done with the answers."""
    if hasattr(os, "sched_setscheduler"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def own_limits(wanted: int) -> str | None:
    """Allow this process as many descriptors as it may have; a sentence when those are too few for so many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (OSError, ValueError):  # macOS does not take infinity
            pass
    if soft != resource.RLIM_INFINITY and wanted + SPARE > soft:
        return f"{wanted:,} connections need more descriptors than this process may have ({soft:,}): raise ulimit -n"
    ports = _ports()
    if ports and wanted > ports:
        return f"{wanted:,} connections to one address need more local ports than there are ({ports:,})"
    return None


def reasons(own_cpu: Sequence[float], outcomes: Mapping[str, int]) -> list[str]:
    """Why a run says more about this machine than about the target: each a line for `Run.why`, none when it does not."""
    found = [
        f"the generator{f' (worker {number})' if len(own_cpu) > 1 else ''} computed {share:.0%} of the time; above"
        f" {OWN_CPU:.0%} it measures itself: use more --workers, or a lower rate"
        for number, share in enumerate(own_cpu, 1)
        if share > OWN_CPU
    ]
    if missed := outcomes.get(NO_DESCRIPTOR):
        found.append(f"{missed:,} requests found no free descriptor on this machine: raise ulimit -n")
    if missed := outcomes.get(MAX_OPEN):
        found.append(f"{missed:,} requests were not sent, for all connections that --max-open allows were in use")
    if missed := outcomes.get(NO_PORT):
        found.append(f"{missed:,} requests found no free local port on this machine")
    return found


def _cpu() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", (_PROC / "cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def _ports() -> int:
    try:
        low, high = (_PROC / "sys/net/ipv4/ip_local_port_range").read_text().split()
    except (OSError, ValueError):
        return 0
    return int(high) - int(low) + 1


class _Timed(NamedTuple, Generic[Value]):
    """What was read, and when: on a busy machine it takes a while to go through all processes."""

    value: Value
    at: float

    def since(self, earlier: "_Timed[Value]") -> float:
        """In ticks."""
        return max((self.at - earlier.at) * _TICKS, 1.0)


def _timed(read: Callable[[], Value]) -> _Timed[Value]:
    began = time.monotonic()
    value = read()
    return _Timed(value, (began + time.monotonic()) / 2)


def _spent() -> dict[tuple[int, str], int]:
    """Ticks that each process has computed, by number and kind; "" is the kind of what is no part of a site."""
    found = {}
    for folder in _PROC.iterdir() if _PROC.is_dir() else ():
        if folder.name.isdigit():
            try:
                name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
                title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:  # it has ended
                continue
            fields = rest.split()
            found[int(folder.name), _kind(name, title)] = int(fields[11]) + int(fields[12])
    return found


def _kind(name: str, title: str) -> str:
    return next((kind for kind, named in _KINDS.items() if named.match(name) or named.match(title)), "")


def _machine_spent() -> tuple[int, int]:
    """Ticks that all cores were not idle, and that they were to run and others had them (steal, as proc(5) has it)."""
    try:
        user, nice, system, _, _, irq, softirq, steal, *_ = map(int, (_PROC / "stat").read_text().split()[1:10])
    except (OSError, ValueError):
        return 0, 0
    return user + nice + system + irq + softirq, steal
