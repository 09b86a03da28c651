"""A wire between a process and a real server, which can be cut, delayed, made to hang, or leave connections half open."""

import asyncio
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import cast


class Wire:
    """Relays `path` (a Unix socket) to the server at `target` (another one)."""

    def __init__(self, path: Path, target: str) -> None:
        self.path, self.target = path, target
        self._server: asyncio.Server | None = None
        self.pairs: set[_Pair] = set()
        self.delay = 0.0  # seconds that every byte is late, either way
        self.hangs = False  # nothing comes through

    async def mend(self) -> None:
        """Let everything through, from now on; what was held back comes late, as it does on a network."""
        self.delay, self.hangs = 0.0, False
        for pair in list(self.pairs):
            pair.drain(all_of_it=True)
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
        self.hangs = False
        await asyncio.sleep(0)

    def reset(self) -> None:
        """Break every open connection; new ones are welcome."""
        for pair in list(self.pairs):
            pair.abort()

    def hang(self) -> None:
        """As if the server had been frozen: connections stay, nothing comes through until `mend`."""
        self.hangs = True

    def half_open(self, *, every: int = 1) -> int:
        """Every n-th of the open connections hears nothing more from the server, for ever, and nobody tells it. How many."""
        chosen = list(self.pairs)[::every]
        for pair in chosen:
            pair.deaf = True
        return len(chosen)


class _Pair:
    """One connection of a process (`near`) and the one to the server for it (`far`). What goes through keeps its order."""

    def __init__(self, wire: Wire) -> None:
        self._wire, self.deaf = wire, False
        self.near, self.far = _End(self, from_server=False), _End(self, from_server=True)
        self._queue = deque[tuple[float, _End, bytes]]()  # (due, to whom, what)
        self._timer: asyncio.TimerHandle | None = None

    def opened(self) -> None:
        self._wire.pairs.add(self)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: self.far, self._wire.target)
        except OSError:
            self.abort()
            return
        self.drain()

    def heard(self, data: bytes, *, from_server: bool) -> None:
        if from_server and self.deaf:
            return
        wire, sink = self._wire, self.near if from_server else self.far
        if self._queue or wire.hangs or wire.delay or sink.transport is None:
            self._queue.append((asyncio.get_running_loop().time() + wire.delay, sink, data))
            self.drain()
        else:
            sink.write(data)

    def drain(self, *, all_of_it: bool = False) -> None:
        """Send on what is due. One timer, for the first: timers of their own would overtake each other."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._wire.hangs or self.far.transport is None:
            return
        loop = asyncio.get_running_loop()
        while self._queue and (all_of_it or self._queue[0][0] <= loop.time()):
            _, sink, data = self._queue.popleft()
            sink.write(data)
        if self._queue:
            self._timer = loop.call_at(self._queue[0][0] + 0.001, self.drain)
        elif self.near.lost:
            self.far.close()

    def lost(self, end: "_End") -> None:
        end.lost = True
        if end is self.near and self._queue and not self.far.lost:
            return  # its last commands are still under way: they arrive in the end, and are obeyed
        self.abort() if end is self.far else self.far.close()
        if self.near.lost and (self.far.lost or self.far.transport is None):
            self._wire.pairs.discard(self)

    def abort(self) -> None:
        self._queue.clear()
        self.near.abort()
        self.far.abort()
        self._wire.pairs.discard(self)


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
