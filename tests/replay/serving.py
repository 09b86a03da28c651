"""A server of a test, on a real socket: it answers as the test says, and keeps what it was asked."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSE = b""  # ends the connection instead


@dataclass(slots=True)
class Asked:
    """`connection` counts from 0, in the order in which they were opened."""

    connection: int
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]


@dataclass(slots=True)
class Served:
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    https: bool = False

    @property
    def url(self) -> str:
        return f"{'https' if self.https else 'http'}://127.0.0.1:{self.port}"

    @property
    def targets(self) -> list[str]:
        return [one.target for one in self.asked]


Answering = Callable[[Asked], bytes | list[bytes | float]]


@asynccontextmanager
async def serving(answer: Answering = lambda asked: OK, tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """`answer` gives bytes, or pieces of them and seconds to wait between."""
    served, tasks = Served(https=tls is not None), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        number, served.connections, served.open = served.connections, served.connections + 1, served.open + 1
        try:
            while asked := await _read(reader, number):
                served.asked.append(asked)
                told = answer(asked)
                for piece in [told] if isinstance(told, bytes) else told:
                    if isinstance(piece, float):
                        await asyncio.sleep(piece)
                    elif piece == CLOSE:
                        return
                    else:
                        writer.write(piece)
                        await writer.drain()
        except ConnectionError:
            pass
        finally:
            served.open -= 1
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader, connection: int) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    line, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines if one)}
    return Asked(connection, line, headers, await reader.readexactly(int(headers.get("content-length", "0"))))
