"""The worker counts its duties, and keeps the history of all processes."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from jobs import DUTIES, Duty
from jobs.figures import keep_history
from models import Models, connected, history, snapshots
from settings import Settings
from tests.cache.sides import until
from worker import work

FRONT = ("plaza_request_seconds_count", "front", "200")


@asynccontextmanager
async def working(settings: Settings, *duties: Duty) -> AsyncIterator[None]:
    """The worker, with these duties; it is told to end as supervisord tells it."""
    task = asyncio.create_task(work(settings, duties))
    try:
        await until(lambda: snapshots.read_all(settings.run))
        yield
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(60):
            await task
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(name)


async def test_the_worker_counts_what_its_duties_did(models: Models, settings: Settings) -> None:
    times = [0]

    async def every_other(_: Models) -> None:
        times[0] += 1
        await asyncio.sleep(0.01)
        if times[0] % 2:
            raise RuntimeError("no luck")

    async with working(settings, Duty("limp", every=0.01, at_most=5, run=every_other)):
        await until(lambda: snapshots.read_all(settings.run)[0].counters.get(("plaza_duty_runs_total", "limp"), 0) >= 4)
        (seen,) = snapshots.read_all(settings.run)

    assert seen.process == "worker"
    runs, failures, seconds = (
        seen.counters[f"plaza_duty_{what}_total", "limp"] for what in ("runs", "failures", "seconds")
    )
    assert runs / 2 <= failures <= runs / 2 + 1
    assert runs * 0.01 <= seconds < 60
    assert 0 <= time.time() - seen.gauges["plaza_duty_last_end_timestamp_seconds", "limp"] < 60
    assert snapshots.read_all(settings.run) == []


async def test_the_history_outlives_the_worker(models: Models, settings: Settings) -> None:
    duty = Duty("keep", every=0.05, at_most=5, run=keep_history)
    async with connected(settings, near=True) as web, web.figures.shown_as("web-0"):
        for requests, more in ((2, 2), (5, 3)):
            async with working(settings, duty):
                for _ in range(more):
                    web.figures.request("front", 200, 0.01)
                await until(partial(_has_kept, settings, requests))
        steps = [await models.figures.history(step, 0) for step in (history.FINE, history.COARSE)]

    assert [sum(sample.rises.get(FRONT, 0) for sample in samples) for samples in steps] == [5, 5]
    assert all(samples[-1].gauges["plaza_redis_up",] >= 2 for samples in steps)


def test_the_worker_has_the_duties_of_figures() -> None:
    every = {duty.name: duty.every for duty in DUTIES}

    assert every["keep the history of figures"] == every["send figures to StatsD"] == history.FINE
    assert every["look at MySQL and Redis"] <= 10


def _has_kept(settings: Settings, requests: int) -> bool:
    """So many in all samples, as any process reads them."""
    past = history.History(settings.var / "figures" / "history.sqlite").read(history.COARSE, 0)
    return sum(sample.rises.get(FRONT, 0) for sample in past) >= requests
