"""The transport of the generator against real sockets: what cannot be sent or connected at once, and how a connection ends."""

import asyncio
import resource
import select
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from replay.wire import Reply, Wire
from tests.harness.crowd import until
from tests.replay.serving import OK, serving

PATIENCE = 30.0
GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"


class Caller:
    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self.heard, self.lost = asyncio.Queue[Reply](), asyncio.Event()
        self.wire = Wire(
            address, port, None, lambda wire, reply: self.heard.put_nowait(reply), on_lost=lambda wire: self.lost.set()
        )

    async def reply(self) -> Reply:
        return await asyncio.wait_for(self.heard.get(), PATIENCE)


@pytest.fixture
def crowded() -> Iterator[tuple[socket.socket, list[socket.socket]]]:
    """A server whose queue is full: who comes now is not let in until it accepts. And those who came before."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        queue = list[socket.socket]()
        for _ in range(20):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(server.getsockname())
            queue.append(one)
            if not select.select([], [one], [], 0.3)[1]:  # on a busy machine even who is let in waits for that
                break
        yield server, queue


async def knocking(server: socket.socket) -> Caller:
    caller = Caller(server.getsockname()[1])
    caller.wire.send(GET)
    await asyncio.sleep(0.05)
    return caller


async def test_who_is_not_let_in_yet_is_heard_when_giving_up(
    crowded: tuple[socket.socket, list[socket.socket]],
) -> None:
    server, _ = crowded
    caller = await knocking(server)
    caller.wire.fail("timeout")

    reply = caller.heard.get_nowait()
    assert (reply.failed, reply.connect_us, reply.sent_ns) == ("timeout", None, 0)
    await asyncio.wait_for(caller.lost.wait(), PATIENCE)
    assert caller.heard.empty()


async def test_who_is_let_in_later_sends_then(crowded: tuple[socket.socket, list[socket.socket]]) -> None:
    server, queue = crowded
    caller, loop = await knocking(server), asyncio.get_running_loop()
    server.setblocking(False)
    async with asyncio.timeout(PATIENCE):
        before = {one.getsockname() for one in queue}
        accepted, who = await loop.sock_accept(server)
        while who in before:
            accepted.close()
            accepted, who = await loop.sock_accept(server)
        with accepted:
            assert await loop.sock_recv(accepted, 1000) == GET
            await loop.sock_sendall(accepted, OK)
            reply = await caller.reply()

    assert reply.status == 200
    assert reply.connect_us is not None
    assert reply.connect_us >= 50_000
    await asyncio.wait_for(caller.lost.wait(), PATIENCE)


async def test_who_is_refused_in_the_end_was_never_connected(
    crowded: tuple[socket.socket, list[socket.socket]],
) -> None:
    server, _ = crowded
    caller = await knocking(server)
    server.close()  # the next knock, in a second, is answered: nobody listens

    reply = await caller.reply()
    assert (reply.failed, reply.connect_us, reply.sent_ns) == ("refused", None, 0)
    assert not caller.wire.alive


async def test_what_does_not_fit_at_once_is_sent_piece_by_piece() -> None:
    body = bytes(range(256)) * 65_536  # 16 MB, more than any buffer of a socket
    head = f"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with serving() as served:
        caller = Caller(served.port)
        caller.wire.send(head + body)

        assert (await caller.reply()).status == 200
        assert served.asked[0].body == body
        caller.wire.close()


async def test_an_answer_that_comes_too_early_spoils_nothing_that_follows() -> None:
    """As a limit does, which answers an upload before it has read it."""
    body, found = b"x" * 12_000_000, list[bytes]()

    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK.replace(b"200", b"429"))
        await asyncio.sleep(0.1)
        found.append(await reader.readexactly(len(body)))
        found.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hasty, "127.0.0.1", 0) as server:
        caller = Caller(server.sockets[0].getsockname()[1])
        caller.wire.send(f"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        first = await caller.reply()
        caller.wire.send(GET)
        second = await caller.reply()
        caller.wire.close()
        await asyncio.wait_for(caller.lost.wait(), PATIENCE)

    assert (first.status, second.status) == (429, 200)
    assert found == [body, GET]


async def test_the_newer_addresses_are_spoken_to_as_well() -> None:
    try:
        server = await asyncio.start_server(_answers, "::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with server:
        caller = Caller(server.sockets[0].getsockname()[1], "::1")
        caller.wire.send(GET)

        assert (await caller.reply()).status == 200
        caller.wire.close()


async def test_a_machine_without_descriptors_says_so() -> None:
    async with serving() as served:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (4, hard))
        try:
            caller = Caller(served.port)
            caller.wire.send(GET)
            assert caller.heard.empty()  # never from within `send`
            assert (await caller.reply()).failed == "no descriptor"
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        await asyncio.wait_for(caller.lost.wait(), PATIENCE)


async def test_each_connection_is_lost_once_however_it_ends() -> None:
    """Some are let in and broken off at once; some are closed in the middle of it. Else more would be open than are counted."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        lost = Counter[Wire]()

        def done(wire: Wire, reply: Reply) -> None:
            wire.close()

        port = server.getsockname()[1]
        wires = [Wire("127.0.0.1", port, None, done, on_lost=lambda wire: lost.update([wire])) for _ in range(40)]
        for wire in wires:
            wire.send(GET)
            accepted, _ = server.accept()
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()
        for wire in wires[::3]:
            wire.close()
        await until(lambda: len(lost) == len(wires))
        await asyncio.sleep(0.05)

    assert set(lost.values()) == {1}


async def test_a_socket_that_is_let_go_of_is_closed_at_once() -> None:
    async with serving() as served:
        caller = Caller(served.port)
        caller.wire.send(GET)
        await caller.reply()
        caller.wire.close()

        await until(lambda: served.open == 0)
        assert not caller.wire.alive


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK)
    await writer.drain()
    writer.close()
