"""The herd: two thousand readers of one row at one moment, over four processes, and how often MySQL is asked for it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from commands.proving.ground import Ground
from commands.proving.history import History, history
from commands.proving.ledger import PROCESSES, now

READERS = 500  # in each process
AHEAD = 400_000_000  # ns that the processes get to be ready for the moment; longer than L1 answers without Redis
WAVES, APART = 10, 10_000_000  # of readers while the row is forgotten; ns from one to the next
KEY = 7


@dataclass(frozen=True, slots=True)
class Stampede:
    """One crowd: the loads that were made, how many there may be, and the readers who got no answer."""

    title: str
    loads: int
    most: int
    failed: int

    @property
    def well(self) -> bool:
        return 1 <= self.loads <= self.most and not self.failed


async def stampedes(ground: Ground, seed: int, tell: Callable[[str], None] = lambda text: None) -> list[Stampede]:
    """A key that nobody has read; one that is forgotten while all read it; and one with Redis away; with L1 on, and off."""
    found = []
    for near in (True, False):
        async with history(ground, seed=seed, near=(near,) * PROCESSES, tasks=1) as stage:
            level = "L1 on" if near else "L1 off"
            tell(f"{PROCESSES} x {READERS} readers, {level}")
            found.append(await _counted(stage, f"nobody has read it, {level}", 1, _crowd(stage, READERS)))
            found.append(await _counted(stage, f"forgotten while read, {level}", 1, _forgotten(stage)))
            for wire in ground.redis_wires:
                await wire.cut()
            found.append(await _counted(stage, f"Redis away, {level}", PROCESSES, _crowd(stage, READERS)))
    return found


async def _counted(stage: History, title: str, most: int, crowd: Awaitable[int]) -> Stampede:
    before = stage.ledger.total("loads")
    failed = await crowd
    return Stampede(title, stage.ledger.total("loads") - before, most, failed)


async def _crowd(stage: History, count: int, at: int = 0) -> int:
    """So many readers in each process, at once; how many of them got no answer."""
    return sum(await stage.troupe.all("crowd", key=KEY, count=count, at=at or now() + AHEAD))


async def _forgotten(stage: History) -> int:
    """Waves of readers, and in the midst of them the row is forgotten."""
    at = now() + AHEAD
    waves = [_crowd(stage, READERS // WAVES, at + wave * APART) for wave in range(WAVES)]
    return sum(await asyncio.gather(*waves, _forget(stage, at + WAVES // 2 * APART - APART // 2)))


async def _forget(stage: History, at: int) -> int:
    await asyncio.sleep(max(0, at - now()) / 1e9)
    await stage.troupe.members[0].ask("forget", key=KEY)
    return 0
