"""One process of a history: `python -m commands.proving.player PLAN`, with all that a web process has towards Redis and MySQL.

It hears orders on its standard input, one JSON object a line, and answers each on its standard output.
"""

import asyncio
import dataclasses
import json
import logging
import os
import random
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvloop

import models
from cache import records
from cache.pages import Pages
from commands.proving import breaks, reader
from commands.proving.checker import LAG, LEVELS, Checker, Violation
from commands.proving.comparing import differences
from commands.proving.ledger import Full, Ledger, now
from commands.proving.notes import NOTE, CriticalNotes, Notes
from commands.proving.reader import Page, Reader
from commands.proving.steps import Steps
from commands.proving.voting import Voting
from commands.proving.writer import Writer
from models import base, results
from models.errors import Busy
from settings import Settings

AT_HOME = 2  # tasks that only ask L1
OF_VOTES = 0.3  # of the writes
PATIENCE = 6.0  # s to end, when the conductor has gone

log = logging.getLogger("plaza.prove")


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What a process is told when it starts. `redis` and `mysql` are sockets of its own wires."""

    folder: str
    process: int
    life: int  # how many lived in its place before
    seed: int
    settings: dict[str, Any]
    near: bool  # L1 is on
    tasks: int
    pause: float  # s between two questions of a task
    hold: tuple[float, float]  # s: the longest transaction, and how long tombstones stand
    broken: str  # the guard that is taken away, to see whether it is missed


class Player:
    """The tasks of the process, and what the conductor may ask it."""

    def __init__(self, plan: Plan, tables: models.Models) -> None:
        folder = Path(plan.folder)
        self.plan, self.tables, self.cache = plan, tables, tables.cache
        self.ledger = Ledger(folder / "ledger", plan.process)
        self.notes, critical = Notes(tables.db, tables.cache), CriticalNotes(tables.db, tables.cache)
        self.pages: Pages[Page] = Pages(tables.cache.local, tables.cache.link.get, records.stamp)
        self.checker = Checker(self.ledger, LAG if plan.near else 0, self._tell)
        self._writer = Writer(self.notes, critical, self.ledger)
        self._voting = Voting(tables, self._writer, self.ledger)
        self._found = folder / f"violations-{plan.process}.jsonl"
        dice = random.Random(f"{plan.seed}:{plan.process}:{plan.life}")  # noqa: S311 - to be the same again
        self.steps = Steps(self.ledger, dice, broken=bool(plan.broken))
        self._plays, self._writes = asyncio.Event(), 0.0
        self._busy, self._idle, self._next_write = 0, asyncio.Event(), 0.0
        self._idle.set()
        tables.cache._asked = reader.asked

    @asynccontextmanager
    async def tasks(self) -> AsyncIterator[None]:
        """While this lasts, the tasks wait for `play`."""
        self.steps.install()
        tasks = [asyncio.create_task(self._task(number)) for number in range(self.plan.tasks)]
        tasks.append(asyncio.create_task(self._tick()))
        try:
            yield
        finally:
            # Told until they listen: asyncio.wait_for of Python 3.11 swallows a cancellation that meets an answer.
            while unfinished := [task for task in tasks if not task.done()]:
                for task in unfinished:
                    task.cancel()
                await asyncio.wait(unfinished, timeout=1)

    async def _task(self, number: int) -> None:
        dice = random.Random(f"{self.plan.seed}:{self.plan.process}:{self.plan.life}:{number}")  # noqa: S311
        mine = self._reader(dice)
        loop = asyncio.get_running_loop()
        while True:
            await self._plays.wait()
            self._busy, asked = self._busy + 1, now()
            self._idle.clear()
            try:
                if self.plan.near and number < AT_HOME:
                    mine.at_home()
                elif self._writes and loop.time() >= self._next_write:
                    self._next_write = max(self._next_write + 1 / self._writes, loop.time() - 1)
                    write = self._voting.vote if dice.random() < OF_VOTES else self._writer.write
                    self.ledger.count(await write(dice))
                elif dice.random() < 0.003:
                    await mine.given_up()
                else:
                    await mine.some()
            except Busy as error:
                self.ledger.count("failed reads")
                if not self.ledger.troubled(asked):
                    self.ledger.count("failed though well")
                    log.warning("a question failed though MySQL was well: %s", error)
            except Full:
                self._plays.clear()
            except Exception as error:
                said = "".join(traceback.format_exception(error))
                self._tell(Violation("error", 0, self.plan.process, "", now(), now(), type(error).__name__, said, 0, 0))
            finally:
                self._busy -= 1
                if not self._busy:
                    self._idle.set()
            await asyncio.sleep(self.plan.pause)

    def _reader(self, dice: random.Random) -> Reader:
        return Reader(self.notes, self.tables, self.pages, self.checker, self.ledger, dice)

    async def _tick(self) -> None:
        while True:
            self._writer.ripen()
            for name, longest in zip(LEVELS, self.checker.staleness, strict=True):
                self.ledger.at_most_seen(f"stale {name}", longest)
            await asyncio.sleep(0.2)

    def _tell(self, violation: Violation) -> None:
        """Kept with what is needed to understand it; the first hundred."""
        self.ledger.count("violations")
        if self.ledger.counts(self.plan.process)["violations"] > 100:
            return
        recent = list(self.checker.recent[violation.key])
        with self._found.open("a") as file:
            file.write(json.dumps(dataclasses.asdict(violation) | {"recent": recent}) + "\n")

    async def order(self, told: dict[str, Any]) -> Any:
        """Do what the conductor says; what it wants to know."""
        match told["do"]:
            case "play":
                self._writes, self.steps.dawdling = told["writes"], told["dawdle"]
                self._next_write = asyncio.get_running_loop().time()
                self._plays.set()
            case "stop writing":
                self._writes, self.steps.dawdling = 0.0, False
            case "rest":
                self._plays.clear()
                await self._idle.wait()
            case "warm":
                return await self._warm()
            case "compare":
                return await self._compare()
            case "crowd":
                return await self._crowd(told["key"], told["count"], told["at"])
            case "forget":
                slot = self.notes.key(told["key"])
                await self.cache.end((slot,), self.cache.writer())
        return None

    async def _compare(self) -> dict[str, Any]:
        """MySQL is well by now, though a connection may have ended while nobody used it."""
        for _ in range(20):
            try:
                return await differences(self.notes, self.cache, self.pages)
            except Busy:
                await asyncio.sleep(0.2)
        return await differences(self.notes, self.cache, self.pages)

    async def _warm(self) -> int:
        """Ask for everything, so that there is something to compare."""
        mine = self._reader(random.Random(1))  # noqa: S311
        for _ in range(120):
            with suppress(Busy):
                await mine.some()
        return 0

    async def _crowd(self, key: int, count: int, at: int) -> int:
        """At that moment (ns) ask `count` times at once for one row; how many got no answer."""
        await asyncio.sleep(max(0, at - now()) / 1e9)
        answers = await asyncio.gather(*(self.notes.find(key) for _ in range(count)), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                log.warning("no answer in the crowd: %r", answer)
        return sum(isinstance(answer, BaseException) for answer in answers)


async def main(plan: Plan) -> None:
    """Live until the conductor closes our standard input."""
    base.TRANSACTION_SECONDS, base.HOLD = plan.hold
    results.BY_POLL.ttl = NOTE.ttl
    breaks.apply(plan.broken)
    async with models.connected(Settings(**plan.settings), near=plan.near) as tables:
        player = Player(plan, tables)
        async with player.tasks():
            orders = asyncio.StreamReader()
            loop = asyncio.get_running_loop()
            await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
            print(json.dumps({"id": 0, "said": "ready"}), flush=True)
            async with asyncio.TaskGroup() as group:
                while line := await orders.readline():
                    group.create_task(_obey(player, json.loads(line)))
                loop.call_later(PATIENCE, os._exit, 1)  # nobody is there to hear what keeps us


async def _obey(player: Player, told: dict[str, Any]) -> None:
    print(json.dumps({"id": told["id"], "said": await player.order(told)}), flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s.%(msecs)03d %(message)s", datefmt="%H:%M:%S")
    told = json.loads(sys.argv[1])
    uvloop.run(main(Plan(**told | {"hold": tuple(told["hold"])})))
