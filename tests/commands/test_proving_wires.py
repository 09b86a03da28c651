"""The wires of `plaza prove`: late, held back or cut, but never out of order; and half open as a real one is."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from commands.proving.wires import Wire


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@pytest.fixture
def wire(io_loop: IOLoop, tmp_path: Path) -> Iterator[Wire]:
    """A wire to a server that sends back what it hears."""
    server = io_loop.run_sync(lambda: asyncio.start_unix_server(_echo, str(tmp_path / "far")))
    one = Wire(tmp_path / "near", str(tmp_path / "far"))
    io_loop.run_sync(one.mend)
    yield one
    io_loop.run_sync(one.cut)
    server.close()
    io_loop.run_sync(server.wait_closed)


async def test_what_is_late_keeps_its_order_while_the_delay_changes(wire: Wire) -> None:
    dice = random.Random(1)
    reader, writer = await asyncio.open_unix_connection(str(wire.path))
    sent = [f"{number:05}".encode() for number in range(400)]

    for data in sent:
        writer.write(data)
        if dice.random() < 0.3:
            wire.delay = dice.choice((0.0, 0.001, 0.004, 0.02))
        await asyncio.sleep(0.0005 if dice.random() < 0.5 else 0)
    heard = await reader.readexactly(5 * len(sent))

    assert heard == b"".join(sent)
    writer.close()


async def test_what_was_held_back_arrives_even_when_its_sender_has_gone(wire: Wire, tmp_path: Path) -> None:
    arrived = asyncio.Queue[bytes]()

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arrived.put(await reader.read(100))
        writer.close()

    server = await asyncio.start_unix_server(note, str(tmp_path / "noting"))
    other = Wire(tmp_path / "other", str(tmp_path / "noting"))
    await other.mend()
    other.hang()
    _, writer = await asyncio.open_unix_connection(str(other.path))
    writer.write(b"COMMIT")
    await writer.drain()
    while not other.pairs:  # noqa: ASYNC110 - the wire tells nobody whom it has accepted
        await asyncio.sleep(0)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.02)
    assert arrived.empty()

    await other.mend()

    assert await arrived.get() == b"COMMIT"
    await other.cut()
    server.close()
    await server.wait_closed()


async def test_a_half_open_connection_hears_nothing_and_a_new_one_does(wire: Wire) -> None:
    deaf_reader, deaf = await asyncio.open_unix_connection(str(wire.path))
    deaf.write(b"1")
    assert await deaf_reader.read(1) == b"1"

    assert wire.half_open() == 1
    deaf.write(b"2")
    reader, writer = await asyncio.open_unix_connection(str(wire.path))
    writer.write(b"3")
    assert await reader.read(1) == b"3"

    with suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            raise AssertionError(await deaf_reader.read(1))
    deaf.close()
    writer.close()


async def test_a_cut_wire_ends_connections_and_refuses_new_ones_until_it_is_mended(wire: Wire) -> None:
    reader, writer = await asyncio.open_unix_connection(str(wire.path))
    writer.write(b"1")
    assert await reader.read(1) == b"1"

    await wire.cut()

    with suppress(ConnectionError):
        assert await reader.read(1) == b""
    writer.close()
    with pytest.raises(OSError, match="No such file"):
        await asyncio.open_unix_connection(str(wire.path))
    await wire.mend()
    reader, writer = await asyncio.open_unix_connection(str(wire.path))
    writer.write(b"2")
    assert await reader.read(1) == b"2"
    writer.close()
