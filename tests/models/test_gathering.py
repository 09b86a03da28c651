"""Wishes that share a transaction: each line by itself, all of them bounded, none done after its sender was told otherwise."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest

from models import gathering
from models.errors import Busy
from models.gathering import Gathering
from models.traces import TRACE, Trace

Wish = tuple[str, int]  # its line, and a number


class Desk:
    """Settles wishes; those of a line that is held wait until it is let go."""

    def __init__(self) -> None:
        self.settled: list[Sequence[Wish]] = []
        self.traces: list[Trace | None] = []
        self.held: dict[str, asyncio.Event] = {}
        self.busy = self.busiest = 0
        self.tasks: set[asyncio.Task[Any]] = set()
        self.gathering = Gathering[Wish, int](self.settle, self.own, line=lambda wish: wish[0])

    def own(self, work: Coroutine[Any, Any, Any]) -> None:
        self.tasks.add(asyncio.get_running_loop().create_task(work))

    async def settle(self, wishes: Sequence[Wish]) -> list[int]:
        self.settled.append(wishes)
        self.traces.append(TRACE.get())
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        await asyncio.sleep(0)
        if wishes[0][0] in self.held:
            await self.held[wishes[0][0]].wait()
        self.busy -= 1
        return [number for _, number in wishes]

    def ask(self, line: str, number: int) -> asyncio.Task[int]:
        return asyncio.create_task(self.gathering.take((line, number)))


async def test_a_line_that_is_held_up_holds_up_no_other() -> None:
    desk = Desk()
    desk.held["a"] = asyncio.Event()
    held = [desk.ask("a", number) for number in (1, 2)]
    await asyncio.sleep(0.01)
    assert await asyncio.wait_for(desk.ask("b", 3), 30) == 3
    late = desk.ask("a", 4)
    await asyncio.sleep(0.01)

    assert not any(one.done() for one in (*held, late))
    desk.held["a"].set()
    assert await asyncio.gather(*held, late) == [1, 2, 4]
    assert desk.settled == [[("a", 1), ("a", 2)], [("b", 3)], [("a", 4)]]
    await asyncio.gather(*desk.tasks)
    assert desk.gathering.lines == {}


async def test_many_lines_have_a_few_transactions_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "TRANSACTIONS", 3)
    desk = Desk()

    assert await asyncio.gather(*(desk.ask(f"{n}", n) for n in range(50))) == list(range(50))
    assert desk.busiest == 3


async def test_the_bound_is_on_all_lines_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MOST_WAITING", 3)
    desk = Desk()
    outcomes = await asyncio.gather(*(desk.ask(f"{n}", n) for n in range(5)), return_exceptions=True)

    assert [type(one) for one in outcomes] == [int, int, int, Busy, Busy]
    assert await desk.ask("a", 7) == 7


async def test_what_has_waited_too_long_is_refused_and_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy in front has told its sender that the site is busy; what is done now would be done behind their back."""
    monkeypatch.setattr(gathering, "PATIENCE", 0.1)
    desk = Desk()
    desk.held["a"] = asyncio.Event()
    first = desk.ask("a", 1)
    await asyncio.sleep(0.01)
    late = desk.ask("a", 2)
    await asyncio.sleep(0.15)
    desk.held["a"].set()

    assert await first == 1  # its transaction had begun
    with pytest.raises(Busy):
        await late
    assert desk.settled == [[("a", 1)]]
    assert await desk.ask("a", 3) == 3


async def test_the_work_is_no_part_of_the_request_that_came_first() -> None:
    """Else its spans would be those of everybody who comes while it lasts."""
    trace = Trace("0" * 16)
    mark = TRACE.set(trace)
    desk = Desk()
    await desk.gathering.take(("a", 1))
    TRACE.reset(mark)

    assert desk.traces == [None]
    assert [(span.kind, span.what) for span in trace.spans] == [("wait", "shared transaction")]
