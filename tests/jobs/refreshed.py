"""A site whose pages lie in a real Nginx for a minute, so that nothing but the worker can have brought a change in time."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection

from settings import ROOT, Settings, environment

PATIENCE = 30.0  # s; a machine may be very busy


@contextmanager
def worker(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker of the site, from when it works to when it is killed."""
    names = ("var", "port", "mysql_url", "redis_url", "namespace", "page_ttl", "purge_url", "purge_command")
    told = {name: str(value) for name in names if (value := getattr(settings, name)) is not None}
    log = settings.var / "log" / "worker.log"
    with log.open("ab") as output:
        begin = log.stat().st_size
        process = subprocess.Popen(
            [sys.executable, "-P", f"{ROOT}/worker.py"], env=environment(told), stderr=output, stdout=output
        )
    try:
        until = time.monotonic() + PATIENCE
        while b"the news of pages are heard" not in log.read_bytes()[begin:]:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True, slots=True)
class Got:
    """`cache`: Nginx's own word for where it had the answer from."""

    status: int
    cache: str
    text: str


def get(settings: Settings, path: str, language: str = "") -> Got:
    """As somebody with this language asks."""
    with closing(HTTPConnection("localhost", settings.port, timeout=PATIENCE)) as connection:
        connection.request("GET", path, headers={"Accept-Language": language} if language else {})
        answer = connection.getresponse()
        return Got(answer.status, answer.headers["X-Cache"] or "", answer.read().decode())


@dataclass(frozen=True, slots=True)
class Reader:
    """Of a site, in a thread, so that this process goes on."""

    settings: Settings

    async def ask(self, path: str, language: str = "") -> Got:
        return await asyncio.to_thread(get, self.settings, path, language)

    async def stored(self, path: str, language: str = "") -> Got:
        """The page, once it is given from the store."""
        return await self.seen(path, lambda got: got.cache == "HIT", language)

    async def seen(self, path: str, claim: Callable[[Got], bool], language: str = "") -> Got:
        """The first answer of which the claim is true, however long that takes."""
        until = time.monotonic() + PATIENCE
        while not claim(got := await self.ask(path, language)):
            assert time.monotonic() < until, f"{path}: {got.status} {got.cache} {got.text[:2000]}"
            await asyncio.sleep(0.01)
        return got

    async def all_show(self, text: str, *paths: str) -> None:
        """Every one of the pages has the text, and has it from the store."""
        for path in paths:
            await self.seen(path, lambda got: got.status == 200 and text in got.text and got.cache == "HIT")

    async def none_shows(self, text: str, *paths: str) -> None:
        for path in paths:
            await self.seen(path, lambda got: text not in got.text and got.cache == "HIT")
