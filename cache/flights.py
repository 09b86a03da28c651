"""Single flight: one load of a key at a time in this process, and nobody is handed an answer older than their question.

A load is a task that the process owns: a caller that is cancelled, the first one too, takes nobody else down with it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

log = logging.getLogger("plaza.cache")

Loaded = dict[str, tuple[Any, bool]]  # name -> (value, stored: no write to it had returned since the load was sent)


@dataclass(slots=True)
class _Flight:
    number: int
    task: asyncio.Task[Loaded]


class Flights:
    """The loads in the air, by name."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}
        self._count = 0

    async def values(self, names: list[str], load: Callable[[list[str]], Awaitable[Loaded]]) -> dict[str, Any]:
        """Each name's value, from a load that began after this call, or from one under way whose fill was stored.

        A write that returned before this call would have made that fill fail, so a joined answer is never older than the question
        (the join rule; race R28). Raises what `load` raises.
        """
        arrival, values, wanted = self._count, dict[str, Any](), list(dict.fromkeys(names))
        while wanted:
            missing = [name for name in wanted if name not in self._flights]
            if missing:
                self._start(missing, load)
            flights = {id(flight): flight for flight in (self._flights[name] for name in wanted)}.values()
            for flight in flights:
                loaded = await asyncio.shield(flight.task)
                for name, (value, stored) in loaded.items():
                    if name in wanted and (stored or flight.number > arrival):
                        values[name] = value
                        wanted.remove(name)
        return values

    def _start(self, names: list[str], load: Callable[[list[str]], Awaitable[Loaded]]) -> None:
        self._count += 1
        flight = _Flight(self._count, asyncio.create_task(self._fly(names, load), name=f"load {names[0]}"))
        flight.task.add_done_callback(_seen)
        self._flights.update(dict.fromkeys(names, flight))

    async def _fly(self, names: list[str], load: Callable[[list[str]], Awaitable[Loaded]]) -> Loaded:
        try:
            return await load(names)
        finally:
            for name in names:
                del self._flights[name]


def _seen(task: asyncio.Task[Loaded]) -> None:
    """Take note of a load's failure even when every caller has gone away."""
    if not task.cancelled() and (error := task.exception()):
        log.debug("a load failed", exc_info=error)
