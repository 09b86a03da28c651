"""The ground that the other tests stand on holds."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from models import Models
from tests.harness.browser import Browser
from tests.harness.counting import Counted
from tests.harness.people import People
from tests.harness.wires import Wire


async def test_everybody_has_their_role_in_a_database_of_their_own(models: Models, people: People) -> None:
    bits = [await models.users.bits(user) for user in (people.alice, people.bob, people.olga, people.ada)]

    assert bits == [0x03, 0x01, 0x07, 0xFF]
    assert await models.db.fetch("SELECT COUNT(*) FROM posts") == ((0,),)


async def test_a_browser_keeps_the_session_it_was_given(alice: Browser, browse: Callable[[], Browser]) -> None:
    assert (await alice.get("/api/v1/me")).json()["user"]["name"] == "Alice"
    assert (await browse().get("/api/v1/me")).json()["user"] is None


async def test_statements_and_redis_trips_are_counted(models: Models, people: People, counted: Counted) -> None:
    await models.users.one(people.bob.id)
    await models.users.one(people.bob.id)

    assert len(counted.selects) == 1
    asked = [command for command in counted.commands if command != "EVAL"]  # a script that Redis had not heard of
    assert asked == ["MGET", "EVALSHA", "EVALSHA", "MGET"]  # not there; the lease, the fill; there


@pytest.mark.parametrize("turns", range(6))
async def test_a_wire_that_is_cut_breaks_even_who_has_only_just_called(tmp_path: Path, turns: int) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    wire = Wire(tmp_path / "near", str(tmp_path / "far"))
    async with await asyncio.start_unix_server(echo, str(tmp_path / "far")):
        await wire.mend()
        reader, writer = await asyncio.open_unix_connection(str(wire.path))
        for _ in range(turns):
            await asyncio.sleep(0)
        await wire.cut()
        try:
            writer.write(b"still there?")
            assert await asyncio.wait_for(reader.read(100), 5) == b""
        except OSError:
            pass
        writer.close()
        with pytest.raises(OSError, match=r"No such file|refused"):
            await asyncio.open_unix_connection(str(wire.path))
