"""A wire between the application and a real server, which a test can cut, mend, or make hang."""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path


class Wire:
    """Relays `path` (a Unix socket) to the server at `target`.

    With sockets of its own: a server of asyncio has connections that it has accepted and not yet told anybody, and those
    would outlive a cut.
    """

    def __init__(self, path: Path, target: str) -> None:
        self.path, self._target = path, target
        self._listening: socket.socket | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._calls: set[asyncio.Task[None]] = set()

    async def mend(self) -> None:
        """Let everything through, from now on."""
        self._flows.set()
        if self._listening is None:
            self.path.unlink(missing_ok=True)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            listening = self._listening = _unix_socket()
            listening.bind(str(self.path))
            listening.listen(100)
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    async def cut(self) -> None:
        """As if the server had been stopped: open connections break, new ones are refused."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None
            self.path.unlink(missing_ok=True)
        self._flows.set()
        calls = list(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def hang(self) -> None:
        """As if the server had been frozen: connections stay, nothing comes through until `mend`."""
        self._flows.clear()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            near, _ = listening.accept()
            near.setblocking(False)
            call = asyncio.create_task(self._call(near), name="a wire's call")
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)
            call.add_done_callback(
                lambda _: near.close()
            )  # one that is cancelled before it begins closes nothing itself

    async def _call(self, near: socket.socket) -> None:
        """Until either side has had enough."""
        with _unix_socket() as far:
            directions = list[asyncio.Task[None]]()
            try:
                await asyncio.get_running_loop().sock_connect(far, self._target)
                directions = [asyncio.create_task(self._relay(*ends)) for ends in ((near, far), (far, near))]
                await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            except OSError:
                pass
            finally:
                for direction in directions:
                    direction.cancel()
                await asyncio.gather(*directions, return_exceptions=True)
                near.close()

    async def _relay(self, source: socket.socket, sink: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(source, 65536):
            await self._flows.wait()
            await loop.sock_sendall(sink, data)


def _unix_socket() -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.setblocking(False)
    return made
