"""A busy site: the highest rate that is answered in time, who answered, what it cost, and how soon writes are seen."""

import asyncio
import math
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from commands.benchmarks import cpu
from commands.benchmarks.edge_load import Load, Question, Tally, quantiles
from commands.benchmarks.edge_prober import Prober
from commands.benchmarks.edge_shares import most_hits
from commands.benchmarks.edge_traffic import WRITES, Traffic, traffic
from commands.benchmarks.laboratory import Laboratory
from commands.benchmarks.lanes import Benchmark, Figure, Subject
from commands.benchmarks.members import members
from commands.console import Trouble
from models.hits import WHOLE, Answered, by_family, counted, together
from models.metrics import Series
from models.snapshots import EVERY, read_all

LATE = 1.0  # s; before a step is measured, so much may be late, as what nobody has read for a while is made
FEWEST = 10.0  # requests a second; below that there is nothing to measure
NEAR = 1.1  # the highest rate is between the one that is told and so many times that
DOWN = 0.9  # what is tried next when the long run finds that the rate was too high
SEEN_MS, SEEN_ALWAYS_MS = 100.0, 10_000.0
SHARE = 0.90
PROBERS = 400
LOOKING = 16  # who look at the site at one moment, before all begins
LONGEST = 20.0  # s that a step may take until there is enough of it
KINDS = ("nginx", "web", "worker", "redis", "mariadb")


