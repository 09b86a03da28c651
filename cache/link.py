"""What a process asks of Redis: many names in one trip, and the scripts of the protocol. Names come without prefix.

No method raises because of Redis: "it cannot be asked" is an answer (None, False). Every script may run twice, so a question
whose connection broke is asked once more on a new one.
"""

import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal, NamedTuple

from redis.asyncio import Redis

from cache import scripts
from cache.counts import Times
from cache.gets import Gets
from cache.line import Down, Line
from cache.scripts import Script

# A name and this: the lease of an early refresh. No name of a slot has it (quoted values would keep a "~").
SISTER = "+"

Make = Callable[[], tuple[Sequence[str], Sequence[bytes | int]]]
Answer = Literal["value", "lease", "busy", "bypass", "refresh"]
Filled = Literal["stored", "superseded", "invalidated", "expired"]


@dataclass(frozen=True, slots=True)
class Ask:
    """A name whose value is wanted, or the right to load it. `scopes` are a list's, by name.

    `force`: what stands there was unreadable, so a value is a miss. `nominated`: it should be refreshed early.
    """

    name: str
    schema: int
    scopes: tuple[str, ...] = ()
    force: bool = False
    nominated: bool = False


class Granted(NamedTuple):
    """What a reader may do.

    `value`: `data` is the record. `lease`: load, and fill. `busy`: another loads, for at most `rest_ms`. `bypass`: load only.
    `refresh`: `data` is good, and this caller is the one to load it anew. `stamps`: the scopes' generations, in order.
    """

    answer: Answer
    data: bytes = b""
    stamps: tuple[bytes, ...] = ()
    rest_ms: int = 0
    token: bytes = b""


@dataclass(frozen=True, slots=True)
class Fill:
    """A record to be stored under a name for `ttl_ms`."""

    name: str
    record: bytes
    ttl_ms: int
    scopes: tuple[str, ...] = ()


