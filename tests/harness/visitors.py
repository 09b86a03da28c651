"""One visitor's connection to Nginx: sends a request, takes the whole answer, and knows a cut one from a whole one."""

import asyncio
from typing import NamedTuple, cast


class Failed(Exception):
    """No whole answer came. `unanswered`: not one byte of it did."""

    def __init__(self, what: str, *, unanswered: bool = False) -> None:
        super().__init__(what)
        self.unanswered = unanswered


class Answer(NamedTuple):
    """`cache`: what Nginx says about its stored pages (X-Cache)."""

    status: int
    cache: str
    retry_after: str
    body: bytes


class Connection(asyncio.Protocol):
    """One request after another; who waits for more than `patience` seconds has no answer."""

    def __init__(self, patience: float) -> None:
        self.gone = False
        self._patience = patience
        self._data = bytearray()
        self._more: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own are no subclasses

    def data_received(self, data: bytes) -> None:
        self._data += data
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self.gone = True
        self._wake()

    def close(self) -> None:
        self.gone = True
        if self._transport:
            self._transport.close()

    async def ask(self, request: bytes) -> Answer:
        """Raises Failed."""
        assert self._transport
        self._data.clear()
        self._transport.write(request)
        try:
            async with asyncio.timeout(self._patience):
                return await self._answer()
        except TimeoutError:
            self.close()
            raise Failed(f"no answer in {self._patience:.0f} s") from None

    async def _answer(self) -> Answer:
        head, at = await self._until(b"\r\n\r\n", 0)
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ", 2)[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = b""
        if status not in (204, 304):
            body = await (self._chunks(at) if "transfer-encoding" in headers else self._length(at, headers))
        if headers.get("connection") == "close":
            self.close()
        return Answer(status, headers.get("x-cache", ""), headers.get("retry-after", ""), body)

    async def _length(self, at: int, headers: dict[str, str]) -> bytes:
        end = at + int(headers["content-length"])
        while len(self._data) < end:
            await self._received()
        return bytes(self._data[at:end])

    async def _chunks(self, at: int) -> bytes:
        body = bytearray()
        while True:
            line, at = await self._until(b"\r\n", at)
            size = int(line, 16)
            while len(self._data) < at + size + 2:
                await self._received()
            body += self._data[at : at + size]
            at += size + 2
            if not size:
                return bytes(body)

    async def _until(self, mark: bytes, at: int) -> tuple[bytes, int]:
        """What stands before the mark, and where it goes on behind it."""
        while (found := self._data.find(mark, at)) < 0:
            await self._received()
        return bytes(self._data[at:found]), found + len(mark)

    async def _received(self) -> None:
        if self.gone:
            raise Failed("cut in the middle" if self._data else "hung up", unanswered=not self._data)
        self._more = asyncio.get_running_loop().create_future()
        await self._more

    def _wake(self) -> None:
        if self._more and not self._more.done():
            self._more.set_result(None)


async def connect(port: int, patience: float) -> Connection:
    """Raises Failed."""
    try:
        async with asyncio.timeout(patience):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(patience), "127.0.0.1", port
            )
    except (OSError, TimeoutError) as error:
        raise Failed(f"no connection: {type(error).__name__}") from error
    return connection


class Visitor:
    """Asks again and again, over one connection if it is let. `again`: requests that were sent twice, as browsers do it."""

    def __init__(self, port: int, *, keeps: bool, patience: float) -> None:
        self.again = 0
        self._port, self._keeps, self._patience = port, keeps, patience
        self._connection: Connection | None = None

    async def ask(self, request: bytes, *, alone: bool = False) -> Answer:
        """A GET that finds its kept connection closed is sent once more over a new one (RFC 9110, 9.2.2); what stands `alone`
        comes over one of its own. Raises Failed."""
        kept = None if alone else self._connection
        if kept and not kept.gone:
            try:
                return await kept.ask(request)
            except Failed as error:
                if not error.unanswered:
                    raise
                self.again += 1
        connection = await connect(self._port, self._patience)
        try:
            return await connection.ask(request)
        finally:
            if alone or not self._keeps:
                connection.close()
            else:
                self.close()
                self._connection = connection

    def close(self) -> None:
        if self._connection:
            self._connection.close()
