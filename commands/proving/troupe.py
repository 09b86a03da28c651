"""The processes of a history: started, told what to do, and started again when they die."""

import asyncio
import dataclasses
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import settings as knobs
from commands.proving.ground import Ground
from commands.proving.ledger import PROCESSES
from commands.proving.player import Plan
from commands.proving.steps import DIED
from settings import ROOT

PATIENCE = 30.0  # s for a process to be ready, or to answer
MOST_FAILURES = 2


class Gone(Exception):
    """The process ended before it answered."""


class Member:
    """One process; `life` counts who had its place."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self._ground, self.plan = ground, plan
        self._process: asyncio.subprocess.Process | None = None
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._number = 0
        self.ended: Callable[[Member, int], None] = lambda member, status: None
        self.stopped = False  # by SIGSTOP
        self.failures = 0

    @property
    def pid(self) -> int:
        return self._process.pid if self._process and self._process.returncode is None else 0

    async def start(self) -> None:
        """A new process, ready to play."""
        log = self._ground.folder / "log" / f"player-{self.plan.process}.log"
        told = json.dumps(dataclasses.asdict(self.plan))
        with log.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "commands.proving.player", told, cwd=ROOT, env=knobs.environment({}),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors, limit=1 << 24,
                start_new_session=True,
            )  # fmt: skip
        ready = self._answers[0] = asyncio.get_running_loop().create_future()
        self._listening = asyncio.create_task(self._listen(self._process))
        async with asyncio.timeout(PATIENCE):
            await ready

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        while line := await process.stdout.readline():
            told = json.loads(line)
            answer = self._answers.pop(told["id"], None)
            if answer and not answer.done():
                answer.set_result(told["said"])
        status = await process.wait()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Gone(f"process {self.plan.process} ended with status {status}"))
                answer.exception()  # seen
        self._answers.clear()
        self.ended(self, status)

    async def ask(self, do: str, *, patience: float = PATIENCE, **told: Any) -> Any:
        """What it says to an order. Raises Gone, TimeoutError."""
        self._number += 1
        if not self._process or self._process.returncode is not None or not self._process.stdin:
            raise Gone(f"process {self.plan.process} is not there")
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        try:
            self._process.stdin.write((json.dumps({"id": self._number, "do": do, **told}) + "\n").encode())
        except (RuntimeError, OSError) as error:  # uvloop's word for a pipe that has gone
            raise Gone(f"process {self.plan.process} has just ended") from error
        async with asyncio.timeout(patience):
            return await answer

    async def again(self) -> None:
        """Another process in its place."""
        self.plan = dataclasses.replace(self.plan, life=self.plan.life + 1)
        self.stopped = False
        await self.start()

    async def close(self) -> None:
        """It ends by itself when nobody speaks to it any more."""
        if self._process and self._process.returncode is None and self._process.stdin:
            self.ended = lambda member, status: None
            self._process.stdin.close()
            try:
                async with asyncio.timeout(8):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._listening:
            await self._listening


class Troupe:
    """All of them. Who dies is replaced at once, and plays on."""

    def __init__(self, ground: Ground, plans: list[Plan], writes: float) -> None:
        self._writes = writes
        self.members = [Member(ground, plan) for plan in plans]
        self.deaths = Counter[str]()
        self._replacing: set[asyncio.Task[None]] = set()
        self._playing: dict[str, Any] | None = None
        self.broken: list[str] = []  # processes that ended without being told to

    async def all(self, do: str, **told: Any) -> list[Any]:
        """What each says. Who dies meanwhile is asked again in its next life."""
        return list(await asyncio.gather(*(self._persist(member, do, told) for member in self.members)))

    async def _persist(self, member: Member, do: str, told: dict[str, Any]) -> Any:
        for _ in range(20):
            try:
                return await member.ask(do, **told)
            except Gone:
                await self.whole()
                await asyncio.sleep(0.1)
        raise Gone(f"process {member.plan.process} does not stay")

    async def whole(self) -> None:
        """Wait until nobody is being replaced."""
        while self._replacing:
            await asyncio.gather(*self._replacing, return_exceptions=True)

    async def play(self, writes: float = 0.0) -> None:
        """`writes` are those of one process in a second."""
        self._playing = {"writes": writes or self._writes, "dawdle": True}
        await self.all("play", **self._playing)

    async def stop_writing(self) -> None:
        if self._playing:
            self._playing = {"writes": 0.0, "dawdle": False}
        await self.all("stop writing")

    async def rest(self) -> None:
        """No question and no write is under way when this returns."""
        self._playing = None
        await self.all("rest")

    def _ended(self, member: Member, status: int) -> None:
        if status not in (DIED, -9):
            self.broken.append(f"process {member.plan.process} ended with status {status}")
            member.failures += 1
            if member.failures > MOST_FAILURES:
                return
        self.deaths["at a step" if status == DIED else "killed"] += 1
        task = asyncio.create_task(self._replace(member))
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def _replace(self, member: Member) -> None:
        await asyncio.sleep(0.05)
        try:
            await member.again()
            if self._playing:
                await member.ask("play", **self._playing)
        except (Gone, TimeoutError) as error:
            if member.failures > MOST_FAILURES:
                self.broken.append(f"process {member.plan.process} does not start: {error}")

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Troupe"]:
        """Everybody is ready; at the end everybody is gone."""
        for member in self.members:
            member.ended = self._ended
        try:
            await asyncio.gather(*(member.start() for member in self.members))
            yield self
        finally:
            await self.whole()
            await asyncio.gather(*(member.close() for member in self.members))


def troupe(
    ground: Ground, *, seed: int, near: tuple[bool, ...], tasks: int = 50, writes: float = 80.0, pause: float = 0.002,
    hold: tuple[float, float] = (3.0, 4.0), broken: str = "",
) -> Troupe:  # fmt: skip
    """`near` says whose L1 is on; `writes` are those of one process in a second, `pause` is a task's rest in seconds."""
    plans = [
        Plan(
            folder=str(ground.folder), process=one, life=0, seed=seed, near=near[one], tasks=tasks,
            settings=ground.choices(one) | {"l1_memory": 8 if near[one] else 0}, pause=pause, hold=hold, broken=broken,
        )
        for one in range(PROCESSES)
    ]  # fmt: skip
    return Troupe(ground, plans, writes)
