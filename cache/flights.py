"""Single flight: one load of a name at a time in this process, and nobody is handed an answer older than their question.

A load is a task that the process owns: a caller that is cancelled, the first one too, takes nobody else down with it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from cache.counts import Families
from cache.reading import LOAD, READING

log = logging.getLogger("plaza.cache")


@dataclass(frozen=True, slots=True)
class Found:
    """What a load found under one name. What had returned when question `by` of the flight was sent is in it, or the fill failed.

    `by` is the fill where Redis took it, the SELECT where it did not, `acquire` for what stood in Redis. `record`: as it stands
    there; None when it does not.
    """

    value: Any
    by: int
    record: bytes | None = None


Loaded = dict[str, Found]


class Flight:
    """One load, and how many questions it has sent: what a later one answers is younger than who joins it now."""

    __slots__ = ("questions", "task")

    def __init__(self) -> None:
        self.questions = 0
        self.task: asyncio.Task[Loaded] | None = None

    def ask(self) -> int:
        """Just before a question is sent: its number."""
        self.questions += 1
        return self.questions


class Flights:
    """The loads in the air: `flying` by name. Who is answered by a load of somebody else's is counted in `families`."""

    def __init__(self, families: Families) -> None:
        self._families = families
        self.flying: dict[str, Flight] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def found(self, names: Iterable[str], load: Callable[[list[str], Flight], Awaitable[Loaded]]) -> Loaded:
        """What is under each name, all of one family, by loads that begin now or are under way already.

        The join rule (race R28): what a load finds is ours only if the question that vouches for it was sent after we joined.
        Else a write may have returned while the answer was under way, and we ask again. Raises what `load` raises.
        Callers that have a deadline of their own, or are cancelled, stop nobody.
        """
        found: Loaded = {}
        wanted = list(dict.fromkeys(names))
        begun = 0
        while wanted:
            missing = [name for name in wanted if name not in self.flying]
            if missing:
                begun += len(missing)
                self._start(missing, load)
            joined: dict[Flight, tuple[int, list[str]]] = {}
            for name in wanted:
                flight = self.flying[name]
                joined.setdefault(flight, (flight.questions, []))[1].append(name)
            for flight, (sent, ours) in joined.items():
                assert flight.task is not None
                loaded = await asyncio.shield(flight.task)
                found.update((name, loaded[name]) for name in ours if loaded[name].by > sent)
            wanted = [name for name in wanted if name not in found]
        if begun < len(found):
            self._families.of(next(iter(found))).joined += len(found) - begun
        return found

    def _start(self, names: list[str], load: Callable[[list[str], Flight], Awaitable[Loaded]]) -> None:
        flight = Flight()
        flight.task = self.own(self._fly(flight, names, load), f"load {names[0]}")
        self.flying.update(dict.fromkeys(names, flight))

    async def _fly(
        self, flight: Flight, names: Sequence[str], load: Callable[[list[str], Flight], Awaitable[Loaded]]
    ) -> Loaded:
        try:
            return await load(list(names), flight)
        finally:
            for name in names:
                del self.flying[name]

    def own(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """A task that nobody's going away stops. It belongs to no page that is being made, though to the request's trace; what it
        reads, it reads past L1."""
        context = copy_context()
        context.run(READING.set, LOAD)
        task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """Take note of a failure even when every caller has gone away."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            # Whoever waits for a load is told its error; of all else only the log is.
            level = logging.DEBUG if task.get_name().startswith("load ") else logging.WARNING
            log.log(level, "%s failed", task.get_name(), exc_info=error)

    async def settle(self) -> None:
        """Wait until every task of ours has ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
