"""A wire between a process and a real server, which can be cut, delayed, made to hang, or leave connections half open."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import cast


class Wire:
    """Relays `path` (a Unix socket) to the server at `target` (another one)."""

    def __init__(self, path: Path, target: str) -> None:
        self.path, self._target = path, target
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self.delay = 0.0  # seconds that every byte is late, either way
        self._hangs = False

    async def mend(self) -> None:
        """Let everything through, from now on; what was held back comes late, as it does on a network."""
        self.delay, self._hangs = 0.0, False
        for pair in list(self._pairs):
            pair.flush()
        if self._server is None:
            self.path.unlink(missing_ok=True)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            loop = asyncio.get_running_loop()
            self._server = await loop.create_unix_server(lambda: _Pair(self).near, str(self.path))

    async def cut(self) -> None:
        """As if the server had been stopped: open connections break, new ones are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self.path.unlink(missing_ok=True)
        self.reset()
        self._hangs = False
        await asyncio.sleep(0)

    def reset(self) -> None:
        """Break every open connection; new ones are welcome."""
        for pair in list(self._pairs):
            pair.abort()

    def hang(self) -> None:
        """As if the server had been frozen: connections stay, nothing comes through until `mend`."""
        self._hangs = True

    def half_open(self, *, every: int = 1) -> int:
        """Every n-th of the open connections hears nothing more from the server, for ever, and nobody tells it. How many."""
        chosen = list(self._pairs)[::every]
        for pair in chosen:
            pair.deaf = True
        return len(chosen)

    @property
    def hangs(self) -> bool:
        return self._hangs


class _Pair:
    """One connection of a process (`near`) and the one to the server for it (`far`)."""

    def __init__(self, wire: Wire) -> None:
        self._wire, self.deaf = wire, False
        self.near, self.far = _End(self, from_server=False), _End(self, from_server=True)
        self._held: list[tuple[_End, bytes]] = []
        self._free_at = 0.0

    def opened(self) -> None:
        self._wire._pairs.add(self)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: self.far, self._wire._target)
        except OSError:
            self.abort()
            return
        self.flush()

    def heard(self, data: bytes, *, from_server: bool) -> None:
        if from_server and self.deaf:
            return
        sink = self.near if from_server else self.far
        if self._wire.hangs or self._held or sink.transport is None:
            self._held.append((sink, data))
            if not self._wire.hangs:
                self.flush()
        elif self._wire.delay or self._free_at:
            self._later(sink, data)
        else:
            sink.write(data)

    def _later(self, sink: "_End", data: bytes) -> None:
        """In order, also when the delay has become shorter meanwhile."""
        loop = asyncio.get_running_loop()
        due = max(loop.time() + self._wire.delay, self._free_at)
        self._free_at = due if self._wire.delay or due > loop.time() else 0.0
        if due > loop.time():
            loop.call_at(due, sink.write, data)
        else:
            sink.write(data)

    def flush(self) -> None:
        if self._wire.hangs or self.far.transport is None:
            return
        held, self._held = self._held, []
        for sink, data in held:
            sink.write(data)
        if self.near.lost:
            self.far.close()

    def lost(self, end: "_End") -> None:
        end.lost = True
        if end is self.near and self._held and not self.far.lost:
            return  # its last commands are still under way: they arrive when the wire is mended, and are obeyed
        self.abort() if end is self.far else self.far.close()
        if self.near.lost and (self.far.lost or self.far.transport is None):
            self._wire._pairs.discard(self)

    def abort(self) -> None:
        self._held.clear()
        self.near.abort()
        self.far.abort()
        self._wire._pairs.discard(self)


class _End(asyncio.Protocol):
    def __init__(self, pair: _Pair, *, from_server: bool) -> None:
        self._pair, self._from_server = pair, from_server
        self.transport: asyncio.Transport | None = None
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own are of no class of asyncio's
        if not self._from_server:
            self._pair.opened()

    def data_received(self, data: bytes) -> None:
        self._pair.heard(data, from_server=self._from_server)

    def connection_lost(self, error: Exception | None) -> None:
        self._pair.lost(self)

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.lost and not self.transport.is_closing():
            with suppress(OSError):
                self.transport.write(data)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()
