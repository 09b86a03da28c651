"""What many ask for at the same time is done in one transaction: one COMMIT for all that wait for it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from time import monotonic, perf_counter
from typing import Any, Generic, TypeVar

from models.errors import Busy, ModelError
from models.traces import TRACE

AT_ONCE = 100  # wishes in one transaction
TRANSACTIONS = 4  # of a process and kind at a time: the pool is for others as well
MOST_WAITING = 5_000  # wishes of a process and kind; one more is refused
PATIENCE = 10.0  # s that a wish waits for its transaction at most

Wish = TypeVar("Wish")
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[Wish, Given]):
    """A wish, and the answer that somebody waits for."""

    wish: Wish
    answer: asyncio.Future[Given] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    until: float = field(default_factory=lambda: monotonic() + PATIENCE)

    def tell(self, outcome: Given | Exception) -> None:
        """Whoever has gone away meanwhile is told nothing."""
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Gathering(Generic[Wish, Given]):
    """While one transaction goes on, those who come wait for the next: so many share it as came, and nobody waits for company.

    `line` names what a wish needs to itself, a poll or a board. Each has a line of its own: who waits for a lock on one of them
    holds up nobody else. `settle` does some wishes of one line in one transaction, in the order they came, and gives the outcome
    of each. If it raises, all is undone, and it is asked for each wish alone: so one that spoils it does no harm to the others.
    `own` takes care of the task. A wish whose turn comes too late is not done any more: whoever had it has been told by then that
    the site is busy.
    """

    def __init__(
        self,
        settle: Callable[[Sequence[Wish]], Awaitable[Sequence[Given | ModelError]]],
        own: Callable[[Coroutine[Any, Any, Any]], None],
        line: Callable[[Wish], Hashable],
    ) -> None:
        self._settle_together, self._own, self._line = settle, own, line
        self.lines: dict[Hashable, deque[_Waiting[Wish, Given]]] = {}  # those that somebody works at
        self._waiting = 0
        self._turns = asyncio.Semaphore(TRANSACTIONS)

    async def take(self, wish: Wish) -> Given:
        """What became of the wish. Raises what it was refused with; Busy."""
        if self._waiting >= MOST_WAITING:
            raise Busy("too many wait")
        one: _Waiting[Wish, Given] = _Waiting(wish)
        self._waiting += 1
        name = self._line(wish)
        if name in self.lines:
            self.lines[name].append(one)
        else:
            self.lines[name] = deque([one])
            # It works for all who come, so it is no part of the request that happens to come first.
            Context().run(self._own, self._work(name))
        trace, began = TRACE.get(), perf_counter()
        try:
            return await one.answer
        finally:
            if trace is not None:
                trace.add("wait", "shared transaction", began)

    async def _work(self, name: Hashable) -> None:
        line = self.lines[name]
        try:
            while line:
                async with self._turns:
                    some = [line.popleft() for _ in range(min(AT_ONCE, len(line)))]
                    self._waiting -= len(some)
                    await self._settle(some)
        finally:
            del self.lines[name]

    async def _settle(self, wanted: Sequence[_Waiting[Wish, Given]]) -> None:
        now = monotonic()
        some = [one for one in wanted if one.until > now]
        for one in wanted:
            if one.until <= now:
                one.tell(Busy("its turn came too late"))
        if not some:
            return
        try:
            outcomes: Sequence[Given | Exception] = await self._settle_together([one.wish for one in some])
        except Exception as error:
            if len(some) > 1 and not isinstance(error, Busy):
                for one in some:  # one of them spoils it for all
                    await self._settle([one])
                return
            outcomes = [error] * len(some)
        for one, outcome in zip(some, outcomes, strict=True):
            one.tell(outcome)
