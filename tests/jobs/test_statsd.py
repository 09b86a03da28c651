"""StatsD: what the worker sends, to a socket that hears it, and to none."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from jobs.statsd import Sender
from models import Models, machine
from models.counts import COUNTS


@pytest.fixture
def ear() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.setblocking(False)
        yield ear


@pytest.fixture
def choices(ear: socket.socket) -> dict[str, Any]:
    return {"statsd_url": f"udp://127.0.0.1:{ear.getsockname()[1]}/our.plaza"}


async def heard(ear: socket.socket, last: str) -> dict[str, str]:
    """Name -> value and kind, up to the one named `last`."""
    found: dict[str, str] = {}
    async with asyncio.timeout(60):
        while last not in found:
            packet = await asyncio.get_running_loop().sock_recv(ear, 65536)
            assert len(packet) <= 1432
            found |= dict(line.split(":", 1) for line in packet.decode().splitlines())
    return found


async def test_counters_are_sent_as_what_they_rose_by_and_gauges_as_they_stand(
    models: Models, ear: socket.socket
) -> None:
    sender = Sender()
    async with models.figures.shown_as("worker"):
        COUNTS["tests.some thing: odd|c"] += 7
        models.figures.request("front", 200, 0.25)
        await sender.send(models)
        COUNTS["tests.some thing: odd|c"] += 3
        models.figures.request("front", 200, 0.5)
        await models.posts.front(1)
        models.figures.seen["plaza_fence_age_seconds",] = float("inf")
        await sender.send(models)
        found = await heard(ear, f"our.plaza.build_info.0_1_0.{machine.PYTHON.replace('.', '_')}")

    assert found["our.plaza.events.tests.some_thing__odd_c"] == "3|c"
    assert found["our.plaza.request_seconds_count.front.200"] == "1|c"
    assert found["our.plaza.request_seconds_sum.front.200"] == "0.5|c"
    assert found["our.plaza.cache_loads.posts_page"] == "1|c"
    assert found["our.plaza.mysql_pool_size"] == "10|g"
    assert found["our.plaza.redis_up"] == "1|g"
    assert "our.plaza.fence_age_seconds" not in found, "StatsD knows no infinity"
    assert not any(name.startswith("our.plaza.canary") for name in found), "what stood still is not sent"


async def test_one_that_is_away_harms_nobody(models: Models, ear: socket.socket) -> None:
    ear.close()
    sender = Sender()
    async with asyncio.timeout(20):
        for _ in range(5):
            await sender.send(models)


@pytest.mark.parametrize("choices", [{"statsd_url": "udp://nobody.invalid:8125"}])
async def test_a_name_that_nobody_knows_is_told_once(models: Models, caplog: pytest.LogCaptureFixture) -> None:
    sender = Sender()
    for _ in range(3):
        await sender.send(models)

    assert caplog.text.count("no figures can be sent to udp://nobody.invalid:8125") == 1


@pytest.mark.parametrize("choices", [{}])
async def test_without_the_setting_nothing_is_read(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.figures, "of_all", None)
    await Sender().send(models)
