"""Web processes tell each other what they keep, and nobody else; who is slow, gone, or sends nonsense holds nobody up."""

import asyncio
import os
import socket
import stat
from pathlib import Path
from typing import Any

import msgpack
import pytest

from models import neighbours
from models.neighbours import ask_all, listening


async def echo(question: Any) -> Any:
    return question


async def test_everybody_who_listens_is_asked(tmp_path: Path) -> None:
    async with listening(tmp_path, "web-0", echo), listening(tmp_path, "web-1", echo):
        assert await ask_all(tmp_path, ("rows", ("post:1",))) == {
            "web-0": ("rows", ("post:1",)), "web-1": ("rows", ("post:1",)),
        }  # fmt: skip
    assert await ask_all(tmp_path, ("rows", ())) == {}
    assert list(tmp_path.iterdir()) == []


async def test_only_our_own_user_may_ask(tmp_path: Path) -> None:
    async with listening(tmp_path, "web-0", echo):
        assert stat.S_IMODE((tmp_path / "web-0.ask").stat().st_mode) == 0o600


async def test_a_process_that_takes_over_keeps_its_name(tmp_path: Path) -> None:
    old = listening(tmp_path, "web-0", echo)
    await old.__aenter__()

    async def newer(_: Any) -> str:
        return "new"

    async with listening(tmp_path, "web-0", newer):
        await old.__aexit__(None, None, None)
        assert await ask_all(tmp_path, ("rows", ())) == {"web-0": "new"}


async def test_who_was_killed_is_not_there(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "web-0.ask"))
    assert os.listdir(tmp_path) == ["web-0.ask"]

    assert await ask_all(tmp_path, ("rows", ())) == {}


async def test_who_is_slow_is_there_and_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "PATIENCE", 0.1)
    never = asyncio.Event()

    async def wait(_: Any) -> None:
        await never.wait()

    async with listening(tmp_path, "web-0", wait), listening(tmp_path, "web-1", echo):
        assert await ask_all(tmp_path, ("rows", ())) == {"web-0": None, "web-1": ("rows", ())}


@pytest.mark.parametrize(
    "sent",
    [b"", b"\x00", b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1", b"\x00\x00\x00\x09short", b"GET / HTTP/1.1\r\n\r\n"],
)
async def test_nonsense_is_not_answered_and_the_next_one_is(
    tmp_path: Path, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "PATIENCE", 0.2)
    async with listening(tmp_path, "web-0", echo):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "web-0.ask")
        writer.write(sent)
        assert await reader.read() == b""
        writer.close()
        assert await ask_all(tmp_path, ("rows", ())) == {"web-0": ("rows", ())}


async def test_more_at_once_than_a_process_answers_are_turned_away(tmp_path: Path) -> None:
    free = asyncio.Event()

    async def wait(question: Any) -> Any:
        await free.wait()
        return question

    async with listening(tmp_path, "web-0", wait):
        path = tmp_path / "web-0.ask"
        asking = [await asyncio.open_unix_connection(path) for _ in range(neighbours.AT_ONCE)]
        packed = msgpack.packb("x")
        for _, writer in asking:
            writer.write(len(packed).to_bytes(4, "big") + packed)
        reader, writer = await asyncio.open_unix_connection(path)
        assert await reader.read() == b""
        writer.close()
        free.set()
        assert [(await reader.read())[4:] for reader, _ in asking] == [packed] * neighbours.AT_ONCE
        for _, writer in asking:
            writer.close()
