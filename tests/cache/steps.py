"""Processes whose every step to Redis a test holds back and lets go by hand, over a truth that it can hold too."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from cache import Cache, Slot
from cache.link import Link
from cache.local import Local
from cache.tracking import Tracking
from tests.cache.samples import NOTE, NOTES, PAGE, Note, rows

Value = TypeVar("Value")

PATIENCE = 30.0  # s that a test waits for a thing which must come; nothing here waits for a time to pass
MEMORY = 1_000_000  # bytes of a level of its own
_numbers = itertools.count(1)


async def until(claim: Callable[[], Any], what: str = "what was waited for") -> None:
    """Give the loop away until the claim holds."""
    async with asyncio.timeout(PATIENCE):
        while not claim():  # noqa: ASYNC110 - the thing itself tells nobody
            await asyncio.sleep(0.002)


async def until_answers(claim: Callable[[], Awaitable[Any]]) -> None:
    """The same for a claim that has to ask somebody."""
    async with asyncio.timeout(PATIENCE):
        while not await claim():  # noqa: ASYNC110 - nor does MySQL, nor Redis
            await asyncio.sleep(0.005)


class Gate:
    """Stops the first who comes through, until it is freed."""

    def __init__(self) -> None:
        self._reached, self._open, self.used = asyncio.Event(), asyncio.Event(), False

    async def reached(self) -> None:
        """Until somebody stands at the gate."""
        async with asyncio.timeout(PATIENCE):
            await self._reached.wait()

    def free(self) -> None:
        self._open.set()

    async def stop(self) -> None:
        self.used = True
        self._reached.set()
        await self._open.wait()


class Gates:
    """The gates of one process, by the name of the step."""

    def __init__(self) -> None:
        self._gates: dict[str, Gate] = {}

    def hold(self, step: str) -> Gate:
        """A gate at "before fill", "after fill", and so on: the next one who comes there stops."""
        self._gates[step] = Gate()
        return self._gates[step]

    async def come(self, step: str) -> None:
        gate = self._gates.get(step)
        if gate and not gate.used:
            await gate.stop()

    async def through(self, step: str, call: Callable[[], Awaitable[Value]]) -> Value:
        await self.come(f"before {step}")
        answer = await call()
        await self.come(f"after {step}")
        return answer

    def free_all(self) -> None:
        for gate in self._gates.values():
            gate.used = True
            gate.free()


class HeldLink(Link):
    """A link with a gate before and after each of its steps; `told` lists the steps and what Redis answered."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.gates, self.told = Gates(), list[tuple[str, Any]]()

    async def _step(self, step: str, call: Callable[[], Awaitable[Value]]) -> Value:
        answer = await self.gates.through(step, call)
        self.told.append((step, answer))
        return answer

    async def get(self, *args: Any, **options: Any) -> Any:
        return await self._step("get", lambda: super(HeldLink, self).get(*args, **options))

    async def acquire(self, *args: Any, **options: Any) -> Any:
        return await self._step("acquire", lambda: super(HeldLink, self).acquire(*args, **options))

    async def fill(self, *args: Any, **options: Any) -> Any:
        return await self._step("fill", lambda: super(HeldLink, self).fill(*args, **options))

    async def begin(self, *args: Any, **options: Any) -> Any:
        return await self._step("begin", lambda: super(HeldLink, self).begin(*args, **options))

    async def end(self, *args: Any, **options: Any) -> Any:
        return await self._step("end", lambda: super(HeldLink, self).end(*args, **options))

    def answers(self, step: str) -> list[Any]:
        """What Redis said to each of these steps, the oldest first."""
        return [answer for name, answer in self.told if name == step]


@dataclass(slots=True)
class Truth:
    """What MySQL is elsewhere: rows, and a gate at which a load stops that has read them."""

    rows: dict[int, str] = field(default_factory=dict)
    loads: int = 0
    gates: Gates = field(default_factory=Gates)

    def hold(self) -> Gate:
        return self.gates.hold("load")

    async def notes(self, slots: list[Slot]) -> dict[Slot, Note]:
        found = {NOTE(id): Note(id, text) for id, text in self.rows.items()}
        self.loads += 1
        await self.gates.come("load")
        return {slot: found[slot] for slot in slots if slot in found}

    async def page(self) -> tuple[int, ...]:
        ids = tuple(sorted(self.rows))
        self.loads += 1
        await self.gates.come("load")
        return ids


