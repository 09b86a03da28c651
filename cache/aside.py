"""Cache-aside over Redis: read what is remembered, load and fill what is not, forget what a write changed.

The inside is the simple, correct form of the protocol in `docs/cache.md`:

- A write marks every row it touches just before COMMIT and again after it; a mark refuses fills for `MARK` seconds, and a fill is
  only tried within `FILL_WITHIN` of its load's start. So a loader that read the old row cannot store it over a newer one.
- A list carries the generations of its scopes, read before its SELECT; a write renews them before COMMIT and after it.
- A name whose forgetting could not reach Redis is retried until it does, and is read around in this process until then.

Redis slow or away is never an error to a reader: everything is loaded from MySQL, one load of a key at a time.
"""

import asyncio
import logging
import random
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cache import records
from cache.flights import Flights, Loaded
from cache.slots import Slot

log = logging.getLogger("plaza.cache")

MARK = 3.0  # s a mark stands
FILL_WITHIN = 1.0  # s; a load that took longer is not stored. MARK - FILL_WITHIN covers the fill's own way to Redis
ABSENT_TTL = 30  # s
GENERATION_TTL = 86_400  # s; far above any list's ttl
REST = 0.3  # s during which Redis is not asked after it failed
RETRY = 0.1  # s between two tries to forget what could not be forgotten
MOST_UNFORGOTTEN = 10_000  # names; beyond it writes are refused
_DELETE_IF_SAME = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end"

Row = TypeVar("Row")


class CannotForget(Exception):
    """So many names wait to be forgotten that another write is refused: Redis is away, and the writes did not stop."""


