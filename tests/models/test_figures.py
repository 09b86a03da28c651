"""Figures: what each process of a host knows of itself, and of the others."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs.figures import look_at_stores
from models import Models, connected, snapshots
from models.counts import COUNTS
from models.edge_pages import EdgePages
from models.errors import Busy
from models.live import LISTENERS
from models.metrics import METRICS
from models.snapshots import Snapshot
from settings import Settings
from tests.cache.sides import until
from tests.harness.people import People
from tests.harness.wires import Wire


def snapshot(**changed: Any) -> Snapshot:
    """Of this process, which lives."""
    pid = os.getpid()
    made = Snapshot("web-0", pid, snapshots.born(pid), 1.0, time.time(), {("plaza_pushes_total",): 3}, {}, {})
    return replace(made, **changed)


@asynccontextmanager
async def another(settings: Settings, name: str) -> AsyncIterator[Models]:
    """One more process of the host, as far as figures go: it serves pages."""
    async with connected(settings, near=True) as models, models.figures.shown_as(name):
        yield models


def test_what_was_written_is_read_by_name(tmp_path: Path) -> None:
    first = snapshot(
        times={("plaza_mysql_seconds",): ((1, 2), 0.5)}, gauges={("plaza_fence_age_seconds",): float("inf")}
    )
    second = snapshot(process="worker")
    snapshots.write(tmp_path, second)
    snapshots.write(tmp_path, first)

    assert snapshots.read_all(tmp_path) == [first, second]
    assert snapshots.read_all(tmp_path / "nowhere") == []


def test_a_process_that_was_killed_is_not_seen(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    pid = child.pid
    snapshots.write(tmp_path, snapshot(process="killed", pid=pid, born=snapshots.born(pid)))
    snapshots.write(tmp_path, snapshot(process="its number came again", pid=pid, born=snapshots.born(pid) - 1))
    before = [one.process for one in snapshots.read_all(tmp_path)]
    child.kill()
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it is dead, and its parent has not noticed
    after = snapshots.read_all(tmp_path)
    child.communicate()

    assert before == ["killed"]
    assert after == snapshots.read_all(tmp_path) == []


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_process_that_has_not_written_for_long_is_not_seen(tmp_path: Path, seconds: float) -> None:
    snapshots.write(tmp_path, snapshot(at=time.time() + seconds))

    assert snapshots.read_all(tmp_path) == []


@pytest.mark.parametrize("data", [b"", b"\xff" * 20, b"\x93\x01\x02\x03", b"\xc1"])
def test_a_file_that_cannot_be_read_is_left_out(tmp_path: Path, data: bytes) -> None:
    snapshots.write(tmp_path, snapshot())
    (snapshots.folder(tmp_path) / "broken").write_bytes(data)

    assert [one.process for one in snapshots.read_all(tmp_path)] == ["web-0"]


def test_a_name_that_was_taken_over_is_not_taken_away(tmp_path: Path) -> None:
    snapshots.write(tmp_path, snapshot())
    snapshots.remove(tmp_path, "web-0", os.getpid() + 1)
    kept = snapshots.read_all(tmp_path)
    snapshots.remove(tmp_path, "web-0", os.getpid())

    assert len(kept) == 1
    assert snapshots.read_all(tmp_path) == []


async def test_a_process_is_seen_by_the_others_while_it_is_shown(models: Models, settings: Settings) -> None:
    async with another(settings, "web-7") as other:
        await other.posts.front(1)
        await until(lambda: len(snapshots.read_all(settings.run)) == 1)
        at = snapshots.read_all(settings.run)[0].at
        await until(lambda: snapshots.read_all(settings.run)[0].at > at)
        (seen,) = await models.figures.of_all()

    assert seen.process == "web-7"
    assert seen.counters["plaza_cache_loads_total", "posts.page"] == 1
    assert await models.figures.of_all() == []


async def test_who_asks_sees_itself_as_it_is_now(settings: Settings) -> None:
    async with another(settings, "web-7") as models:
        await until(lambda: snapshots.read_all(settings.run))
        COUNTS["tests.seen"] += 1
        (seen,) = await models.figures.of_all()

    assert seen.counters["plaza_events_total", "tests", "seen"] == COUNTS["tests.seen"]


async def test_a_full_disk_harms_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[object] = []

    def full(*what: object) -> None:
        tries.append(what)
        raise OSError("no space left")

    monkeypatch.setattr(snapshots, "EVERY", 0.01)
    write = snapshots.write
    monkeypatch.setattr(snapshots, "write", full)
    async with another(settings, "web-7"):
        await until(lambda: len(tries) >= 3)
        monkeypatch.setattr(snapshots, "write", write)
        await until(lambda: snapshots.read_all(settings.run))

    assert caplog.text.count("the figures could not be written") == 1


async def test_every_figure_has_a_name_that_is_explained_and_its_labels(settings: Settings, people: People) -> None:
    async with another(settings, "web-7") as models:
        await until(lambda: models.cache.local.open)
        await models.users.one(people.alice.id)
        COUNTS["tests.seen"] += 1
        models.figures.request("front", 200, 0.01)
        models.figures.duty("sleep", 0.5, failed=True)
        await look_at_stores(models)
        EdgePages(models.figures).look()
        seen = models.figures.snapshot()
    series = [*seen.counters, *seen.gauges, *seen.times]

    assert [name for name, *labels in series if len(labels) != len(METRICS[name].labels)] == []
    assert {name for name, *_ in seen.counters} == {name for name, one in METRICS.items() if one.kind == "counter"}
    assert {name for name, *_ in seen.gauges} == {name for name, one in METRICS.items() if one.kind == "gauge"}
    assert {name for name, *_ in seen.times} == {name for name, one in METRICS.items() if one.kind == "histogram"}


async def test_a_loop_that_was_held_up_is_late(settings: Settings) -> None:
    async with another(settings, "web-7") as models:
        await asyncio.sleep(0)
        time.sleep(0.4)  # noqa: ASYNC251 - on purpose
        await until(lambda: models.figures.snapshot().gauges["plaza_event_loop_lag_worst_seconds",] > 0.2)
        await until(lambda: models.figures.snapshot().gauges["plaza_event_loop_lag_seconds",] < 0.1)

        assert 0.2 < models.figures.snapshot().gauges["plaza_event_loop_lag_worst_seconds",] < 10


async def test_the_pool_says_who_uses_it_and_who_waits(models: Models) -> None:
    async with models.db.connection():
        used = models.figures.snapshot().gauges["plaza_mysql_pool_used",]

    assert used == 1
    assert (models.db.used, models.db.waiting) == (0, 0)


async def test_what_cannot_be_looked_at_is_not_shown(models: Models, mysql_wire: Wire, redis_wire: Wire) -> None:
    async with models.db.connection() as connection:
        await connection.execute("DELETE FROM outbox")
        await connection.execute("INSERT INTO outbox (writer, names, at) VALUES ('', '', NOW(6) - INTERVAL 7 SECOND)")
    await look_at_stores(models)
    before = dict(models.figures.seen)
    await mysql_wire.cut()
    await redis_wire.cut()
    with pytest.raises(Busy):
        await look_at_stores(models)
    await mysql_wire.mend()

    assert before["plaza_outbox_rows",] == 1
    assert 7 <= before["plaza_outbox_age_seconds",] < 60
    assert before["plaza_redis_memory_bytes",] > 100_000
    assert models.figures.seen.keys() <= {LISTENERS}
