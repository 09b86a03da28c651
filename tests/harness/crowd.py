"""Thousands who watch a poll through Nginx, each a real socket; they answer pings, and count what they are told."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

AT_ONCE = 50  # handshakes under way
PATIENCE = 60.0  # s until all of them listen
_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
_MESSAGE, _CLOSE, _PING = 0x81, 0x88, 0x89


@dataclass(slots=True)
class Crowd:
    """`messages` in all, `last` the latest; `codes` of those who were sent away."""

    messages: int = 0
    last: bytes = b""
    codes: list[int] = field(default_factory=list)
    here: int = 0


class _Watcher(asyncio.Protocol):
    def __init__(self, crowd: Crowd, hello: bytes) -> None:
        self.crowd, self.hello, self.data, self.met = crowd, hello, b"", False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport
        transport.write(self.hello)

    def data_received(self, data: bytes) -> None:
        self.data += data
        if not self.met:
            head, end, self.data = self.data.partition(b"\r\n\r\n")
            if not end:
                self.data = head
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self.ready.set_exception(ConnectionError(head.decode()))
                return
            self.met = True
            self.crowd.here += 1
            self.ready.set_result(None)
        while len(self.data) >= 2:
            kind, length = self.data[0], self.data[1]
            at = 2
            if length == 126:
                if len(self.data) < 4:
                    return
                (length,), at = struct.unpack("!H", self.data[2:4]), 4
            if len(self.data) < at + length:
                return
            self._heard(kind, self.data[at : at + length])
            self.data = self.data[at + length :]

    def _heard(self, kind: int, said: bytes) -> None:
        if kind == _MESSAGE:
            self.crowd.messages += 1
            self.crowd.last = said
        elif kind == _PING:
            self.transport.write(bytes((0x8A, 0x80 | len(said))) + bytes(4) + said)
        elif kind == _CLOSE:
            self.crowd.codes.append(int.from_bytes(said[:2], "big"))
            self.transport.write(bytes((0x88, 0x82)) + bytes(4) + said[:2])

    def connection_lost(self, error: Exception | None) -> None:
        self.crowd.here -= self.met
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("hung up"))


async def until(claim: Callable[[], bool]) -> None:
    """Give the loop away until it holds."""
    async with asyncio.timeout(PATIENCE):
        while not claim():  # noqa: ASYNC110 - a crowd tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(port: int, poll_id: int, people: int) -> AsyncIterator[Crowd]:
    """So many listen while the block lasts."""
    crowd = Crowd()
    hello = (
        f"GET /polls/{poll_id}/live HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n"
        f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"
        "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
    ).encode()
    room, watchers = asyncio.Semaphore(AT_ONCE), list[_Watcher]()

    async def come() -> None:
        async with room:
            _, watcher = await asyncio.get_running_loop().create_connection(
                lambda: _Watcher(crowd, hello), "127.0.0.1", port
            )
            watchers.append(watcher)
            await watcher.ready

    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(come() for _ in range(people)))
        yield crowd
    finally:
        for watcher in watchers:
            watcher.transport.abort()