class Cache:
    """One process's view of the remembered rows and lists. `namespace` keeps two sites in one Redis apart.

    `asked` hears of each question how many rows or lists were remembered and how many were not, before those are loaded.
    """

    def __init__(
        self, redis: Redis, namespace: str, asked: Callable[[int, int], None] = lambda found, missing: None
    ) -> None:
        self._redis, self._namespace, self._asked = redis, namespace, asked
        self._flights = Flights()
        self._rests_until = 0.0
        self._unforgotten: dict[str, Slot] = {}
        self._retry: asyncio.Task[None] | None = None
        self._forgetting: set[asyncio.Task[None]] = set()

    async def rows(
        self, cls: type[Row], slots: Sequence[Slot], load: Callable[[list[Slot]], Awaitable[dict[Slot, Row]]]
    ) -> dict[Slot, Row | None]:
        """Each slot's row, or None where there is none; one MGET, then one `load` for all that are missing."""
        found: dict[Slot, Row | None] = {}
        asked = list(dict.fromkeys(slots))
        for slot, data in zip(asked, await self._get(asked), strict=True):
            if data == records.ABSENT:
                found[slot] = None
            elif data is not None and data != records.MARK:
                try:
                    found[slot] = records.decode_row(cls, data)
                except records.Unreadable:
                    log.info("unreadable record under %s: read again", slot.name)
                    await self._drop(slot, data)
        missing = {slot.name: slot for slot in asked if slot not in found}
        self._asked(len(found), len(missing))
        if missing:
            values = await self._flights.values(
                list(missing), lambda names: self._load_rows([missing[name] for name in names], load)
            )
            found.update((slot, values[name]) for name, slot in missing.items())
        return found

    async def _load_rows(self, slots: list[Slot], load: Callable[[list[Slot]], Awaitable[dict[Slot, Row]]]) -> Loaded:
        started = asyncio.get_running_loop().time()
        rows = await load(slots)
        stored = [False] * len(slots)
        if asyncio.get_running_loop().time() - started < FILL_WITHIN:
            stored = await self._fill(
                (slot, records.encode_row(rows[slot]) if slot in rows else records.ABSENT) for slot in slots
            )
        return {slot.name: (rows.get(slot), kept) for slot, kept in zip(slots, stored, strict=True)}

    async def items(self, slot: Slot, load: Callable[[], Awaitable[tuple[Any, ...]]]) -> tuple[Any, ...]:
        """The items of a list, remembered or loaded. `load` gives ids and small numbers, in their final order."""
        data, *stamps = await self._get((slot, *slot.scopes))
        if data is not None and all(stamps):
            try:
                then, items = records.decode_list(data)
                if then == tuple(stamps):
                    self._asked(1, 0)
                    return items
            except records.Unreadable:
                log.info("unreadable list under %s: read again", slot.name)
        self._asked(0, 1)
        values = await self._flights.values([slot.name], lambda _: self._load_items(slot, load))
        result: tuple[Any, ...] = values[slot.name]
        return result

    async def _load_items(self, slot: Slot, load: Callable[[], Awaitable[tuple[Any, ...]]]) -> Loaded:
        before = await self._generations(slot.scopes)
        items = await load()
        if before is None:
            return {slot.name: (items, False)}
        try:
            pipe = self._redis.pipeline(transaction=False)
            pipe.set(self._full(slot), records.encode_list(before, items), ex=_jitter(slot.ttl))
            pipe.mget([self._full(scope) for scope in slot.scopes])
            after = (await pipe.execute())[-1]
        except (RedisError, OSError) as error:
            self._failed(error)
            return {slot.name: (items, False)}
        return {slot.name: (items, tuple(after) == before)}

    async def _generations(self, scopes: Sequence[Slot]) -> tuple[bytes, ...] | None:
        """Each scope's generation now, begun where there is none; None while Redis cannot tell, or is not to be trusted."""
        if self._resting() or any(scope.name in self._unforgotten for scope in scopes):
            return None
        names = [self._full(scope) for scope in scopes]
        try:
            pipe = self._redis.pipeline(transaction=False)
            for name in names:
                pipe.set(name, _generation(), ex=GENERATION_TTL, nx=True)
            pipe.mget(names)
            found = (await pipe.execute())[-1]
        except (RedisError, OSError) as error:
            self._failed(error)
            return None
        return tuple(found) if all(found) else None

    async def begin(self, slots: Iterable[Slot], hold: float) -> None:
        """Just before COMMIT: marks that stand for `hold` seconds, should this process not live to call `forget`.

        Raises CannotForget when the names that wait already are too many; the transaction must then roll back.
        """
        slots = list(slots)
        if len(self._unforgotten) + len(slots) > MOST_UNFORGOTTEN:
            raise CannotForget(f"{len(self._unforgotten)} names wait to be forgotten")
        if not self._resting():
            try:
                await self._mark(slots, hold)
            except (RedisError, OSError) as error:
                self._failed(error)

    def forget(self, slots: Iterable[Slot]) -> asyncio.Task[None]:
        """After COMMIT, and after a rollback: no reader gets an older answer for these once the task has ended.

        The task is the cache's own: a caller that is cancelled while it waits (shielded) does not stop the forgetting.
        """
        wanted = {slot.name: slot for slot in slots}
        self._unforgotten.update(wanted)
        task = asyncio.create_task(self._forget(wanted), name="forget")
        self._forgetting.add(task)
        task.add_done_callback(self._forgetting.discard)
        return task

    async def _forget(self, wanted: dict[str, Slot]) -> None:
        if not await self._forget_now(wanted) and (self._retry is None or self._retry.done()):
            self._retry = asyncio.create_task(self._keep_forgetting(), name="forget again")

    async def _forget_now(self, wanted: dict[str, Slot]) -> bool:
        try:
            await self._mark(list(wanted.values()), MARK)
        except (RedisError, OSError) as error:
            self._failed(error)
            return False
        for name, slot in wanted.items():
            if self._unforgotten.get(name) is slot:  # a later write's own wish to forget must not go with this one
                del self._unforgotten[name]
        return True

    async def _keep_forgetting(self) -> None:
        """Try until nothing is left. Cancelled by `close`."""
        while self._unforgotten:
            await asyncio.sleep(RETRY)
            await self._forget_now(dict(list(self._unforgotten.items())[:500]))

    async def _mark(self, slots: list[Slot], seconds: float) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for slot in slots:
            if slot.kind == "scope":
                pipe.set(self._full(slot), _generation(), ex=GENERATION_TTL)
            else:
                pipe.set(self._full(slot), records.MARK, px=int(seconds * 1000))
        if slots:
            await pipe.execute()

    async def _get(self, slots: Sequence[Slot]) -> list[bytes | None]:
        if not slots or self._resting():
            return [None] * len(slots)
        try:
            found = await self._redis.mget([self._full(slot) for slot in slots])
        except (RedisError, OSError) as error:
            self._failed(error)
            return [None] * len(slots)
        return [
            None if slot.name in self._unforgotten else _bytes(data) for slot, data in zip(slots, found, strict=True)
        ]

    async def _fill(self, values: Iterable[tuple[Slot, bytes]]) -> list[bool]:
        values = list(values)
        if self._resting():
            return [False] * len(values)
        try:
            pipe = self._redis.pipeline(transaction=False)
            for slot, data in values:
                ttl = min(slot.ttl, ABSENT_TTL) if data == records.ABSENT else slot.ttl
                pipe.set(self._full(slot), data, ex=_jitter(ttl), nx=True)
            return [bool(answer) for answer in await pipe.execute()]
        except (RedisError, OSError) as error:
            self._failed(error)
            return [False] * len(values)

    async def _drop(self, slot: Slot, data: bytes) -> None:
        """Make room where these unreadable bytes stand; a mark that has come meanwhile stays."""
        try:
            await self._redis.eval(_DELETE_IF_SAME, 1, self._full(slot), data)
        except (RedisError, OSError) as error:
            self._failed(error)

    def _full(self, slot: Slot) -> str:
        return f"{self._namespace}:{slot.name}"

    def _resting(self) -> bool:
        return asyncio.get_running_loop().time() < self._rests_until

    def _failed(self, error: Exception) -> None:
        if not self._resting():
            log.warning("Redis failed, reading from MySQL: %s", error)
        self._rests_until = asyncio.get_running_loop().time() + REST

    async def close(self) -> None:
        """Let what is being forgotten end (each step has Redis' own time-out), stop trying again, close the connections."""
        await asyncio.gather(*self._forgetting, return_exceptions=True)
        if self._retry:
            self._retry.cancel()
            await asyncio.gather(self._retry, return_exceptions=True)
        await self._redis.aclose()


def _bytes(data: bytes | str | None) -> bytes | None:
    """What Redis answers to a client that does not decode."""
    if isinstance(data, str):
        raise TypeError("the cache needs a Redis client with decode_responses=False")
    return data


def _generation() -> bytes:
    return secrets.token_bytes(8)


def _jitter(seconds: int) -> int:
    """+-10 %, so that what was filled together does not expire together."""
    return max(1, round(seconds * random.uniform(0.9, 1.1)))  # noqa: S311 - no secret
