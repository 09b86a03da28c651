"""What an answer costs by the level that has it: microseconds of processor in all processes that work for it."""

from collections.abc import Mapping
from itertools import count
from typing import Any

from commands.benchmarks import cpu, wrk
from commands.benchmarks.crowds import read_pages
from commands.benchmarks.laboratory import Laboratory
from commands.benchmarks.lanes import Benchmark, Figure, Subject
from commands.benchmarks.pages import PATHS, past
from commands.console import Trouble

SECONDS = 1.5  # of each level; processor time hardly depends on what else the machine does
WARM, ENOUGH = 0.5, 200  # s, requests
UNREAD = 300  # posts that nobody has read, of the size of real ones
_FRESH = count()

FIGURES = (
    Figure("hit", "L3: Nginx has the page", "µs"),
    Figure("past", "past L3, through Nginx: a web process has the page (L1)", "µs"),
    Figure("l1", "L1 alone, no Nginx: a web process has the page", "µs"),
    Figure("l2", "L2, no Nginx: one that keeps no rows asks Redis", "µs"),
    Figure("mysql", "nobody has anything, no Nginx: made from MySQL", "µs"),
)


def _levels(laboratory: Laboratory) -> Subject:
    path = PATHS["post"](laboratory)
    facts: dict[str, Any] = {"path": path, "unread": UNREAD}

    def probe() -> Mapping[str, float]:
        nginx, web, alone = laboratory.nginx, laboratory.web(), laboratory.web(l1_memory="0")
        redis = laboratory.pids("redis")
        return {
            "hit": _spent(nginx.address + path, nginx.pids),
            "past": _spent(nginx.address + path, nginx.pids | redis, past(laboratory)),
            "l1": _spent(web.address + path, web.pids | redis),
            "l2": _spent(alone.address + path, alone.pids | redis),
            "mysql": _unread(laboratory),
        }

    return Subject("a post", facts, figures=FIGURES, probe=probe, once=True)


def _spent(url: str, pids: frozenset[int], headers: Mapping[str, str] = wrk.NONE) -> float:
    """Microseconds for one request of wrk's, when all is warm. Raises Trouble."""
    wrk.run(url, WARM, headers)
    for times in (1, 4, 16):  # a machine that others use may need longer
        before = cpu.spent(pids)
        sample = wrk.run(url, SECONDS * times, headers)
        if sample.requests >= ENOUGH and not sample.failed:
            return (cpu.spent(pids) - before) * 1e6 / sample.requests
    raise Trouble(f"{url}: {sample.requests} answers, {sample.failed}")


def _unread(laboratory: Laboratory) -> float:
    """Of posts that are each asked for once, in a process and under a namespace of their own."""
    name = f"unread-{next(_FRESH)}"
    paths = [f"/blog/{post.id}-{post.slug}" for post in laboratory.posts[-UNREAD:]]
    with laboratory.fresh_door(name, namespace=name) as door:
        read_pages(door.address, ["/about"])  # its connections are open now
        pids = door.pids | laboratory.pids("redis", "mariadb")
        before = cpu.spent(pids)
        read_pages(door.address, paths)
        return (cpu.spent(pids) - before) * 1e6 / len(paths)


LEVELS = Benchmark("edge-levels", "Processor time by level", _levels)
