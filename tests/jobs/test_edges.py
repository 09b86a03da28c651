"""How the worker asks an Nginx for a page anew, and what it makes of the answer; the Nginx is a server of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jobs import edges
from jobs.edges import Edges
from models.edge_pages import Outcome
from settings import Settings


@dataclass
class Server:
    """Answers each request with the same bytes (none: never), and keeps what was asked."""

    answer: bytes
    asked: list[bytes] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            if self.answer:
                writer.write(self.answer)
                await writer.drain()
            else:
                await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(answer: bytes, path: Path | None = None) -> AsyncIterator[Server]:
    server = Server(answer)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        listening = await asyncio.start_unix_server(server.serve, path)
    else:
        listening = await asyncio.start_server(server.serve, "127.0.0.1")
        server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


def answering(status: str, *headers: str, body: bytes = b"page") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


async def refreshed(settings: Settings, key: str = "en /") -> tuple[Outcome, str]:
    client = Edges(settings)
    try:
        return await client.refresh(key), client.failure
    finally:
        client.close()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (answering("200 OK"), "refreshed"),
        (answering("404 Not Found"), "refreshed"),
        (answering("301 Moved Permanently", "Location: /elsewhere"), "refreshed"),
        (answering("200 OK", "X-Plaza-Again: 1"), "again"),
        (answering("503 Service Unavailable"), "failed"),
        (answering("403 Forbidden"), "failed"),
        (answering("200 OK", "Content-Encoding: gzip", body=b"not gzip at all"), "refreshed"),
        (b"nonsense\r\n\r\n", "failed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off", "failed"),
    ],
)
async def test_what_becomes_of_an_answer(settings: Settings, answer: bytes, outcome: str) -> None:
    async with serving(answer, settings.run / "edge.sock"):
        found, failure = await refreshed(settings)

    assert found == outcome
    assert bool(failure) == (outcome == "failed")


async def test_it_asks_as_a_reader_of_that_page_and_says_the_secret(settings: Settings) -> None:
    async with serving(answering("200 OK"), settings.run / "edge.sock") as server:
        await refreshed(settings, "zh-gzip /blog/7-%E4%BD%A0?after=12")
        await refreshed(settings, " /blog/7-a%2F..%2Fb")
    first, second = (asked.decode().split("\r\n") for asked in server.asked)

    assert first[0] == "GET /blog/7-%E4%BD%A0?after=12 HTTP/1.1"
    assert f"X-Plaza-Refresh: {settings.secret('edge')}" in first
    assert f"Host: {settings.site_url.partition('//')[2]}" in first
    assert "Accept-Language: zh" in first
    assert "Accept-Encoding: gzip" in first
    assert second[0] == "GET /blog/7-a%2F..%2Fb HTTP/1.1"
    assert not {"accept-language", "accept-encoding"} & {line.partition(":")[0].lower() for line in second}


async def test_an_nginx_that_does_not_answer_is_not_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edges, "PATIENCE", 0.2)
    async with serving(b"", settings.run / "edge.sock"):
        assert (await refreshed(settings))[0] == "failed"


async def test_an_nginx_that_is_not_there(settings: Settings) -> None:
    assert (await refreshed(settings))[0] == "failed"


async def test_every_nginx_of_the_settings_is_asked_and_the_worst_answer_counts(settings: Settings) -> None:
    async with serving(answering("200 OK")) as one, serving(answering("503 Busy")) as other:
        urls = tuple(f"http://127.0.0.1:{server.port}" for server in (one, other))
        both = await refreshed(settings.model_copy(update={"edges": urls}))
        alone = await refreshed(settings.model_copy(update={"edges": urls[:1]}))

    assert both[0] == "failed"
    assert "answered 503" in both[1]
    assert alone[0] == "refreshed"
    assert (len(one.asked), len(other.asked)) == (2, 1)
