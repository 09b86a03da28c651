"""A history: four processes read and write under faults, all they read is judged, and now and then everything is compared."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import models
from commands.proving import comparing
from commands.proving.breaks import WANTED
from commands.proving.checker import Violation
from commands.proving.evidence import Evidence, excused
from commands.proving.faults import Faults
from commands.proving.ground import Ground
from commands.proving.ledger import ALL_KEYS, PROCESSES, Ledger
from commands.proving.notes import Notes
from commands.proving.troupe import Troupe, troupe
from models.errors import Busy
from settings import Settings

ACT = 45.0  # s of faults before everything is compared
PATIENCE = 10.0  # s, beside a tombstone's life, for all that is under way to end
FEW = 6.0  # writes of a process in a second, in every fourth act: many soon cover up what is wrong in L1
NEAR = (True, False, True, False)  # whose L1 is on


@dataclass(slots=True)
class Found:
    """What a history has come to."""

    evidence: list[Evidence] = field(default_factory=list)
    excused: int = 0
    quiet: int = 0  # times that everything was compared
    compared: int = 0
    slowest_quiet: float = 0.0  # s until nothing was under way any more
    problems: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        return not self.evidence and not self.problems

    @property
    def accused(self) -> bool:
        """A wrong answer was seen, not only a process that failed."""
        return any(one.violation.kind != "error" for one in self.evidence)


class History:
    """One history, while it runs."""

    def __init__(
        self, ground: Ground, members: Troupe, ledger: Ledger, faults: Faults, tables: models.Models, seed: int
    ) -> None:
        self.ground, self.troupe, self.ledger, self.faults, self.seed = ground, members, ledger, faults, seed
        self.tables, self.notes = tables, Notes(tables.db, tables.cache)
        self.found = Found()
        self._read: dict[int, int] = dict.fromkeys(range(PROCESSES), 0)  # bytes of each process' file of violations

    async def run(
        self, seconds: float, *, faults: bool = True, told: Callable[["History"], None] = lambda history: None
    ) -> Found:
        """Acts of faults, each with a comparison at its end, of which `told` hears. A violation ends it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (rest := until - loop.time()) > 0 and self.found.well:
            await self.troupe.play(FEW if self.found.quiet % 4 == 3 else 0.0)
            act = asyncio.create_task(self.faults.run(min(ACT, rest)) if faults else asyncio.sleep(min(ACT, rest)))
            while not act.done():
                await asyncio.wait({act}, timeout=0.5)
                self.look()
                if not self.found.well:
                    act.cancel()
                    with suppress(asyncio.CancelledError):
                        await act
            await self.faults.heal()
            if self.found.well:
                await self.quiesce()
            self.look()
            told(self)
        return self.found

    def look(self) -> None:
        """Take in what the processes have found."""
        for process in range(PROCESSES):
            path = self.ground.folder / f"violations-{process}.jsonl"
            if not path.exists():
                continue
            with path.open("rb") as file:
                file.seek(self._read[process])
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._read[process] += len(line)
                    self._judge(json.loads(line))
        if self.troupe.broken:
            self.found.problems += self.troupe.broken
            self.troupe.broken = []

    def _judge(self, told: dict[str, Any]) -> None:
        recent = [tuple(one) for one in told.pop("recent")]
        violation = Violation(**told)
        if violation.kind == "went back" and excused(self.ledger, violation.key, violation.missed, self.faults.lossy):
            self.found.excused += 1
        else:
            self.found.evidence.append(Evidence.of(self.ledger, violation, recent, self.faults.events, self.seed))

    async def quiesce(self) -> None:
        """Writers stop; when nothing is under way any more, every level of every process is compared with MySQL."""
        loop = asyncio.get_running_loop()
        await self.troupe.stop_writing()
        await self.troupe.all("warm")
        await self.troupe.rest()
        began, longest = loop.time(), self.troupe.members[0].plan.hold[1] + PATIENCE
        while under_way := await self._under_way():
            if loop.time() - began > longest:
                self.found.problems += [f"after {longest:.0f} s there still stands {one}" for one in under_way]
                break
            await asyncio.sleep(0.1)
        self.found.slowest_quiet = max(self.found.slowest_quiet, loop.time() - began)
        of_redis = await comparing.of_redis(self.notes, self.tables.cache)
        answers = [of_redis, *await self.troupe.all("compare")]
        names = ["L2", *(f"process {process}" for process in range(PROCESSES))]
        self.found.quiet += 1
        for name, answer in zip(names, answers, strict=True):
            self.found.compared += answer["compared"]
            for wrong in answer["wrong"]:
                if any(excused(self.ledger, key, None, self.faults.lossy) for key in range(1, ALL_KEYS + 1)):
                    self.found.excused += 1
                else:
                    self.found.problems.append(f"{name}: {wrong}")

    async def _under_way(self) -> list[str]:
        """What a finished or a dead writer has left, and will be cleared."""
        rows = await self.tables.db.fetch("SELECT COUNT(*) FROM outbox")
        stuck: list[str] = (await comparing.of_redis(self.notes, self.tables.cache))["stuck"]
        return stuck + ([f"{rows[0][0]} rows in the outbox"] if rows[0][0] else [])


@asynccontextmanager
async def history(
    ground: Ground, *, seed: int, near: tuple[bool, ...] = NEAR, **choices: Any
) -> AsyncIterator[History]:
    """The processes are ready, a worker sweeps the outbox, and nothing has happened yet."""
    ledger = ground.begin()
    await ground.mend()
    members = troupe(ground, seed=seed, near=near, **choices)
    faults = Faults(ground, members, ledger, seed, WANTED.get(choices.get("broken", ""), ()))
    async with models.connected(Settings(**ground.choices(None))) as tables:
        sweeping = asyncio.create_task(_sweep(tables))
        try:
            async with members.running():
                yield History(ground, members, ledger, faults, tables, seed)
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
            await faults.close()
            await ground.cut()


async def _sweep(tables: models.Models) -> None:
    """The worker's duty."""
    while True:
        await asyncio.sleep(1)
        try:
            await tables.outbox.sweep()
        except Busy as error:
            logging.getLogger("plaza.prove").info("sweep: %s", error)
