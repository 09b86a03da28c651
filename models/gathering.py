"""What many ask for at the same time is done in one transaction: one COMMIT for all that wait for it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from models.errors import Busy, ModelError

AT_ONCE = 100  # wishes in one transaction
MOST_WAITING = 5_000  # wishes of a process and kind; one more is refused

Wish = TypeVar("Wish")
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[Wish, Given]):
    """A wish, and the answer that somebody waits for."""

    wish: Wish
    answer: asyncio.Future[Given] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

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

    `settle` does some wishes in one transaction, in the order they came, and gives the outcome of each. If it raises, all is
    undone, and it is asked for each wish alone: so one that spoils it does no harm to the others. `own` takes care of the task.
    """

    def __init__(
        self,
        settle: Callable[[Sequence[Wish]], Awaitable[Sequence[Given | ModelError]]],
        own: Callable[[Coroutine[Any, Any, Any]], None],
    ) -> None:
        self._settle_together, self._own = settle, own
        self._waiting: deque[_Waiting[Wish, Given]] = deque()
        self._works = False

    async def take(self, wish: Wish) -> Given:
        """What became of the wish. Raises what it was refused with; Busy."""
        if len(self._waiting) >= MOST_WAITING:
            raise Busy("too many wait")
        one: _Waiting[Wish, Given] = _Waiting(wish)
        self._waiting.append(one)
        if not self._works:
            self._works = True
            self._own(self._work())
        return await one.answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                await self._settle(some)
        finally:
            self._works = False

    async def _settle(self, some: Sequence[_Waiting[Wish, Given]]) -> None:
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
