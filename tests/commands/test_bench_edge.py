"""What `plaza bench edge` rests on: the share that a store can have, the open loop, the log, the search for a rate."""

import asyncio
import gzip
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from commands.benchmarks import edge_log
from commands.benchmarks.edge_load import Load, Question
from commands.benchmarks.edge_log import AccessLog
from commands.benchmarks.edge_mix import FEWEST, NEAR, Plan, highest, mix
from commands.benchmarks.edge_shares import most_hits, zipf
from commands.benchmarks.laboratory import laboratory
from commands.console import Trouble

ASKED = Question("page", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Cache: HIT\r\n\r\npage"
Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Answering) -> AsyncIterator[Load]:
    """A load at a server that lets `answer` write for each request."""

    heard_by = set[asyncio.Task[None] | None]()

    async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard_by.add(asyncio.current_task())
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await answer(writer)
        except (EOFError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(heard, "127.0.0.1", 0)
    load = Load(server.sockets[0].getsockname()[1])
    try:
        yield load
    finally:
        load.close()
        server.close()
        await asyncio.wait_for(asyncio.gather(*(task for task in heard_by if task)), 20)


@pytest.mark.parametrize(("rate", "share"), [(1_000, 0.75), (3_000, 0.85), (5_000, 0.89), (10_000, 0.93)])
def test_what_a_store_can_answer_is_what_was_computed_for_it(rate: float, share: float) -> None:
    assert most_hits(zipf(10_000), rate, 10) == pytest.approx(share, abs=0.008)


def test_what_a_store_can_answer_is_what_a_store_answers() -> None:
    dice, shares, rate, seconds = random.Random(7), zipf(200), 40.0, 10.0
    asked = dice.choices(range(200), weights=shares, k=60_000)
    good_until, hits = [0.0] * 200, 0
    for number, page in enumerate(asked):
        now = number / rate
        if now < good_until[page]:
            hits += 1
        else:
            good_until[page] = now + seconds

    assert hits / len(asked) == pytest.approx(most_hits(shares, rate, seconds), abs=0.01)


async def test_a_stall_is_seen_by_all_who_come_meanwhile() -> None:
    began = time.monotonic()

    async def answer(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(began + 1.0 - time.monotonic())  # a server that does nothing in the first second
        writer.write(PLAIN)

    async with serving(answer) as load:
        tally = await load.run(lambda: ASKED, rate=100, seconds=2)

    assert len(tally.reads) == 200
    assert not tally.failed
    assert tally.caches == {"HIT": 200}
    # A closed loop of one connection would tell of one slow answer.
    assert sum(took > 0.25 for took in tally.reads) >= 70
    assert max(tally.reads) >= 0.9


async def test_a_run_that_cannot_be_in_time_is_given_up() -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(PLAIN)

    async with serving(answer) as load:
        tally = await load.run(lambda: ASKED, rate=50, seconds=60, within=0.05)

    assert tally.overrun
    assert tally.p99 == float("inf")
    assert 60 < len(tally.reads) < 400


async def test_what_is_refused_or_not_answered_has_failed() -> None:
    async def hang_up(writer: asyncio.StreamWriter) -> None:
        raise EOFError

    async def refuse(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")

    async with serving(hang_up) as load:
        unheard = await load.run(lambda: ASKED, rate=50, seconds=0.2)
    async with serving(refuse) as load:
        refused = await load.run(lambda: ASKED, rate=50, seconds=0.2)

    assert unheard.failed == {"page: no answer": 10}
    assert refused.failed == {"page: 503": 10}
    assert unheard.answered == refused.answered == 10


async def test_answers_in_pieces_are_put_together_and_a_line_that_ends_is_replaced() -> None:
    packed = gzip.compress(b"a page " * 9_000)

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for start in range(0, len(packed), 50):
            await asyncio.sleep(0)
            piece = packed[start : start + 50]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        writer.write(b"0\r\n\r\n")

    async with serving(answer) as load:
        found = [await load.ask(ASKED.sent) for _ in range(3)]

    assert [(one.status, one.cache, one.body) for one in found] == [(200, "", b"a page " * 9_000)] * 3


@pytest.mark.parametrize("most", [12.0, 60.0, 400.0, 3_333.0, 15_000.0])
async def test_the_highest_rate_is_found(most: float) -> None:
    tried: list[float] = []

    async def meets(rate: float) -> bool:
        tried.append(rate)
        return rate <= most

    found = await highest(meets, first=400, most=20_000)

    assert found <= most < found * NEAR * 1.001
    assert len(tried) < 14


async def test_where_no_rate_is_good_the_search_ends_with_the_fewest() -> None:
    async def meets(rate: float) -> bool:
        return False

    assert await highest(meets, first=400, most=20_000) == FEWEST


def line(path: str, cache: str, address: str = "127.0.0.1") -> str:
    return (
        f'{{"at":"2026","address":"{address}","method":"GET","path":"{path}","status":200,"agent":"",'
        f'"cache":"{cache}","variant":"","request":"1"}}\n'
    )


def test_answers_are_counted_in_the_log_also_when_it_is_moved_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_log, "FLUSHED", 0.0)
    monkeypatch.setattr(edge_log, "PATIENCE", 0.2)
    path = tmp_path / "access.log"
    path.write_text(line("/", "MISS"))
    log = AccessLog(path)

    with path.open("a") as file:
        file.write(line("/", "HIT") * 3 + line("/about", "MISS") + line("/", "BYPASS", "unix:") + line("/", "EXPIRED"))
    os.rename(path, tmp_path / "access.log.1")
    path.write_text(line("/", "HIT") * 2 + line("/", "HIT")[:-20])
    first = log.read("/", 6)
    with path.open("a") as file:
        file.write(line("/", "HIT")[-20:])

    assert first == {"HIT": 5, "EXPIRED": 1}
    assert log.read("/", 1) == {"HIT": 1}
    with pytest.raises(Trouble, match="0 answers of /; 1 were given"):
        log.read("/", 1)


@pytest.mark.long
def test_a_busy_site_is_measured_and_every_write_is_seen() -> None:
    plan = Plan(first=20, most=20, in_time=60_000, step=2, enough=40, filled=2, whole=5, tries=1)
    with laboratory(40) as room:
        subject = mix(plan).prepare(room)
        assert subject.probe is not None
        found = subject.probe()

    assert set(found) == {figure.name for figure in subject.figures}
    assert found["rate"] == 20
    assert found["failed"] == 0
    assert found["l3"] > 0
    assert found["l3"] + found["l1"] + found["l2"] + found["made"] == pytest.approx(100)
    assert min(found[name] for name in ("nginx", "web", "redis", "mariadb", "load")) > 0
    assert 0 < found["seen_p50"] <= found["seen_p99"] <= found["seen_max"] < 20_000
