"""What a process of a history does to itself: it dies at a step, or dawdles there, and it notes what the cache told a writer.

The steps are the edges of the methods in which the protocol talks to Redis and MySQL. They are replaced here, in the processes of
a history alone; the site runs none of this.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

from cache import Cache
from cache.link import Link
from commands.proving.ledger import Ledger
from commands.proving.notes import Notes
from commands.proving.writer import WRITING, Undo
from models.database import Connection
from models.results import Results

DIED: Final = 99  # the exit status of a process that ended at a step
# In the order of a write, and of a fill; a process can die before and after each.
STEPS: Final = tuple(
    f"{side} {what}"
    for what in ("begin", "commit", "end", "get", "acquire", "load", "fill", "release")
    for side in ("before", "after")
)
OF_A_WRITE: Final = 6  # the first of them are steps of writes
DAWDLES = 0.004  # of the steps are followed by a rest of up to 60 ms; where a guard is gone, more of them
DAWDLES_BROKEN = 0.12
SLEEPS = 0.00003  # of the steps are followed by a rest that is longer than a lease
LONG = 3.6  # s


class Steps:
    """The steps of this process, once `install`ed."""

    def __init__(self, ledger: Ledger, dice: random.Random, *, broken: bool) -> None:
        self._ledger, self._dice, self._orders = ledger, dice, ledger.orders
        self._dawdles = DAWDLES_BROKEN if broken else DAWDLES
        self.dawdling = False

    def install(self) -> None:
        """Replace the methods, for the life of the process."""
        _replace(Cache, "begin", self._around("begin", _noting_begin))
        _replace(Cache, "end", self._around("end", _noting_end))
        _replace(Connection, "commit", self._around("commit", _committing))
        _replace(Connection, "fetch", self._loads)
        for name in ("get", "acquire", "fill", "release"):
            _replace(Link, name, self._around(name, _only))

    async def at(self, step: int) -> None:
        """Dies here if the conductor says so; else perhaps rests."""
        me = self._ledger.me
        if self._orders[me] == step + 1:
            self._orders[me] = 0
            self._ledger.count("deaths")
            os._exit(DIED)
        if self.dawdling:
            chance = self._dice.random()
            if chance < SLEEPS:
                await asyncio.sleep(LONG)
            elif chance < self._dawdles:
                self._ledger.count("dawdled")
                await asyncio.sleep(self._dice.random() ** 3 * 0.06)

    def _around(self, name: str, do: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        before = STEPS.index(f"before {name}")

        def replacement(former: Callable[..., Any]) -> Callable[..., Any]:
            async def method(it: Any, *args: Any, **named: Any) -> Any:
                await self.at(before)
                answer = await do(former, it, *args, **named)
                await self.at(before + 1)
                return answer

            return method

        return replacement

    def _loads(self, former: Callable[..., Any]) -> Callable[..., Any]:
        before, ledger = STEPS.index("before load"), self._ledger

        async def fetch(it: Connection, sql: str, *args: Any) -> Any:
            if sql not in (Notes.rows_sql, Results.rows_sql):
                return await former(it, sql, *args)
            ledger.count("loads")
            await self.at(before)
            rows = await former(it, sql, *args)
            await self.at(before + 1)
            return rows

        return fetch


async def _only(former: Callable[..., Any], *args: Any, **named: Any) -> Any:
    return await former(*args, **named)


async def _noting_begin(former: Callable[..., Any], *args: Any, **named: Any) -> Any:
    confirmed = await former(*args, **named)
    if writing := WRITING.get():
        writing.begun = confirmed is not False
        writing.confirm()
    return confirmed


async def _noting_end(former: Callable[..., Any], *args: Any, **named: Any) -> Any:
    confirmed = await former(*args, **named)
    if writing := WRITING.get():
        writing.ended = confirmed is not False
    return confirmed


async def _committing(former: Callable[..., Any], *args: Any) -> Any:
    if writing := WRITING.get():
        if writing.undo_at_commit:
            raise Undo
        writing.committing = True
    return await former(*args)


def _replace(owner: type, name: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    setattr(owner, name, change(getattr(owner, name)))
