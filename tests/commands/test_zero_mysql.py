"""MySQL is away for a while: what is remembered is served, writes are told to come again, and nothing acknowledged is lost."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from commands.embedded import mysql_answers
from commands.supervision import Supervisor
from models import connected
from tests.commands.instances import Instance
from tests.commands.mix import prepare
from tests.commands.writers import kept, writing
from tests.harness.load import FEW, MANY, reading

PATIENCE = 60.0  # s for the site to be well again, on any machine


@dataclass
class Outage:
    """A way for MySQL to be away; `seconds`: long enough for a time-out of the site where it does not see that."""

    begin: Callable[[Supervisor, int], None]
    end: Callable[[Supervisor, int], None]
    seconds: float


OUTAGES = {
    "it stands still": Outage(
        lambda _, pid: os.kill(pid, signal.SIGSTOP), lambda _, pid: os.kill(pid, signal.SIGCONT), 7.0
    ),
    "it is stopped": Outage(lambda known, _: known.stop("mariadb"), lambda known, _: known.start("mariadb"), 3.0),
}


async def soon(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(claim):  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.02)


async def away_under_load(instance: Instance, outage: Outage, *, seconds: float, rate: float) -> float:
    """Readers and writers go on meanwhile; how many seconds after its end all was well again."""
    mix = await prepare(instance)
    supervisor = Supervisor(instance.settings)
    pid = next(one.pid for one in supervisor.processes() if one.name == "mariadb")
    assert pid
    assert instance.get("/search?q=post").status == 200  # from here on it is remembered, as the other pages are soon
    with reading(instance.port, mix.reads, rate=rate, clients=FEW if rate < 200 else MANY) as load:
        async with writing(instance.port, mix) as written:
            await soon(lambda: len(written.acknowledged) > 10)
            await asyncio.to_thread(outage.begin, supervisor, pid)
            await asyncio.sleep(seconds)
            await asyncio.to_thread(outage.end, supervisor, pid)
            await soon(lambda: mysql_answers(instance.settings) is None)
            back = time.monotonic()
            await soon(lambda: instance.get("/readyz").status == 200)
            await soon(lambda: written.last > back)
            well = time.monotonic() - back

    print(f"{load.report}\n{len(written.acknowledged)} comments, refused {written.refused}, slowest {written.slowest:.1f} s; "
          f"well again after {well:.2f} s")  # fmt: skip
    # What has been written is remembered when it has been read.
    assert set(load.report.failed) <= {"comments: 503"}, str(load.report)
    assert written.refused["503 with Retry-After"]
    assert set(written.refused) == {"503 with Retry-After"}
    async with connected(instance.settings) as models:
        assert written.acknowledged <= set(await kept(models, mix))
    checked = instance.plaza("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    return well


@pytest.mark.gen_test(timeout=600)
@pytest.mark.parametrize("how", OUTAGES)
async def test_mysql_that_is_away_fails_no_page_that_is_remembered(fresh: Instance, how: str) -> None:
    fresh.environment["PLAZA_COMMENTS_PER_MINUTE"] = "1000000"
    fresh.up("--web", "2")

    await away_under_load(fresh, OUTAGES[how], seconds=OUTAGES[how].seconds, rate=100)


@pytest.mark.long
@pytest.mark.gen_test(timeout=600)
@pytest.mark.parametrize("how", OUTAGES)
async def test_after_ten_seconds_all_is_well_again_within_two(fresh: Instance, how: str) -> None:
    fresh.environment["PLAZA_COMMENTS_PER_MINUTE"] = "1000000"
    fresh.up("--web", "2")

    assert await away_under_load(fresh, OUTAGES[how], seconds=10, rate=500) < 2