@dataclass(slots=True)
class Process:
    """What one process has: its way to Redis, its own level, its cache; and the truth that it reads."""

    redis: Redis
    pushes: Redis
    link: HeldLink
    local: Local
    tracking: Tracking
    cache: Cache
    truth: Truth

    def hold(self, step: str) -> Gate:
        return self.link.gates.hold(step)

    async def note(self, id: int) -> Note | None:
        found: Note | None = (await rows(self.cache, Note, [NOTE(id)], self.truth.notes))[NOTE(id)]
        return found

    async def text(self, id: int) -> str | None:
        note = await self.note(id)
        return note.text if note else None

    async def page(self) -> tuple[int, ...]:
        return await self.cache.items(PAGE(1), self.truth.page)

    async def write(self, id: int, text: str | None) -> None:
        """As a transaction does it: begin, COMMIT, end. None deletes."""
        slots, writer = (NOTE(id), NOTES()), self.cache.writer()
        await self.cache.begin(slots, writer, 10.0)
        self.commit(id, text)
        await self.cache.end(slots, writer)

    def commit(self, id: int, text: str | None) -> None:
        if text is None:
            self.truth.rows.pop(id, None)
        else:
            self.truth.rows[id] = text

    async def close(self) -> None:
        self.link.gates.free_all()
        await self.cache.close()
        await self.tracking.close()
        await self.link.close()
        await self.redis.aclose()
        await self.pushes.aclose()


def client(url: str, seconds: float = 5.0) -> Redis:
    return Redis.from_url(
        url, protocol=3, socket_timeout=seconds, socket_connect_timeout=seconds, retry=Retry(NoBackoff(), 0),
        max_connections=1000,
    )  # fmt: skip


class Stage:
    """Several processes over one truth and one Redis, under a namespace that nobody else has."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.namespace = url, f"{name}.{next(_numbers)}"
        self.truth, self.redis = Truth({1: "old"}), client(url)
        self._processes: list[Process] = []

    async def process(
        self, *, local: bool = False, url: str = "", tracking: str = "", seconds: float = 5.0, deaf: bool = False,
        replay: Callable[[], Awaitable[None]] | None = None,
    ) -> Process:  # fmt: skip
        """One more. `local`: it has a level of its own; `url`, `tracking`: where it finds Redis, and its pushes; `seconds`: how
        long it waits for an answer; `deaf`: Redis never pushes anything to it, as behind a proxy that does not know how."""
        process = await make(
            url or self.url, self.namespace, self.truth, near=local, tracking=tracking, seconds=seconds, replay=replay,
            deaf=deaf,
        )  # fmt: skip
        self._processes.append(process)
        return process

    def full(self, slot: Slot) -> bytes:
        """The key of a slot, as the process that was made last has it."""
        return self._processes[-1].link.full(slot.name)

    async def raw(self, process: Process, slot: Slot) -> bytes | None:
        """What stands under a slot's name."""
        found = await self.redis.get(process.link.full(slot.name))
        assert not isinstance(found, str)
        return found

    async def close(self) -> None:
        self.truth.gates.free_all()
        for process in self._processes:
            await process.close()
        await self.redis.aclose()


async def make(
    url: str, namespace: str, truth: Truth, *, near: bool = False, tracking: str = "", seconds: float = 5.0,
    deaf: bool = False, replay: Callable[[], Awaitable[None]] | None = None,
) -> Process:  # fmt: skip
    """A process as `models.connected` makes it, with gates; with `near` its own level is open when this returns."""
    redis, pushes = client(url, seconds), client(tracking or url, seconds)
    link = HeldLink(redis, namespace, replay=replay)
    local = Local(MEMORY if near else 0, on=near)
    pushing = Tracking(pushes, namespace, link, local)
    process = Process(redis, pushes, link, local, pushing, Cache(link, local, pushing), truth)
    await link.start()
    if deaf:
        pushing._track = pack_command((b"CLIENT", b"TRACKING", b"OFF"))  # type: ignore[arg-type]
    if near:
        pushing.start()
    if near and not deaf:
        await open_level(process)
    return process


async def open_level(process: Process) -> None:
    """Until the process's own level may answer."""
    await until(lambda: process.local.open)


def near(process: Process, id: int) -> str | None:
    """What the process's own level answers at this moment, for a note; None when it does not."""
    found = process.cache.near(NOTE(id).name)
    return found.text if isinstance(found, Note) else None


async def warm(process: Process, id: int) -> str | None:
    """Read until the process's own level answers; what it answers."""
    await until_answers(lambda: _read_near(process, id))
    return near(process, id)


async def _read_near(process: Process, id: int) -> bool:
    await process.text(id)
    return near(process, id) is not None


def folder_url(path: Path) -> str:
    return f"unix://{path}?db=0"
