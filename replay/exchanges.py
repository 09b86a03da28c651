"""How web processes tell a recorder what they were asked and what they answered: messages in msgpack, over a socket."""

import asyncio
from contextlib import suppress
from typing import Any, Final, NamedTuple, cast

import msgpack

SOCKET: Final = "record.sock"  # in the folder of sockets
TOGETHER: Final = 0.05  # s of messages that are sent at once
MOST_TOGETHER: Final = 1 << 17  # bytes
EXCHANGE, MARK = 0, 1  # the kinds of messages, which are their first item


class Exchange(NamedTuple):
    """A request and its answer. Moments are nanoseconds of the monotonic clock, which all processes of a machine share. Of `body`
    the limit of the recorder is kept; `body_length` is all of it. `headers`: those that the recorder looks at, at
    least. `head`: as bytes where the answer was ready with its head,
    else [status, those headers that matter]. `answer_body`: the beginning of what answers a write."""

    began: int
    first: int
    ended: int
    peer: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    body_length: int
    head: Any
    length: int
    answer_body: bytes


class Mark(NamedTuple):
    """Nothing that began before `all_before` will be told any more. `dropped`, since the last: by reason."""

    all_before: int
    dropped: dict[str, int]


class Line(asyncio.Protocol):
    """The connection to the recorder. It speaks first, and once: how many bytes of a body it wants."""

    def __init__(self) -> None:
        self.welcome: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.most_body = 0
        self.closed = False
        self._transport: asyncio.WriteTransport | None = None
        self._ready = bytearray()  # what goes out together: one by one each would wake the recorder
        self._heard = msgpack.Unpacker(max_buffer_size=64)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        with suppress(ValueError, msgpack.UnpackException):
            self._heard.feed(data)
            for told in self._heard:
                if isinstance(told, int) and not self.welcome.done():
                    self.most_body = told
                    self.welcome.set_result(told)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self.welcome.done():
            self.welcome.set_exception(exc or ConnectionResetError("it hung up"))

    @property
    def waiting(self) -> int:
        """Bytes that the recorder has yet to take."""
        return len(self._ready) + (
            self._transport.get_write_buffer_size() if self._transport and not self.closed else 0
        )

    def close(self) -> None:
        self.closed = True
        if self._transport:
            self._transport.abort()

    def write(self, data: bytes) -> None:
        if not self._ready:
            asyncio.get_running_loop().call_later(TOGETHER, self.send)
        self._ready += data
        if len(self._ready) > MOST_TOGETHER:
            self.send()

    def send(self) -> None:
        """What is ready."""
        if self._ready and self._transport and not self.closed:
            self._transport.write(bytes(self._ready))
        self._ready.clear()