class Link:
    """One process's way to Redis.

    A client with a method `sent(first, commands, began)` is told of each trip, by whoever waited for it.
    """

    def __init__(self, redis: Redis, namespace: str, *, replay: Callable[[], Awaitable[None]] | None = None) -> None:
        self._line = Line(redis, namespace, replay)
        self._sent: Callable[[Sequence[Any], int, float], None] | None = getattr(redis, "sent", None)
        self._gets = Gets(self._line)
        # Of what was answered, by the script or `get`: from here to Redis and back, a second try included.
        self.times = {name: Times() for name in ("get", *(script.name for script in scripts.SHARED))}

    @property
    def up(self) -> bool:
        """False: Redis is not asked. A task of ours tries to have it back."""
        return self._line.up

    @property
    def epoch(self) -> str:
        """What the names of now begin with; "" before the first connection."""
        return self._line.epoch

    @property
    def counts(self) -> Counter[str]:
        """What was asked and answered since the start of the process."""
        return self._line.counts

    def on_change(self, told: Callable[[], None]) -> None:
        """`told()` is called at once when the epoch changes, and when the link goes down or comes up."""
        self._line.told.append(told)

    def full(self, name: str) -> bytes:
        """The key of a name in the present epoch."""
        return self._line.full(name)

    async def start(self) -> None:
        """Connect, if Redis is there. Not needed: the first question does it."""
        await self._line.start()

    async def look(self) -> None:
        """Learn which epoch there is, as any question would; nothing while Redis cannot be asked."""
        try:
            await self._line.asked(self._line.learn)
        except Down:
            pass

    async def recover_now(self) -> bool:
        """Try to have Redis back without waiting for the next try; whether it is."""
        return await self._line.recover_now()

    async def close(self) -> None:
        await self._line.close()
        await self._gets.close()

    async def get(self, names: Sequence[str]) -> list[bytes | None] | None:
        """What stands under each name; None while Redis cannot be asked.

        All that is asked in one turn of the loop is one trip. Decode nothing in place: callers may share the answer's bytes.
        """
        line = self._line
        if not line.up and (line.started or not await line.start()):
            return None
        if not names:
            return []
        began = perf_counter()
        found = await self._gets.ask(names)
        if found is not None:
            self.times["get"].note(perf_counter() - began)
        if self._sent is not None:
            self._sent(("MGET", *names), 1, began)
        return found

    async def acquire(self, asks: Sequence[Ask], token: bytes, lease_ms: int) -> list[Granted] | None:
        """For each name the value that has come meanwhile, or who may load it; None while Redis cannot be asked."""
        names = [name for ask in asks for name in _keys(ask.name, ask.scopes)]
        per_ask = [
            arg
            for ask in asks
            for arg in (
                ask.schema.to_bytes(2, "big"),
                b"F" if ask.force else b"N" if ask.nominated else b"",
                len(ask.scopes),
            )
        ]
        tokens: list[bytes] = []

        def make() -> tuple[Sequence[str], Sequence[bytes | int]]:
            # A question that is sent twice bears two tokens: its first copy, arriving late, must not give back a lease that a
            # writer has taken away. Nor are the 8 random bytes sent twice: a generation that came back would make old lists good.
            tokens.append(secrets.token_bytes(16) if tokens else token)
            return names, [tokens[-1], lease_ms, secrets.token_bytes(8), *per_ask]

        answers = await self._run(scripts.ACQUIRE, make, len(asks))
        if answers is None:
            return None
        granted = [_granted(answer, tokens[-1]) for answer in answers]
        for lost in tokens[:-1]:  # nobody has heard of these leases
            await self.release([ask.name for ask, one in zip(asks, granted, strict=True) if one.answer == "busy"], lost)
        self.counts.update(f"acquire {one.answer}" for one in granted)
        return granted

    async def fill(self, items: Sequence[Fill], token: bytes) -> list[Filled] | None:
        """What became of each item; None while Redis cannot be asked: then nobody knows. See `fill.lua`."""
        names = [name for item in items for name in _keys(item.name, item.scopes)]
        args = [token, *(arg for item in items for arg in (item.record, item.ttl_ms, len(item.scopes)))]
        answers = await self._run(scripts.FILL, lambda: (names, args), len(items))
        if answers is None:
            return None
        filled: list[Filled] = [answer.decode() for answer in answers]
        self.counts.update(f"fill {answer}" for answer in filled)
        return filled

    async def begin(self, records: Sequence[str], scopes: Sequence[str], writer: bytes, hold_ms: int) -> bool:
        """Nobody is answered from these names or fills them, for `hold_ms` or until `end`. False: not confirmed."""
        names = [*_with_sisters(records), *scopes]
        return await self._done(scripts.BEGIN, lambda: (names, [writer, hold_ms, secrets.token_bytes(8), len(records)]))

    async def end(self, records: Sequence[str], scopes: Sequence[str], writer: bytes, *, force: bool = False) -> bool:
        """Whatever stands under these names is gone, unless other writers hold them still. False: not confirmed.

        `force` asks Redis even while the link is not up: for the replay, before it comes up. An empty `writer` is an operator's.
        """
        names = [*_with_sisters(records), *scopes]
        return await self._done(
            scripts.END, lambda: (names, [writer, secrets.token_bytes(8), len(records)]), force=force
        )

    async def drop(self, family: str) -> bool:
        """Forget all of a family at once (`family_of`): its names are others from now on. False: not confirmed."""
        dropped = await self._done(scripts.DROP, lambda: ((), [family.encode()]))
        await self.look()  # the push comes later than the answer
        return dropped

    async def release(self, names: Sequence[str], token: bytes) -> None:
        """The load failed: whoever asks next may load at once."""
        if names:
            await self._done(scripts.RELEASE, lambda: (_with_sisters(names), [token]))

    async def run(self, script: Script, names: Sequence[str], args: Sequence[bytes | int]) -> Any:
        """What a script that is not of this protocol's answers; None while Redis cannot be asked. It may run twice."""
        return await self._run(script, lambda: (names, args), 1)

    async def _done(self, script: Script, make: Make, *, force: bool = False) -> bool:
        return await self._run(script, make, 1, force=force) is not None

    async def _run(self, script: Script, make: Make, weight: int, *, force: bool = False) -> Any:
        if not weight:
            return []
        began, names = perf_counter(), list[str]()

        def made() -> tuple[Sequence[str], Sequence[bytes | int]]:
            keys, args = make()
            names[:] = keys[:1]
            return keys, args

        self.counts["trips"] += 1
        try:
            answer = await self._line.run(script, made, force=force)
            self.times[script.name].note(perf_counter() - began)
            return answer
        except Down:
            return None
        finally:
            if self._sent is not None:
                self._sent((script.name, *names), 1, began)


def _keys(name: str, scopes: Sequence[str]) -> tuple[str, ...]:
    return name, name + SISTER, *scopes


def _with_sisters(names: Sequence[str]) -> list[str]:
    return [key for name in names for key in (name, name + SISTER)]


def _granted(answer: list[Any], token: bytes) -> Granted:
    what = answer[0].decode()
    if what == "busy":
        return Granted("busy", rest_ms=answer[1])
    if what == "bypass":
        return Granted("bypass")
    _, data, stamps = answer
    return Granted(what, data, tuple(stamps[at : at + 8] for at in range(0, len(stamps), 8)), token=token)
