"""The line to Redis of one process: one connection, the epoch it speaks for, and whether Redis is asked at all (the breaker).

A connection is used only after it has shown which epoch there is. One that breaks is made anew once within the same question;
when that fails, or an answer is late, the line is down: nobody asks Redis, and a task of ours tries every 0.25 s to have it back.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from hiredis import ReplyError
from redis.asyncio import Redis

from cache.epochs import prefixes_of, random_of
from cache.scripts import EPOCH, Script
from cache.slots import family_of
from cache.wire import Late, Lost, Wire, open_wire

log = logging.getLogger("plaza.cache")
Result = TypeVar("Result")

RETRY = 0.25  # s between two tries to have Redis back
MOST_EPOCHS = 3  # times that a question is asked again because the epoch had changed
# Redis says so of itself, not of the one command: as if it did not answer.
_UNWELL = (
    "LOADING",
    "READONLY",
    "MASTERDOWN",
    "MISCONF",
    "NOAUTH",
    "NOPERM",
    "WRONGPASS",
    "BUSY",
    "CLUSTERDOWN",
    "NOREPLICAS",
)


class Down(Exception):
    """Redis cannot be asked now."""


class OtherEpoch(Exception):
    """The question was put under an epoch that is no more."""


class Line:
    """`up` is false while nobody may ask Redis. `replay` is awaited before it becomes true again."""

    def __init__(self, redis: Redis, namespace: str, replay: Callable[[], Awaitable[None]] | None) -> None:
        self.up = self.started = False
        self.key = f"{namespace}:epoch".encode()
        self.value, self.epoch, self.prefix = b"", "", ""
        self.prefixes: dict[str, str] = {}  # of the families that were dropped in this epoch
        self.counts = Counter[str]()
        self.told: list[Callable[[], None]] = []
        self.wire: Wire | None = None
        self._redis, self._namespace, self._replay = redis, namespace, replay
        self._connecting: asyncio.Task[Wire] | None = None
        self._recovery: asyncio.Task[bool] | None = None
        self._tries: asyncio.Task[None] | None = None
        self._closed = False
        self._said = ""  # why the last replay failed: told once, though it is tried four times a second

    async def start(self) -> bool:
        """Try once at once, and then again and again; whether the line is up."""
        if not await self.recover_now():
            self._keep_trying()
        self.started = True  # who comes before waits for this first try; who comes later does not
        return self.up

    async def run(
        self, script: Script, make: Callable[[], tuple[Sequence[str], Sequence[bytes | int]]], *, force: bool = False
    ) -> Any:
        """What a script answers. `make` gives its names (without prefix) and its arguments, anew for every try. Raises Down."""

        async def once(wire: Wire) -> Any:
            names, args = make()
            keys = [self.key, *map(self.full, names)]
            args = [self.value, *args]
            answer = await wire.ask(script.pack(keys, args))
            if isinstance(answer, ReplyError) and str(answer).startswith("NOSCRIPT"):
                answer = await wire.ask(script.pack(keys, args, whole=True))
            return self.checked(answer)

        return await self.asked(once, force=force)

    async def asked(self, once: Callable[[Wire], Awaitable[Result]], *, force: bool = False) -> Result:
        """What `once` gives; it is called again on a new connection, and under a new epoch.

        Raises Down. `force` asks even while the line is not up.
        """
        if not self.started and not force:
            await self.start()
        lost = epochs = 0
        while (self.up or force) and not self._closed and epochs < MOST_EPOCHS:
            try:
                wire = await self.connected()
                try:
                    return await once(wire)
                except OtherEpoch:
                    epochs += 1
                    await self.learn(wire)
            except Lost as error:
                lost += 1
                if lost == 2 or isinstance(error, Late):
                    self.fail(error)
                    break
        raise Down("Redis cannot be asked")

    def checked(self, answer: Any) -> Any:
        """The answer, if it is no error. Raises OtherEpoch; Late when Redis is unwell; Down when it refused only this."""
        if not isinstance(answer, ReplyError):
            return answer
        said = str(answer)
        if said.startswith("EPOCH"):
            raise OtherEpoch(said)
        if said.startswith(_UNWELL):
            raise Late(said)
        log.warning("Redis refused: %s", said)
        self.counts["refused"] += 1
        raise Down(said)

    async def connected(self) -> Wire:
        """The connection; made, once for all who ask, if there is none. Raises Lost, Late."""
        if self.wire is not None:
            return self.wire
        if self._closed:
            raise Lost("closed")
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect(), name="connect to Redis")
            self._connecting.add_done_callback(_seen)
        return await _of(self._connecting, Lost("closed"))

    async def _connect(self) -> Wire:
        wire = await open_wire(self._redis, self._gone)
        try:
            await self.learn(wire)
        except BaseException:
            wire.close(Lost("no epoch"))
            raise
        self.wire = wire
        return wire

    def _gone(self, wire: Wire) -> None:
        if self.wire is wire:
            self.wire = None

    async def learn(self, wire: Wire) -> None:
        """Ask which epoch there is, and go over to it. Raises Lost, Late."""
        for whole in (False, True):
            answer = await wire.ask(EPOCH.pack([self.key], [secrets.token_hex(8).encode()], whole=whole))
            if isinstance(answer, bytes) and b":" in answer:
                break
        else:
            raise Late(f"no epoch: {answer}")
        if answer != self.value:
            self.value, self.epoch = answer, random_of(answer)
            self.prefix = f"{self._namespace}:{self.epoch}:"
            self.prefixes = prefixes_of(answer, self.prefix)
            self.counts["epochs"] += 1
            self.tell()

    def full(self, name: str) -> bytes:
        """The key of a name in the present epoch."""
        prefix = self.prefixes.get(family_of(name), self.prefix) if self.prefixes else self.prefix
        return (prefix + name).encode("utf-8", "surrogatepass")

    def tell(self) -> None:
        """The epoch (a family that was dropped is in it) or `up` has changed."""
        for told in self.told:
            told()

    def fail(self, error: Exception) -> None:
        """From here on nobody asks Redis, until it is back."""
        if self.wire is not None:
            self.wire.close(error)
        if self.up:
            self.up = False
            self.counts["outages"] += 1
            log.warning("Redis failed, reading from MySQL: %s", error)
            self.tell()
        self._keep_trying()

    def _keep_trying(self) -> None:
        if not self._closed and (self._tries is None or self._tries.done()):
            self._tries = asyncio.create_task(self._try(), name="have Redis back")

    async def _try(self) -> None:
        while not self.up and not self._closed:
            await asyncio.sleep(RETRY)
            await self.recover_now()

    async def recover_now(self) -> bool:
        """Connect, learn the epoch, replay; whether the line is up. Several callers at once share one try."""
        if self.up or self._closed:
            return self.up
        if self._recovery is not None and self._recovery is asyncio.current_task():
            return False  # the replay itself asks: it must not wait for its own end
        if self._recovery is None or self._recovery.done():
            self._recovery = asyncio.create_task(self._recover(), name="recover")
        try:
            return await _of(self._recovery, Lost("closed"))
        except Lost:
            return False

    async def _recover(self) -> bool:
        try:
            wire = await self.connected()
            if self._replay is not None:
                await self._replay()
        except Lost:
            return False
        except Exception as error:
            # The replay asks MySQL, which may be away as well: then nothing here is to be trusted.
            if repr(error) != self._said:
                self._said = repr(error)
                log.warning("Redis is back, but what it has missed could not be replayed: %s", self._said)
            return False
        if self._closed or self.wire is not wire:
            return False  # lost again meanwhile
        self.up, self._said = True, ""
        log.info("Redis answers, epoch %s", self.epoch)
        self.tell()
        return True

    async def close(self) -> None:
        """Ask nothing any more; whoever waits is answered that Redis is down."""
        self._closed, self.up = True, False
        tasks = [task for task in (self._tries, self._recovery, self._connecting) if task and not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.wire is not None:
            self.wire.close(Lost("closed"))


async def _of(task: asyncio.Task[Result], cancelled: Exception) -> Result:
    """What a shared task gives. Who waits does not end with it when `close` cancels it, nor it with who waits."""
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled():
            raise cancelled from None
        raise


def _seen(task: asyncio.Task[Wire]) -> None:
    """Take note of a failure even when everybody who waited has gone away."""
    if not task.cancelled():
        task.exception()
