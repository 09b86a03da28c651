"""What is due is called in its order, never before its moment, and an error of one keeps no other from its own."""

import asyncio
import random
import time
from functools import partial
from statistics import median
from typing import Any

import pytest

from replay import clock
from replay.clock import Clock, now

MS = 1_000_000
PATIENCE = 30.0


@pytest.fixture(params=[True, False], ids=["timerfd", "loop"])
def precise(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """With the kernel's timer, and as where there is none."""
    monkeypatch.setattr(clock, "PRECISE", request.param and clock.PRECISE)
    return bool(request.param)


async def test_moments_come_in_their_order_and_never_early(precise: bool) -> None:
    ticking, called, over = Clock(), list[tuple[int, int]](), asyncio.Event()

    def note(number: int) -> None:
        called.append((number, now()))

    start = now() + 5 * MS
    moments = [start + random.Random(1).randrange(50 * MS) for _ in range(300)] + [start + 20 * MS] * 3
    for number, moment in enumerate(moments):
        ticking.at(moment, partial(note, number))
    ticking.at(start + 60 * MS, over.set)

    await asyncio.wait_for(over.wait(), PATIENCE)

    assert [number for number, _ in called] == sorted(range(len(moments)), key=lambda one: (moments[one], one))
    assert all(at >= moments[number] for number, at in called)
    ticking.close()


async def test_an_earlier_moment_takes_the_place_of_a_later_one(precise: bool) -> None:
    ticking, called = Clock(), asyncio.Queue[str]()
    ticking.at(now() + 3_600_000 * MS, partial(called.put_nowait, "in an hour"))
    ticking.at(now() + 5 * MS, partial(called.put_nowait, "soon"))
    ticking.at(now() - 5 * MS, partial(called.put_nowait, "over"))

    assert called.empty()
    assert [await asyncio.wait_for(called.get(), PATIENCE) for _ in range(2)] == ["over", "soon"]
    ticking.close()
    await asyncio.sleep(0.01)
    assert called.empty()


async def test_what_fails_is_reported_and_the_next_is_called(precise: bool) -> None:
    ticking, reported, over = Clock(), list[dict[str, Any]](), asyncio.Event()
    loop, moment = asyncio.get_running_loop(), now() + 2 * MS
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda loop, context: reported.append(context))
    ticking.at(moment, list[None]().pop)
    ticking.at(moment, over.set)

    await asyncio.wait_for(over.wait(), PATIENCE)

    assert [type(one["exception"]) for one in reported] == [IndexError]
    loop.set_exception_handler(before)
    ticking.close()


async def test_a_chain_of_moments_does_not_drift(precise: bool) -> None:
    """Each is asked for from the one before, by the plan and not by when that came."""
    ticking, start, over = Clock(), now() + 2 * MS, asyncio.Event()
    came: list[int] = []

    def step(number: int) -> None:
        came.append(now() - (start + number * MS))
        if number == 100:
            over.set()
        else:
            ticking.at(start + (number + 1) * MS, partial(step, number + 1))

    ticking.at(start, partial(step, 0))
    await asyncio.wait_for(over.wait(), PATIENCE)

    assert min(came) >= 0
    assert len(came) == 101
    assert median(came[-20:]) <= median(came[:20]) + 20 * MS  # one that adds its lateness is later each time
    ticking.close()


async def test_who_can_wait_lets_go_first_what_is_due(precise: bool) -> None:
    ticking, called, over = Clock(), list[str](), asyncio.Event()
    start = now()
    ticking.at(start + 2 * MS, partial(called.append, "second"))
    ticking.at(start + 1 * MS, partial(called.append, "first"))
    ticking.at(start + 3 * MS, partial(called.append, "third"))
    ticking.at(start + 300 * MS, over.set)
    while now() < start + 5 * MS:  # the loop has no turn
        pass
    ticking.catch_up()
    assert called == ["first", "second", "third"]

    await asyncio.wait_for(over.wait(), PATIENCE)
    assert called == ["first", "second", "third"]
    ticking.close()


async def test_it_is_awake_and_idle_for_a_tenth_of_the_time_at_most(
    precise: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However early it would like to be: without that limit it would compute all the time."""
    monkeypatch.setattr(clock, "EARLY", 10_000 * MS)
    ticking, over, start = Clock(), asyncio.Event(), now()
    for number in range(1, 20):
        ticking.at(start + number * 30 * MS, lambda: None)
    ticking.at(start + 600 * MS, over.set)
    began = time.process_time()

    await asyncio.wait_for(over.wait(), PATIENCE)

    assert time.process_time() - began < 0.3
    ticking.close()
