"""The figures of this process, gathered from where each is counted, and written down every second for all who ask."""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, get_args

from cache import Cache
from cache.counts import Times
from cache.link import Answer, Filled
from cache.pages import Pages
from models import machine, snapshots
from models.counts import COUNTS, REFRESHES, STATEMENTS
from models.database import Database
from models.history import History, Sample
from models.loop_lag import LoopLag
from models.metrics import Series
from models.snapshots import Snapshot
from settings import Settings

log = logging.getLogger("plaza.figures")

_UNSTORED = {"down": "unstored down", "late": "unstored late", "write": "acquire bypass"}
_FILLED = {**{outcome: f"fill {outcome}" for outcome in get_args(Filled)}, "too_big": "too_big"}
Told = Iterator[tuple[Series, float]]


class Figures:
    """What this process knows of itself, and through files of the others; nothing here asks Redis or MySQL.

    `seen` is for gauges of what somebody looks at now and then.
    """

    def __init__(self, settings: Settings, db: Database, cache: Cache, pages: Pages[Any]) -> None:
        self.settings, self._run = settings, settings.run
        self._db, self._cache, self._pages = db, cache, pages
        self._past = History(settings.var / "figures" / "history.sqlite")
        self._lag = LoopLag()
        self._requests: dict[tuple[str, int], Times] = {}
        self._duties: dict[Series, float] = {}
        self._started, self._born = time.time(), snapshots.born(os.getpid())
        self._process = ""
        self.seen: dict[Series, float] = {}

    def request(self, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        times = self._requests.get((route, status))
        if times is None:
            times = self._requests[route, status] = Times()
        times.note(seconds)

    def duty(self, name: str, seconds: float, *, failed: bool) -> None:
        """A duty of the worker has ended."""
        for metric, more in (("runs", 1), ("failures", int(failed)), ("seconds", seconds)):
            series = (f"plaza_duty_{metric}_total", name)
            self._duties[series] = self._duties.get(series, 0) + more
        self.seen["plaza_duty_last_end_timestamp_seconds", name] = time.time()

    def snapshot(self) -> Snapshot:
        """This process, now."""
        counters = {**dict(self._counted_in_cache()), **dict(self._counted_elsewhere()), **self._duties}
        gauges = {**dict(self._gauges()), **dict(self._gauges_of_l1()), **self.seen}
        times: dict[Series, Times] = {("plaza_mysql_seconds",): STATEMENTS, ("plaza_edge_refresh_seconds",): REFRESHES}
        times |= {("plaza_redis_seconds", question): one for question, one in self._cache.link.times.items()}
        times |= {("plaza_request_seconds", route, str(status)): one for (route, status), one in self._requests.items()}
        return Snapshot(
            self._process, os.getpid(), self._born, self._started, time.time(), counters, gauges,
            {series: (tuple(one.classes), one.total) for series, one in times.items()},
        )  # fmt: skip

    @asynccontextmanager
    async def shown_as(self, process: str) -> AsyncIterator[None]:
        """In here this process is seen by all others of the host, under that name."""
        self._process, stop = process, asyncio.Event()
        self._lag.start()
        task = asyncio.create_task(self._keep_written(stop), name="figures")
        try:
            yield
        finally:
            stop.set()  # not cancelled: a thread would go on, and write after the file is taken away
            await asyncio.wait((task,))
            self._lag.stop()
            self._process = ""
            await asyncio.to_thread(snapshots.remove, self._run, process, os.getpid())

    async def _keep_written(self, stop: asyncio.Event) -> None:
        said = ""
        while not stop.is_set():
            try:
                await asyncio.to_thread(snapshots.write, self._run, self.snapshot())
                said = ""
            except Exception as error:  # a full disk, or a mistake of ours: the process serves on, and this comes again
                if said != repr(error):
                    said = repr(error)
                    log.exception("the figures could not be written")
            try:
                async with asyncio.timeout(snapshots.EVERY):
                    await stop.wait()
            except TimeoutError:
                pass

    async def of_all(self) -> list[Snapshot]:
        """Every process of this host that is seen, by name: this one as it is now, the others a second ago."""
        others = await asyncio.to_thread(snapshots.read_all, self._run)
        if not self._process:
            return others
        mine = self.snapshot()
        return sorted([mine, *(one for one in others if one.process != mine.process)], key=lambda one: one.process)

    async def sample(self) -> None:
        """Add to the history what all processes have counted since the last time; for the worker, every 10 s."""
        await asyncio.to_thread(self._past.add, await self.of_all())

    async def history(self, step: int, since: float) -> list[Sample]:
        """The samples of `history.FINE` or `history.COARSE` seconds that ended after a moment, the oldest first."""
        try:
            return await asyncio.to_thread(self._past.read, step, since)
        except sqlite3.Error as error:  # locked for long, or broken: the worker begins it anew
            log.warning("the history of figures cannot be read: %s", error)
            return []

    def _counted_in_cache(self) -> Told:
        local, link, tracking, pages = self._cache.local, self._cache.link, self._cache.tracking, self._pages
        families = [(name, f.l1, f.l2, f.loaded, f.joined, f.refreshed) for name, f in sorted(local.families.items())]
        for name, l1, l2, loaded, joined, refreshed in (
            *families,
            ("page", pages.hits, pages.confirmed, pages.made, pages.joined, 0),
        ):
            yield ("plaza_cache_hits_total", "l1", name), l1
            yield ("plaza_cache_hits_total", "l2", name), l2
            yield ("plaza_cache_loads_total", name), loaded
            yield ("plaza_cache_joined_total", name), joined
            yield ("plaza_cache_refreshes_total", name), refreshed
        counts = link.counts
        for answer in get_args(Answer):
            yield ("plaza_cache_leases_total", answer), counts[f"acquire {answer}"]
        for outcome, name in _FILLED.items():
            yield ("plaza_cache_fills_total", outcome), counts[name]
        for reason, name in _UNSTORED.items():
            yield ("plaza_cache_unstored_total", reason), counts[name]
        yield ("plaza_cache_unconfirmed_total",), self._cache.unconfirmed
        yield ("plaza_pages_refuted_total",), pages.refuted
        yield ("plaza_pages_unkept_total",), pages.tainted
        for name in ("outages", "epochs", "refused", "trips"):
            yield (f"plaza_redis_{name}_total",), counts[name]
        yield ("plaza_redis_names_total",), counts["gets"]
        yield ("plaza_pushes_total",), tracking.pushes
        yield ("plaza_push_connections_total",), tracking.connections
        yield ("plaza_canary_failures_total",), tracking.canary_failures
        yield ("plaza_l1_kept_total",), local.kept
        yield ("plaza_l1_evictions_total",), local.evicted
        yield ("plaza_l1_too_big_total",), local.too_big
        yield ("plaza_l1_drops_total",), local.drops
        yield ("plaza_l1_flushes_total",), local.flushes

    def _counted_elsewhere(self) -> Told:
        for name, count in COUNTS.items():
            part, _, event = name.partition(".")
            yield ("plaza_events_total", part, event), count
        yield ("plaza_process_cpu_seconds_total",), machine.processor_seconds()

    def _gauges(self) -> Told:
        db = self._db
        yield ("plaza_redis_up",), int(self._cache.link.up)
        yield ("plaza_mysql_pool_size",), db.size
        yield ("plaza_mysql_pool_used",), db.used
        yield ("plaza_mysql_pool_waiting",), db.waiting
        yield ("plaza_event_loop_lag_seconds",), self._lag.last
        yield ("plaza_event_loop_lag_worst_seconds",), self._lag.worst
        yield ("plaza_process_resident_memory_bytes",), machine.resident_bytes()
        yield ("plaza_process_open_files",), machine.open_files()
        yield ("plaza_process_start_timestamp_seconds",), self._started
        yield ("plaza_build_info", machine.VERSION, machine.PYTHON), 1

    def _gauges_of_l1(self) -> Told:
        """Of a process that keeps something itself; others hear no pushes."""
        local, tracking = self._cache.local, self._cache.tracking
        if not tracking.started:
            return
        yield ("plaza_l1_bytes",), local.live.weight + local.spare.weight
        yield ("plaza_l1_limit_bytes",), local.most
        yield ("plaza_l1_entries",), local.live.count + local.spare.count
        yield ("plaza_push_connected",), int(tracking.connected)
        if local.on:
            yield ("plaza_fence_age_seconds",), local.fence_age
        if tracking.push_lag is not None:
            yield ("plaza_push_lag_seconds",), tracking.push_lag
