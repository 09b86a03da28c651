"""One connection to Redis that many callers share: commands go down it as they come, answers come back in the same order.

redis-py makes the connection (address, TLS, sign-in, protocol); from then on its socket is ours, without streams, pools, and a
task and a timer per command: what is left of a hit is one write and one read. An answer that is late ends the connection, so it
can never be taken for the answer of another command.
"""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, cast

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout

SECONDS = 0.5  # for an answer, when the client names no time-out
_GRACE = 0.05  # s that a loop which was held up itself gets to read what has come meanwhile
_NOTHING = object()

Done = Callable[[list[Any] | Exception], None]


class Lost(Exception):
    """The connection broke, or could not be made: what was asked may or may not have been done."""


class Late(Lost):
    """Redis did not answer in time."""


class Wire(asyncio.Protocol):
    """`seconds` is how long an answer may take; `lost` hears once that the connection is no more."""

    def __init__(self, connection: AbstractConnection, seconds: float, lost: Callable[["Wire"], None]) -> None:
        self._connection, self._seconds, self._lost = connection, seconds, lost
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._waiting = deque[tuple[int, float, Done]]()  # (answers awaited, due, whom to tell)
        self._answers: list[Any] = []  # of the first who waits
        self._watch: asyncio.TimerHandle | None = None
        assert connection._writer is not None
        self._transport = cast(asyncio.Transport, connection._writer.transport)
        self._transport.set_protocol(self)
        self.alive = True
        self.pushed: Callable[[list[Any]], None] | None = None  # hears of pushes (cache.tracking)

    def send(self, packed: bytes, answers: int, done: Done) -> None:
        """Send commands that have so many answers together; `done` gets those, errors among them, or why there are none."""
        if not self.alive:
            raise Lost("the connection is closed")
        self._waiting.append((answers, monotonic() + self._seconds, done))
        if self._watch is None:
            self._watch = asyncio.get_running_loop().call_later(self._seconds, self._look)
        self._transport.write(packed)

    async def ask(self, packed: bytes) -> Any:
        """The answer to one command; an error that Redis answers is given, not raised. Raises Lost, Late."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(answers: list[Any] | Exception) -> None:
            if answer.done():  # its caller has gone away; the answer had to be read all the same
                return
            if isinstance(answers, Exception):
                answer.set_exception(answers)
            else:
                answer.set_result(answers[0])

        self.send(packed, 1, done)
        return await answer

    def data_received(self, data: bytes) -> None:
        """Give every answer to the one who has waited longest. What cannot be an answer ends the connection."""
        reader, answers = self._reader, self._answers
        try:
            reader.feed(data)
            while (answer := reader.gets()) is not _NOTHING:
                if type(answer) is hiredis.PushNotification:
                    if self.pushed is not None:
                        self.pushed(answer)
                    continue
                answers.append(answer)
                if len(answers) == self._waiting[0][0]:
                    whole, answers = answers, []
                    self._answers = answers
                    self._waiting.popleft()[2](whole)
        except (hiredis.HiredisError, IndexError) as error:
            # No protocol of Redis, or an answer that nobody has asked for.
            self.close(Lost(f"not understood: {error}"))

    def second_handle(self) -> socket.socket | None:
        """The same socket, to be read without waiting for the loop, and closed by the caller; None when TLS stands before it."""
        if self._transport.get_extra_info("sslcontext") is not None:
            return None
        return socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno()))

    def connection_lost(self, error: Exception | None) -> None:
        self.close(Lost(str(error or "Redis closed the connection")))

    def _look(self, graced: bool = False) -> None:
        """Close when the first answer is late. One timer for all commands, set anew when it rings."""
        self._watch = None
        if not self._waiting:
            return
        loop, late = asyncio.get_running_loop(), monotonic() - self._waiting[0][1]
        if late < 0:
            self._watch = loop.call_later(-late, self._look)
        elif not graced:
            self._watch = loop.call_later(_GRACE if late > _GRACE else 0.001, self._look, True)
        else:
            self.close(Late(f"no answer in {self._seconds} s"))

    def close(self, error: Exception) -> None:
        """Whoever waits is told `error`."""
        if not self.alive:
            return
        self.alive = False
        if self._watch:
            self._watch.cancel()
        self._transport.abort()
        self._connection._close()  # type: ignore[no-untyped-call]
        waiting, self._waiting = self._waiting, deque()
        self._lost(self)
        for _, _, done in waiting:
            done(error)


async def open_wire(redis: Redis, lost: Callable[[Wire], None]) -> Wire:
    """A new connection, as the client's pool would make it. Raises Lost, Late."""
    connection = cast(AbstractConnection, redis.connection_pool.make_connection())  # type: ignore[no-untyped-call]
    seconds = getattr(connection, "socket_timeout", None) or SECONDS
    try:
        async with asyncio.timeout(2 * seconds):
            await connection.connect()  # type: ignore[no-untyped-call]
    except (TimeoutError, RedisTimeout) as error:
        connection._close()  # type: ignore[no-untyped-call]
        raise Late(f"no connection in time: {error}") from error
    except (RedisError, OSError) as error:
        connection._close()  # type: ignore[no-untyped-call]
        raise Lost(str(error)) from error
    except BaseException:
        connection._close()  # type: ignore[no-untyped-call]
        raise
    return Wire(connection, seconds, lost)
