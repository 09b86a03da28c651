"""What goes wrong during a history, by a seed: networks, Redis, MySQL, the processes themselves. Every fault ends by itself."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Final

import pymysql
from redis.exceptions import RedisError

from commands.proving import mysql_faults
from commands.proving.ground import Ground, end
from commands.proving.ledger import PROCESSES, Ledger, now
from commands.proving.steps import OF_A_WRITE, STEPS
from commands.proving.troupe import Member, Troupe
from commands.proving.wires import Wire

AT_ONCE: Final = 2  # faults that overlap
UNWELL: Final = (
    8.0  # s from the begin of a fault that MySQL may fail a process: connections time out, and are made again
)


class Faults:
    """The faults of one history. `lossy` are the times (ns) in which Redis may have lost a tombstone."""

    def __init__(self, ground: Ground, troupe: Troupe, ledger: Ledger, seed: int, only: Collection[str] = ()) -> None:
        self._ground, self._troupe, self._ledger = ground, troupe, ledger
        self._dice = random.Random(f"{seed}:faults")  # noqa: S311 - to be the same again
        self.counts = Counter[str]()
        self.lossy: list[tuple[int, int]] = []
        self.events: list[tuple[int, int, str]] = []  # (from, to, what)
        self._redis_is_mine = asyncio.Lock()
        self._client = ground.redis.client()
        self._kinds: dict[str, tuple[int, Callable[[], Awaitable[str]]]] = {
            "wire delayed": (4, self._delayed),
            "wire reset": (4, self._reset),
            "wire cut": (3, self._cut),
            "wire blackholed": (4, self._blackholed),
            "wire half open": (4, self._half_open),
            "CLIENT KILL": (4, self._client_kill),
            "CLIENT PAUSE": (3, self._client_pause),
            "Redis kill -9": (2, self._redis_killed),
            "Redis kill -9, old dump": (2, self._redis_killed_dump),
            "SCRIPT FLUSH": (3, self._script_flush),
            "FLUSHALL": (3, self._flushall),
            "maxmemory 2mb": (2, self._maxmemory),
            "process stopped": (5, self._stopped),
            "process kill -9": (3, self._killed),
            "process died at a step": (8, self._died),
            "MySQL KILL": (3, self._mysql_kill),
            "MySQL deadlock": (3, self._deadlock),
            "MySQL lock wait": (1, self._lock_wait),
        }
        if only:
            self._kinds = {kind: how for kind, how in self._kinds.items() if kind in only}

    async def run(self, seconds: float) -> None:
        """One after another, now and then two at once, for so long; everything is whole again when this returns."""
        loop = asyncio.get_running_loop()
        until, running = loop.time() + seconds, set[asyncio.Task[None]]()
        kinds, weights = list(self._kinds), [weight for weight, _ in self._kinds.values()]
        while loop.time() < until:
            if len(running) >= AT_ONCE:
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            running.add(asyncio.create_task(self._one(self._dice.choices(kinds, weights)[0])))
            await asyncio.sleep(self._dice.uniform(0.05, 0.9))
            running = {task for task in running if not task.done()}
        if running:
            await asyncio.wait(running)
        await self.heal()

    async def _one(self, kind: str) -> None:
        began, what = now(), ""
        try:
            what = await self._kinds[kind][1]()
            self.counts[kind] += 1
        except (RedisError, OSError, pymysql.Error) as error:
            what = f"failed: {error}"
        self.events.append((began, now(), f"{kind} {what}".strip()))

    async def heal(self) -> None:
        """Wires mended, processes awake, Redis up with its usual memory."""
        await self._ground.mend()
        self._ledger.orders[:] = memoryview(bytes(8 * PROCESSES)).cast("Q")
        for member in self._troupe.members:
            self._wake(member)
        with suppress(RedisError, OSError):
            await self._client.config_set("maxmemory", f"{self._ground.settings.redis_memory}mb")
            await self._client.client_unpause()
        await self._troupe.whole()

    async def close(self) -> None:
        await self._client.aclose()

    def _wire(self) -> tuple[Wire, str]:
        """Mostly to Redis."""
        one = self._dice.randrange(PROCESSES)
        if self._dice.random() < 0.75:
            return self._ground.redis_wires[one], f"Redis of process {one}"
        self._ledger.trouble(one, UNWELL)
        return self._ground.mysql_wires[one], f"MySQL of process {one}"

    async def _delayed(self) -> str:
        wire, name = self._wire()
        delay = self._dice.choice((0.01, 0.04, 0.08, 0.12, 0.3))
        wire.delay = delay
        await asyncio.sleep(self._dice.uniform(0.3, 1.5))
        await wire.mend()
        return f"{name} by {delay} s"

    async def _reset(self) -> str:
        wire, name = self._wire()
        wire.reset()
        return name

    async def _cut(self) -> str:
        wire, name = self._wire()
        await wire.cut()
        await asyncio.sleep(self._dice.choice((0.1, 0.6, 2.0)))
        await wire.mend()
        return name

    async def _blackholed(self) -> str:
        wire, name = self._wire()
        wire.hang()
        await asyncio.sleep(self._dice.choice((0.1, 0.4, 0.8, 2.5)))
        await wire.mend()
        return name

    async def _half_open(self) -> str:
        wire, name = self._wire()
        wire.half_open(every=self._dice.choice((1, 2)))
        return name

    async def _client_kill(self) -> str:
        clients = [one["id"] for one in await self._client.client_list() if one["cmd"] != "client|list"]
        chosen = self._dice.sample(clients, min(len(clients), self._dice.choice((1, 1, 3, 100))))
        for one in chosen:
            await self._client.execute_command("CLIENT", "KILL", "ID", one)  # type: ignore[no-untyped-call]
        return str(len(chosen))

    async def _client_pause(self) -> str:
        async with self._redis_is_mine:
            ms = self._dice.choice((50, 300, 1200))
            await self._client.client_pause(ms, all=self._dice.random() < 0.5)
            await asyncio.sleep(ms / 1000)
        return f"{ms} ms"

    async def _redis_killed(self, *, dump: bool = False) -> str:
        async with self._redis_is_mine:
            self._ground.redis.dump.unlink(missing_ok=True)
            if dump:
                await self._client.save()
                await asyncio.sleep(self._dice.uniform(0, 1))
            began = now()
            self._ground.redis.kill()
            await asyncio.sleep(self._dice.choice((0.0, 0.3, 1.5)))
            await asyncio.to_thread(self._ground.redis.start)
            self.lossy.append((began, now()))
        return ""

    async def _redis_killed_dump(self) -> str:
        return await self._redis_killed(dump=True)

    async def _script_flush(self) -> str:
        await self._client.script_flush()
        return ""

    async def _flushall(self) -> str:
        began = now()
        await self._client.flushall()
        self.lossy.append((began, now()))
        return ""

    async def _maxmemory(self) -> str:
        async with self._redis_is_mine:
            began = now()
            await self._client.config_set("maxmemory", "2mb")
            try:
                await asyncio.sleep(self._dice.uniform(0.3, 1.5))
            finally:
                await self._client.config_set("maxmemory", f"{self._ground.settings.redis_memory}mb")
                self.lossy.append((began, now()))
        return ""

    def _trouble_all(self) -> None:
        for process in range(PROCESSES):
            self._ledger.trouble(process, UNWELL)

    def _member(self) -> Member:
        return self._dice.choice(self._troupe.members)

    async def _stopped(self) -> str:
        member = self._member()
        if not (pid := member.pid):
            return "not there"
        seconds = self._dice.choice((0.1, 0.4, 1.0, 2.0, 5.0))  # the last is longer than a tombstone stands
        self._ledger.trouble(member.plan.process, UNWELL)
        member.stopped = True
        end(pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._wake(member)
        return f"{member.plan.process} for {seconds} s"

    def _wake(self, member: Member) -> None:
        if member.stopped and member.pid:
            end(member.pid, signal.SIGCONT)
        member.stopped = False

    async def _killed(self) -> str:
        member = self._member()
        if member.pid:
            end(member.pid)
        await asyncio.sleep(0.1)
        await self._troupe.whole()
        return str(member.plan.process)

    async def _died(self) -> str:
        """It ends itself at the step we name, if it comes there soon; mostly at one of a write."""
        one = self._dice.randrange(PROCESSES)
        step = self._dice.randrange(OF_A_WRITE if self._dice.random() < 0.7 else len(STEPS))
        self._ledger.orders[one] = step + 1
        for _ in range(40):
            await asyncio.sleep(0.05)
            if not self._ledger.orders[one]:
                break
        self._ledger.orders[one] = 0
        await self._troupe.whole()
        return f"{one} {STEPS[step]}"

    async def _mysql_kill(self) -> str:
        self._trouble_all()
        return await asyncio.to_thread(mysql_faults.kill, self._ground, self._dice.choice((1, 3, 50)))

    async def _deadlock(self) -> str:
        return await asyncio.to_thread(mysql_faults.deadlock, self._ground, self._dice.randint(1, 3))

    async def _lock_wait(self) -> str:
        self._trouble_all()  # writers who wait hold all connections of the pools
        return await asyncio.to_thread(mysql_faults.lock_wait, self._ground, self._dice.randint(1, 4), 3.3)
