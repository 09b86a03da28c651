"""A server that does nothing, as fast as can be, so that what is measured against it is the generator; for tests it can lie.

Run as `python -m replay.nullserver [--port 0] [--delay-ms 20 ...]`: it prints its port, and ends by SIGTERM, or when the pipe on
its standard input closes, so that none outlives who started it.
"""

import argparse
import asyncio
import os
import re
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from replay.clock import Clock

ROOM = 65_536  # bytes that are read at once
QUEUE = 4096  # connections that wait to be accepted; more than a stalled server of a test has
PATIENCE = 20.0  # seconds until it listens, or has ended
_BODY = b'{"replay_target": true}'  # so that any path says that it may be written to
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lies:
    """In which ways it is no good server; nothing is random, so that a test knows the truth. `every` counts the requests of all
    connections from 1: 10 is the 10th, the 20th, and so on. The stall begins so long after the first request, and stops the
    whole process, as a stop by SIGSTOP would. A reset and a cut come in the middle of the body."""

    delay_ms: float = 0.0
    slow_ms: float = 0.0
    slow_every: int = 0
    stall_at_ms: float = 0.0
    stall_ms: float = 0.0
    drip_ms: float = 0.0  # from the head of the answer to its last byte
    reset_every: int = 0
    cut_every: int = 0
    broken_every: int = 0
    silent_every: int = 0
    status: int = 200
    bytes: int = 0  # of the body at least

    def options(self) -> list[str]:
        """As the command line has them."""
        return [f"--{field.name.replace('_', '-')}={getattr(self, field.name)}" for field in fields(self)]


class Answers:
    """What all connections of the process share: the bytes to be sent, and the count by which it lies."""

    def __init__(self, lies: Lies, clock: Clock) -> None:
        self.lies, self.clock = lies, clock
        body = _BODY.ljust(lies.bytes)
        self.head = (
            f"HTTP/1.1 {lies.status} Null\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        self.whole = self.head + body
        self.room = memoryview(bytearray(ROOM))  # for all: what was read is used up before another is read
        self.honest = lies == Lies(status=lies.status, bytes=lies.bytes)
        self.seen = 0

    def stall_once(self) -> None:
        if self.seen == 0 and self.lies.stall_ms:
            due = time.monotonic_ns() + round(self.lies.stall_at_ms * 1e6)
            self.clock.at(due, lambda: time.sleep(self.lies.stall_ms / 1000))

    def is_turn(self, every: int) -> bool:
        return every > 0 and self.seen % every == 0


class Connection(asyncio.BufferedProtocol):
    """Requests in any pieces, pipelined or not, with bodies or without; it looks at nothing but where each one ends."""

    def __init__(self, answers: Answers) -> None:
        self.answers, self.rest = answers, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.answers.room

    def buffer_updated(self, nbytes: int) -> None:
        data = self.rest + bytes(self.answers.room[:nbytes])
        while (end := data.find(b"\r\n\r\n") + 4) > 3:
            length = _LENGTH.search(data, 0, end)
            end += int(length[1]) if length else 0
            if end > len(data):
                break
            self._answer(data.startswith(b"HEAD "))
            data = data[end:]
        self.rest = data

    def _answer(self, head_only: bool) -> None:
        answers, lies = self.answers, self.answers.lies
        sent = answers.head if head_only else answers.whole
        if answers.honest:
            self.transport.write(sent)
            return
        answers.stall_once()
        answers.seen += 1
        delay_ms = lies.slow_ms if answers.is_turn(lies.slow_every) else lies.delay_ms
        if answers.is_turn(lies.silent_every):
            return
        if delay_ms:
            seen, due = answers.seen, time.monotonic_ns() + round(delay_ms * 1e6)
            answers.clock.at(due, lambda: self._lie(sent, seen))
        else:
            self._lie(sent, answers.seen)

    def _lie(self, sent: bytes, number: int) -> None:
        lies, transport = self.answers.lies, self.transport
        if transport.is_closing():
            return
        if lies.reset_every and number % lies.reset_every == 0:
            transport.write(sent[:-1])
            linger = struct.pack("ii", 1, 0)  # what the other side gets is RST, and no end
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            transport.abort()
        elif lies.cut_every and number % lies.cut_every == 0:
            transport.write(sent[:-1])
            transport.close()
        elif lies.broken_every and number % lies.broken_every == 0:
            transport.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        elif lies.drip_ms:
            half = len(self.answers.head) + 1
            transport.write(sent[:half])
            due = time.monotonic_ns() + round(lies.drip_ms * 1e6)
            self.answers.clock.at(due, lambda: transport.write(sent[half:]))
        else:
            transport.write(sent)


async def serve(host: str, port: int, lies: Lies) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        loop.add_reader(0, lambda: None if os.read(0, 1024) else stop.set())
    clock = Clock()
    answers = Answers(lies, clock)
    server = await loop.create_server(lambda: Connection(answers), host, port, backlog=QUEUE, reuse_port=True)
    try:
        os.write(1, b"%d\n" % server.sockets[0].getsockname()[1])
        await stop.wait()
    except BrokenPipeError:  # who started it has ended already
        pass
    server.close()
    clock.close()


@contextmanager
def nullserver(lies: Lies = Lies(), processes: int = 1) -> Iterator[int]:
    """Its port on 127.0.0.1, until the end of the block; several processes share it, each with its own count. Raises OSError."""
    with ExitStack() as stack:
        port = 0
        for _ in range(processes):
            port = stack.enter_context(_process(lies, port))
        yield port


@contextmanager
def _process(lies: Lies, port: int) -> Iterator[int]:
    line = [sys.executable, "-m", "replay.nullserver", f"--port={port}", *lies.options()]
    process = subprocess.Popen(
        line, cwd=Path(__file__).parent.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        start_new_session=True,  # Ctrl-C in the terminal reaches us, and we end it
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    with process.stdin, process.stdout:
        try:
            ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
            if not (said := ready and process.stdout.readline()):
                raise OSError(f"the null server does not start (status {process.poll()})")
            yield int(said)
        finally:
            process.kill()  # it has nothing to finish
            process.wait(PATIENCE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    for field in fields(Lies):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    told = vars(parser.parse_args())
    host, port = told.pop("host"), told.pop("port")
    asyncio.run(serve(host, port, Lies(**told)))


if __name__ == "__main__":
    main()
