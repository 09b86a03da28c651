"""A wire between the application and a real server, which a test can cut, mend, or make hang."""

import asyncio
from contextlib import suppress
from pathlib import Path


class Wire:
    """Relays `path` (a Unix socket) to the server at `target`."""

    def __init__(self, path: Path, target: str) -> None:
        self.path, self._target = path, target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._relays: set[asyncio.Task[None]] = set()

    async def mend(self) -> None:
        """Let everything through, from now on."""
        self._flows.set()
        if self._server is None:
            self.path.unlink(missing_ok=True)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._server = await asyncio.start_unix_server(self._accept, str(self.path))

    async def cut(self) -> None:
        """As if the server had been stopped: open connections break, new ones are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self.path.unlink(missing_ok=True)
        for writer in list(self._writers):
            writer.transport.abort()
        self._flows.set()
        await asyncio.gather(*self._relays, return_exceptions=True)

    def hang(self) -> None:
        """As if the server had been frozen: connections stay, nothing comes through until `mend`."""
        self._flows.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._target)
        except OSError:
            writer.transport.abort()
            return
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            self._writers.add(sink)
            task = asyncio.create_task(self._relay(source, sink))
            self._relays.add(task)
            task.add_done_callback(self._relays.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        with suppress(OSError):
            writer.close()
        self._writers.discard(writer)
