"""The connection that brings the pushes: what any process writes to Redis is told to this one, in order.

It is in RESP3 with `CLIENT TRACKING ON BCAST`. Every 0.1 s TIME is asked on it, the PING that tells Redis' clock as well; the
answer moves the fence of L1. All is done in callbacks of the socket: on a busy loop a push has not to wait for a task's turn.
"""

import asyncio
import logging
import socket
from functools import partial
from types import TracebackType
from typing import Any, Self

from hiredis import ReplyError, pack_command
from redis.asyncio import Redis

from cache.canary import Canary, Died
from cache.epochs import bare, random_of
from cache.link import Link
from cache.local import Local, Watch, now
from cache.wire import Lost, Wire, open_wire

log = logging.getLogger("plaza.cache")

PING = 0.1  # s between two
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0  # s between two tries to connect
CANARY = 10.0  # s between two canaries of a connection that is well
POLL = 0.02  # s a waiter rests when no pushes come in


def _pack(*words: str) -> bytes:
    packed: bytes = pack_command(words)  # type: ignore[arg-type]  # its stub knows tuples of one word only
    return packed


_TIME = _pack("TIME")
_AT_ONCE = 1 << 18  # B


class Push(Watch):
    """The next push of a name: `with tracking.push(name) as push: <ask Redis>; if BUSY: await push.wait(rest)`."""

    __slots__ = ("_came", "_tracking", "names")

    def __init__(self, tracking: "Tracking", name: str) -> None:
        self._tracking, self.names, self._came = tracking, (name,), asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Until the name was pushed, dropped or flushed since the `with`, at most `seconds`; without pushes, a short rest."""
        try:
            async with asyncio.timeout(seconds if self._tracking.connected else min(seconds, POLL)):
                await self._came.wait()
        except TimeoutError:
            pass

    def lost(self) -> None:
        self._came.set()

    def __enter__(self) -> Self:
        self._tracking.local.watch(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._tracking.local.unwatch(self)


class Tracking:
    """Keeps `local` told, and its fence young. Redis away is no error: it tries again, every 0.1 s to 1 s."""

    def __init__(self, redis: Redis, namespace: str, link: Link, local: Local) -> None:
        self.local, self.connected = local, False
        self.pushes = self.flushes = self.pongs = self.connections = self.canary_failures = 0
        self.push_lag: float | None = None  # s, of the latest canary
        self.error: Exception | None = None  # why there is no connection
        self._redis, self._namespace, self._link = redis, namespace, link
        self._epoch_key = f"{namespace}:epoch".encode()
        self._prefix = link.full("")
        self._track = _pack("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", f"{namespace}:")
        self._which = _pack("GET", f"{namespace}:epoch")
        self._epoch = ""  # of the Redis that brings the pushes
        self._canary: Canary | None = None
        self._flying = set[asyncio.Task[None]]()  # canaries, those that were ended included
        self._next_canary = 0.0
        self._wire: Wire | None = None
        self._socket: socket.socket | None = None  # that of the wire, to be read without the loop; none with TLS
        self._pinged = False  # an answer to PING is on its way
        self._catching_up: asyncio.Task[None] | None = None  # has not asked yet: who comes now shares it
        self._timer: asyncio.TimerHandle | None = None
        self._why: Exception = Lost("not yet connected")
        self._well = False  # a canary of this connection has come
        self._task: asyncio.Task[None] | None = None
        link.on_change(self.told)
        local.look = self._look

    def start(self) -> None:
        """Begin, in a task of its own."""
        self._task = asyncio.create_task(self._keep_connected(), name="tracking")

    @property
    def started(self) -> bool:
        return self._task is not None

    async def close(self) -> None:
        """End, and close the connection."""
        # Told until it listens: asyncio.wait_for of Python 3.11, by which redis-py connects, swallows one that meets an answer.
        while unfinished := [task for task in (self._task, *self._flying) if task is not None and not task.done()]:
            for task in unfinished:
                task.cancel()
            await asyncio.wait(unfinished, timeout=0.1)

    def told(self) -> None:
        """The link's epoch changed, or it went down or came up: nothing that was kept is to be trusted."""
        self._prefix = self._link.full("")
        if self.connected and self._link.up and self._epoch == self._link.epoch:
            self.local.begin()
            return
        self.local.shut()
        if self.connected and self._link.up and self._wire is not None:
            self._why = Lost("another epoch: another Redis may be asked than brings the pushes")
            self._wire.close(self._why)

    def push(self, name: str) -> Push:
        return Push(self, name)

    @property
    def redis_ms(self) -> int:
        """Redis' clock, in ms, as far as known; 0 while it is not."""
        return 0 if self.local.redis_ahead is None else int(now() * 1000 + self.local.redis_ahead)

    async def caught_up(self) -> None:
        """Until L1 knows of every write, of any process, that had returned before this call: one trip; none while L1 is shut.

        A fence that is merely old is no reason to go on: it may be young again before anything is read.
        """
        if self._wire is None or not self.local.tracked:
            return
        if self._catching_up is None:
            self._catching_up = asyncio.create_task(self._catch_up(self._wire), name="caught up")
        await asyncio.shield(self._catching_up)

    async def _catch_up(self, wire: Wire) -> None:
        self._catching_up = None
        try:
            await wire.ask(_TIME)
        except Lost:
            self.local.shut()

    async def _keep_connected(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._live()
            except (Lost, Died) as error:
                if self.error is None:
                    log.warning("no pushes from Redis, nothing is answered from memory: %s", error)
                self.error = error
            except Exception as error:
                log.exception("a mistake in the tracking")
                self.error = error
            finally:
                pause = FIRST_PAUSE if self._well else min(pause * 2, LONGEST_PAUSE)
                self.connected = self._well = False
                self.local.shut()
            await asyncio.sleep(pause)

    async def _live(self) -> None:
        """Connect, and stay until the connection breaks. Raises Lost, Died."""
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def lost(_: Wire) -> None:
            if not over.done():
                over.set_result(None)

        wire = self._wire = await open_wire(self._redis, lost)
        try:
            wire.pushed = self._pushed
            said = await wire.ask(self._track)
            if isinstance(said, ReplyError):
                raise Lost(str(said))
            await self._link.look()  # after a restart it may not have asked yet
            epoch = await wire.ask(self._which)
            self._epoch = random_of(epoch) if isinstance(epoch, bytes) else ""
            self._socket = wire.second_handle()
            self.connected, self._why = True, Lost("the connection broke")
            self.connections += 1
            self._wire = wire
            self.told()
            self._release_canary()
            self._ping(wire)
            await over
            raise self._why
        finally:
            self._wire = None
            self._pinged = False
            if self._timer is not None:
                self._timer.cancel()
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            if self._canary is not None:
                self._canary.end()
                self._canary = None
            wire.close(Lost("the tracking has ended"))

    def _ping(self, wire: Wire) -> None:
        if wire.alive:
            self._pinged = True
            wire.send(_TIME, 1, partial(self._answered, wire, now()))

    def _look(self) -> None:
        """For L1 whose fence is old: a loop that runs some thousand callbacks in one turn comes too seldom to its sockets."""
        if self._wire is None or not self.connected:
            return
        if not self._pinged:
            if self._timer is not None:
                self._timer.cancel()
            self._ping(self._wire)
        elif self._socket is not None:
            try:
                data = self._socket.recv(_AT_ONCE)
            except OSError:
                return  # nothing has come; if the connection is broken the loop will say so
            if data and self._wire.alive:
                self._wire.data_received(data)

    def _answered(self, wire: Wire, pinged: float, answers: list[Any] | Exception) -> None:
        """TIME was answered: all that had been written when it was sent is known now."""
        if isinstance(answers, Exception) or isinstance(answers[0], ReplyError):
            self._why = answers if isinstance(answers, Exception) else Lost(str(answers[0]))
            wire.close(self._why)
            return
        self.pongs += 1
        self._pinged = False
        moment = now()
        seconds, micros = map(int, answers[0])
        self.local.redis_ahead = seconds * 1000 + micros / 1000 - (pinged + moment) / 2 * 1000
        try:
            self._look_at_canary(pinged)
        except Died as died:
            self.canary_failures += 1
            self._why = died
            wire.close(died)
            return
        if self._well:
            self.local.fence(pinged)
        if moment < pinged + PING:
            self._timer = asyncio.get_running_loop().call_later(pinged + PING - moment, self._ping, wire)
        else:
            self._ping(wire)  # a busy loop: not one turn more of it is to be waited for

    def _look_at_canary(self, pinged: float) -> None:
        if self._canary is not None:
            if not self._canary.well(pinged):
                return
            self.push_lag, self._canary = self._canary.lag, None
            if self.error is not None:
                log.info("pushes come from Redis again")
            self._well, self.error = True, None
        elif now() > self._next_canary:
            self._release_canary()

    def _release_canary(self) -> None:
        self._canary, self._next_canary = Canary(self._redis, self._namespace), now() + CANARY
        self._flying.add(self._canary.task)
        self._canary.task.add_done_callback(self._flying.discard)

    def _pushed(self, push: list[Any]) -> None:
        """`push`: what is pushed, and the keys; None for all of them (FLUSHALL)."""
        if push[0] != b"invalidate":
            return
        if push[1] is None:
            self.flushes += 1
            self.local.flush()
            return
        prefix, names = self._prefix, []
        for key in push[1]:
            if key.startswith(prefix):
                names.append(bare(key[len(prefix) :].decode("utf-8", "surrogatepass")))
            elif key == self._epoch_key:
                self.flushes += 1
                self.local.flush()
            elif self._canary is not None and key == self._canary.key:
                self._canary.came()
        self.pushes += len(push[1])
        self.local.drop(names)
