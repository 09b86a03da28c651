"""Bodies that come piece by piece: refused before they come or while they do, cut off, or never ending."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handlers import streaming, uploads
from models import Models
from models.counts import COUNTS
from settings import Settings
from tests.handlers.asking import Asker
from tests.harness.browser import Browser
from tests.harness.files import nothing_is_left
from tests.harness.people import People

LARGEST = 200_000  # bytes of a file here
FILE = b'--x-y-z\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nwords\r\n'
END = b"--x-y-z--\r\n"


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"max_upload": LARGEST}


def incoming(settings: Settings) -> list[Path]:
    return list((settings.var / "files" / "incoming").glob("*"))


async def test_who_may_not_is_told_before_the_file_comes(
    visitor: Browser, bob: Browser, models: Models, people: People
) -> None:
    """The body is never sent: only its head."""
    cookies = "; ".join(f"{name}={value}" for name, value in bob.cookies.items())
    host = visitor.base_url.removeprefix("http://")
    head = "POST /j HTTP/1.1\r\nHost: {0}\r\nContent-Length: {1}\r\nContent-Type: multipart/form-data; boundary=x\r\n{2}\r\n"

    async def asked(length: int, more: str = "") -> bytes:
        return (await visitor.raw(head.format(host, length, more).encode(), seconds=20)).split(b"\r\n")[0]

    member = f"Cookie: {cookies}\r\n"
    assert b"401" in await asked(1000)
    assert b"413" in await asked(10**12, member)
    assert b"403" in await asked(1000, f"{member}Sec-Fetch-Site: cross-site\r\n")
    assert b"403" in await asked(1000, f"{member}Origin: https://evil.example\r\n")
    assert b"401" in await asked(1000, "Authorization: Bearer plz_nonsense\r\n")
    assert b"405" in (await visitor.raw(head.format(host, 9, member).replace("POST", "PUT").encode())).split(b"\r\n")[0]
    await models.rights.set_roles(people.bob.id, [], by=people.ada)
    assert b"403" in await asked(1000, member)


@pytest.mark.parametrize("length", ["abc", "-5", "1_0", "٣", "1" * 19, "9" * 5000])
async def test_a_length_that_is_no_number_is_refused(bob: Browser, length: str) -> None:
    host = bob.base_url.removeprefix("http://")
    cookies = "; ".join(f"{name}={value}" for name, value in bob.cookies.items())
    head = (
        f"POST /j HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nCookie: {cookies}\r\n"
        f"Content-Type: multipart/form-data; boundary=x-y-z\r\n\r\n"
    )

    assert (await bob.raw(head.encode() + FILE + END)).split()[1] == b"400"


async def test_who_is_refused_while_sending_sees_why(bob: Browser, settings: Settings) -> None:
    """Two files, and the second one never ends."""
    host = bob.base_url.removeprefix("http://")
    cookies = "; ".join(f"{name}={value}" for name, value in bob.cookies.items())
    head = (
        f"POST /j HTTP/1.1\r\nHost: {host}\r\nContent-Length: {LARGEST}\r\nCookie: {cookies}\r\n"
        f"Content-Type: multipart/form-data; boundary=x-y-z\r\n\r\n"
    )
    answer = await bob.raw(head.encode() + FILE + FILE + b"more", seconds=20)

    assert answer.startswith(b"HTTP/1.1 422 ")
    assert b"Connection: close" in answer
    assert b"one file at a time" in answer
    assert await nothing_is_left(settings.var / "files")


async def begun(browser: Browser, more: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """An upload of which the half has been sent."""
    host, port = browser.base_url.removeprefix("http://").split(":")
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /j HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 150000\r\nCookie: {cookies}\r\n{more}"
        f"Content-Type: multipart/form-data; boundary=x-y-z\r\n\r\n".encode()
        + FILE[:-2]
        + bytes(70_000)
    )
    await writer.drain()
    return reader, writer


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not claim():  # noqa: ASYNC110 - what is waited for are files
            await asyncio.sleep(0.02)


async def test_what_is_cut_off_leaves_nothing(bob: Browser, settings: Settings, models: Models) -> None:
    cut_off = COUNTS["uploads.cut_off"]
    _, writer = await begun(bob)
    await until(lambda: len(incoming(settings)) == 1)
    writer.transport.abort()
    await until(lambda: not incoming(settings))

    assert COUNTS["uploads.cut_off"] == cut_off + 1
    assert await models.files.latest() == []
    assert (await models.files.usage((await models.users.fresh().by_email("bob@example.org")).id)).files == 0  # type: ignore[union-attr]


async def test_who_sends_nothing_for_long_is_let_go(
    bob: Browser, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "LOOK", 0.3)
    reader, writer = await begun(bob)

    assert await reader.read() == b""
    await until(lambda: not incoming(settings))
    writer.close()


async def test_who_sends_too_slowly_is_let_go(
    bob: Browser, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "LOOK", 0.3)
    monkeypatch.setattr(streaming, "LEAST_RATE", 1_000_000)
    reader, writer = await begun(bob)

    async def drip() -> None:
        while not writer.transport.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    dripping.cancel()
    await until(lambda: not incoming(settings))
    writer.close()


async def test_so_many_uploads_of_an_account_are_under_way_and_no_more(
    bob: Browser, alice: Browser, settings: Settings
) -> None:
    begins = [await begun(bob) for _ in range(uploads.MOST_UNDER_WAY)]
    await until(lambda: len(incoming(settings)) == uploads.MOST_UNDER_WAY)
    fifth, writer = await begun(bob)
    assert b" 429 " in await fifth.readline()
    other = await begun(alice)
    await until(lambda: len(incoming(settings)) == uploads.MOST_UNDER_WAY + 1)
    for _, sending in (*begins, (fifth, writer), other):
        sending.transport.abort()
    await until(lambda: not incoming(settings))
    await until(lambda: not uploads._under_way)


async def test_the_page_with_the_form_is_remembered_like_others(asker: Asker) -> None:
    """Its handler takes a body piece by piece, which Tornado begins before the door has decided."""
    first = await asker.until_kept("/files")
    again = await asker.ask("/files")

    assert again == first
    assert asker.kept
    assert again.count(b"HTTP/1.1 200 OK") == 1


async def test_after_an_upload_the_connection_goes_on(bob: Browser) -> None:
    host = bob.base_url.removeprefix("http://")
    cookies = "; ".join(f"{name}={value}" for name, value in bob.cookies.items())
    body = FILE + END
    one = (
        f"POST /j HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\nCookie: {cookies}\r\n"
        f"Content-Type: multipart/form-data; boundary=x-y-z\r\n\r\n"
    ).encode() + body
    last = f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    answer = await bob.raw(one + one + last)

    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert json.loads(answer.split(b"\r\n\r\n")[1].split(b"HTTP/1.1")[0])["origin_filename"] == "a.txt"