NONE = Answered("", 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the search begins, and ends at the latest (requests a second), and what is in time (ms at p99).

    Seconds: a step of the search, which has `enough` requests if it can for a p99, and what goes before it; the long run and what
    goes before that; how many long runs at most.
    """

    first: float = 400.0
    most: float = 20_000.0
    in_time: float = 50.0
    warm: float = 1.0
    step: float = 4.0
    enough: int = 1_000
    filled: float = 8.0
    whole: float = 20.0
    tries: int = 3


@dataclass(slots=True)
class Found:
    """The long run."""

    rate: float
    tally: Tally = field(default_factory=Tally)
    cores: dict[str, float] = field(default_factory=dict)  # what each process took, in cores
    pages: Answered = NONE
    rows: Answered = NONE
    seen: list[float] = field(default_factory=list)


PLAN = Plan()


def mix(plan: Plan = PLAN) -> Benchmark:
    return Benchmark("edge-mix", "A busy site", lambda laboratory: _subject(laboratory, plan))


def _subject(laboratory: Laboratory, plan: Plan) -> Subject:
    asked, probers = traffic(laboratory), members(laboratory, "Prober", PROBERS)
    facts: dict[str, Any] = {"writes": WRITES, "addresses": len(asked.reads)}

    def probe() -> Mapping[str, float]:
        steps: list[dict[str, Any]] = []
        facts["steps"] = steps
        found = asyncio.run(_measured(laboratory, asked, probers, plan, steps))
        facts.update(caches=dict(found.tally.caches), failed=dict(found.tally.failed), probes=len(found.seen))
        return _told(found, asked, laboratory.settings.page_ttl)

    about = f"{len(asked.posts):,} posts by Zipf's law, {WRITES:.0%} writes"
    rate = Figure("rate", f"the highest rate with p99 under {plan.in_time:.0f} ms", "a second")
    p99 = Figure("p99", "from the moment a request is due to its answer, p99", "ms", most=plan.in_time)
    return Subject(about, facts, figures=(rate, p99, *FIGURES), probe=probe, once=True)


FIGURES = (
    Figure("p50", "the same, p50", "ms"),
    Figure("reads", "of the reads alone, p99", "ms"),
    Figure("writes", "of the writes alone, p99", "ms"),
    Figure("failed", "requests that failed", "", most=0),
    Figure("l3", "reads answered by Nginx's store (L3)", "%"),
    Figure("l1", "by a page that a web process had kept (L1)", "%"),
    Figure("l2", "by one that Redis said is still right (L2)", "%"),
    Figure("made", "by a page that was made", "%"),
    Figure("rows", "rows and lists from MySQL, of all that were read", "%"),
    Figure("ratio", "L3 against what Zipf's law and the life of a page allow", "×", least=SHARE),
    Figure("nginx", "Nginx takes", "cores"),
    Figure("web", "the web processes", "cores"),
    Figure("worker", "the worker", "cores"),
    Figure("redis", "Redis", "cores"),
    Figure("mariadb", "MariaDB", "cores"),
    Figure("load", "the load itself", "cores"),
    Figure("seen_p50", "from written to seen in a page, a list and a feed, p50", "ms"),
    Figure("seen_p99", "the same, p99", "ms", most=SEEN_MS),
    Figure("seen_max", "the same, the longest", "ms", most=SEEN_ALWAYS_MS),
)


def _told(found: Found, asked: Traffic, page_ttl: float) -> dict[str, float]:
    tally, pages, rows = found.tally, found.pages, found.rows
    hits = tally.caches["HIT"] / max(1, len(tally.reads))
    allowed = most_hits((share for _, share in asked.reads), found.rate * (1 - WRITES), page_ttl)
    missed = {"l1": pages.l1, "l2": pages.l2, "made": pages.loads + pages.joined}
    p50, p99 = quantiles(tally.reads + tally.writes)
    seen = quantiles(found.seen)
    return {
        "rate": found.rate, "p50": p50, "p99": p99,
        "reads": quantiles(tally.reads)[1], "writes": quantiles(tally.writes)[1], "failed": tally.failed.total(),
        "l3": hits * 100, **{name: (1 - hits) * 100 * number / max(1, pages.reads) for name, number in missed.items()},
        "rows": 100 * (rows.share(rows.loads) or 0.0), "ratio": hits / allowed, **found.cores,
        "seen_p50": seen[0], "seen_p99": seen[1], "seen_max": max(found.seen, default=math.inf) * 1e3,
    }  # fmt: skip


async def _measured(
    laboratory: Laboratory, asked: Traffic, probers: list[str], plan: Plan, steps: list[dict[str, Any]]
) -> Found:
    load, next_one = Load(laboratory.settings.port), asked.questions()

    async def meets(rate: float) -> bool:
        """Whether all is answered in time at that rate. What was too slow may try again: the machine may have been busy."""
        for _ in range(2):
            await load.run(next_one, rate, plan.warm, within=LATE)
            tally = await load.run(
                next_one, rate, max(plan.step, min(plan.enough / rate, LONGEST)), within=plan.in_time / 1e3
            )
            steps.append({"rate": rate, "p99": tally.p99, "failed": dict(tally.failed)})
            if tally.p99 < plan.in_time and not tally.failed:
                return True
        return False

    try:
        await _known(load, asked, [*probers, *asked.writers, asked.editor])
        await _read_before(load, asked)
        rate = await highest(meets, plan.first, plan.most)
        for _ in range(plan.tries):
            found = await _long(laboratory, load, next_one, Prober(asked, load, probers), rate, plan)
            if found.tally.p99 < plan.in_time:
                break
            rate *= DOWN
    finally:
        load.close()
    return found


async def highest(meets: Callable[[float], Awaitable[bool]], first: float, most: float) -> float:
    """The highest rate that meets it, within NEAR: doubled until one does not, then halved between the two.

    Where none does it is FEWEST: the long run will say so.
    """
    good, bad, rate = 0.0, math.inf, first
    while bad > good * NEAR and good < most:
        if await meets(rate):
            good = rate
        else:
            bad = rate
        if bad <= FEWEST:
            return FEWEST
        rate = good * 2 if bad == math.inf else max(FEWEST, bad / 2) if not good else math.sqrt(good * bad)
    return good


async def _known(load: Load, asked: Traffic, tokens: list[str]) -> None:
    """Who writes has opened a page of the site before: their tokens, accounts and rights have been read. Raises Trouble."""
    await _looked(load, "who is signed in", [asked.send("GET", "/api/v1/me?on=/", token, {}) for token in tokens])


async def _read_before(load: Load, asked: Traffic) -> None:
    """Every address has been read once, the most loved last: the site has been up for a while. Raises Trouble."""
    await _looked(load, "a reader", [asked.get(path) for path, _ in sorted(asked.reads, key=lambda read: read[1])])


async def _looked(load: Load, who: str, looks: list[bytes]) -> None:
    for start in range(0, len(looks), LOOKING):
        answers = await asyncio.gather(*map(load.ask, looks[start : start + LOOKING]))
        if wrong := [answer.status for answer in answers if answer.status != 200]:
            raise Trouble(f"{who} could not look at the site: {wrong[0] or 'no answer'}")


async def _long(
    laboratory: Laboratory, load: Load, next_one: Callable[[], Question], prober: Prober, rate: float, plan: Plan
) -> Found:
    """The rate for long enough that pages have come and gone, with a prober beside it. Raises Trouble."""
    found = Found(rate, seen=prober.took)
    probing = asyncio.create_task(prober.probe(), name="prober")
    try:
        await load.run(next_one, rate, plan.filled)
        processes = _processes(laboratory)
        before, counted_before, began = _spent(processes), _counted(laboratory), time.monotonic()
        found.tally = await load.run(next_one, rate, plan.whole)
        took = time.monotonic() - began
        found.cores = {name: (spent - before[name]) / took for name, spent in _spent(processes).items()}
        await asyncio.sleep(EVERY)  # the processes tell of themselves that often
        rose = _counted(laboratory)
        rose.subtract(counted_before)
    finally:
        probing.cancel()
        (ended,) = await asyncio.gather(probing, return_exceptions=True)
    if not isinstance(ended, asyncio.CancelledError):
        raise Trouble(f"the prober ended: {ended!r}")
    families = by_family({series: max(0, value) for series, value in rose.items()})
    found.pages = next((one for one in families if one.family == WHOLE), found.pages)
    found.rows = together(one for one in families if one.family != WHOLE)
    return found


def _processes(laboratory: Laboratory) -> dict[str, frozenset[int]]:
    """The numbers of the processes of each kind, ours too."""
    return {kind: laboratory.pids(kind) for kind in KINDS} | {"load": frozenset((os.getpid(),))}


def _spent(processes: Mapping[str, frozenset[int]]) -> dict[str, float]:
    return {name: cpu.spent(pids) for name, pids in processes.items()}


def _counted(laboratory: Laboratory) -> "Counter[Series]":
    """What the web processes have counted since they began, up to a second ago."""
    return Counter(counted(one for one in read_all(laboratory.settings.run) if one.process.startswith("web")))
