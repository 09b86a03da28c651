"""`plaza restart` while somebody sends, reads or listens for longer than a process has to drain."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import connected
from models.writing import Draft
from tests.commands.instances import Instance, free_port, until
from tests.commands.mix import Mix, prepare
from tests.harness.crowd import until as until_heard
from tests.harness.crowd import watching
from tests.harness.files import form
from tests.harness.load import reading

UPLOADS = (
    4  # at a time, as many as a member may: by chance all go to the process that is restarted last in 1 of 16 runs
)
LISTENERS = 40
DRAIN = 1  # s
LONGER = 3.0  # s


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Instance, Mix]]:
    """A site whose processes have a second to drain."""
    chosen = {"PLAZA_DRAIN_SECONDS": str(DRAIN), "PLAZA_MYSQL_TIMEOUT": "30"}
    instance = Instance(tmp_path_factory.mktemp("hasty"), free_port(), chosen)
    try:
        instance.up("--web", "2")
        yield instance, asyncio.run(prepare(instance))
    finally:
        instance.plaza("down")


class Upload:
    """A file that is sent in two halves."""

    def __init__(self, port: int, token: str, number: int) -> None:
        self.text = f"Line of file {number}, one of many.\n".encode() * 5_000
        body, headers = form(f"slow-{number}.txt", self.text)
        lines = [f"{name}: {value}" for name, value in headers.items() if name != "Accept"]
        self._port, self._half = port, len(body) // 2
        self._sent = "\r\n".join(
            ["POST /api/v1/files HTTP/1.1", f"Host: localhost:{port}", f"Authorization: Bearer {token}", *lines,
             "Connection: close", f"Content-Length: {len(body)}", "", ""]
        ).encode() + body  # fmt: skip

    async def begin(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(self._sent[: self._half])
        await self._writer.drain()

    async def end(self) -> tuple[int, str]:
        """The status, and where the file is."""
        self._writer.write(self._sent[self._half :])
        async with asyncio.timeout(60):
            head, _, body = (await self._reader.read()).partition(b"\r\n\r\n")
        self._writer.close()
        status = int(head.split(b" ", 2)[1])
        return status, json.loads(body)["url_i"] if status == 201 else ""


@pytest.mark.gen_test(timeout=600)
async def test_what_is_being_sent_arrives_though_its_process_is_restarted(hasty: tuple[Instance, Mix]) -> None:
    instance, mix = hasty
    uploads = [Upload(instance.port, mix.token, number) for number in range(UPLOADS)]
    with reading(instance.port, mix.reads) as load:
        for upload in uploads:
            await upload.begin()
        await asyncio.sleep(DRAIN)
        restart = asyncio.create_task(asyncio.to_thread(instance.plaza, "restart"))
        leaving = instance.settings.run / "web-0.leaving"
        await asyncio.to_thread(until, leaving.exists)
        await asyncio.sleep(LONGER)
        ends = [await upload.end() for upload in uploads]
        done = await restart

    assert done.returncode == 0, done.stderr
    assert [status for status, _ in ends] == [201] * UPLOADS
    for upload, (_, url) in zip(uploads, ends, strict=True):
        assert instance.get(url.removeprefix(f"http://localhost:{instance.port}")).body == upload.text
    assert not load.report.failed, str(load.report)
    assert not list(Path(instance.settings.run).glob("*.leaving"))


def drip(connection: socket.socket, hurry: threading.Event) -> bytes:
    """Two kilobytes a second, until told to hurry."""
    answer = b""
    while data := connection.recv(65536 if hurry.is_set() else 1024):
        answer += data
        hurry.wait(0.5)
    return answer


@pytest.mark.gen_test(timeout=600)
async def test_who_listens_or_reads_slowly_is_not_cut(hasty: tuple[Instance, Mix]) -> None:
    """Listeners are told to come again, and find somebody; an answer is Nginx's as soon as it is made."""
    instance, mix = hasty
    async with connected(instance.settings) as models:
        (poll,) = await models.polls.many((mix.poll_id,))
        editor = await models.users.one(poll.author_id)
        long = await models.writing.create(Draft("Long", "", "Many words. " * 40_000, ()), by=editor, publish=True)
    path = f"/blog/{long.id}-{long.slug}"
    whole, hurry = len(instance.get(path).body), threading.Event()
    with socket.create_connection(("127.0.0.1", instance.port), timeout=60) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{instance.port}\r\nConnection: close\r\n\r\n".encode())
        slowly = asyncio.create_task(asyncio.to_thread(drip, slow, hurry))
        async with watching(instance.port, mix.poll_id, LISTENERS) as crowd:
            with reading(instance.port, mix.reads) as load:
                done = await asyncio.to_thread(instance.plaza, "restart")
                await until_heard(lambda: len(crowd.codes) == LISTENERS)
                async with watching(instance.port, mix.poll_id, LISTENERS) as again:
                    await until_heard(lambda: again.messages >= LISTENERS)
        hurry.set()
        answer = await slowly

    assert done.returncode == 0, done.stderr
    assert set(crowd.codes) == {1012}
    assert not load.report.failed, str(load.report)
    assert len(answer.partition(b"\r\n\r\n")[2]) == whole > 400_000
