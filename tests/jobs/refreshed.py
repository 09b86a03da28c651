"""A site whose pages lie in a real Nginx for a minute, so that nothing but the worker can have brought a change in time."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from settings import ROOT, Settings, environment
from tests.harness.edge import ZIPPED, Got, Reader

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
        while b"plaza.edge" not in log.read_bytes()[begin:]:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


async def ask(reader: Reader, path: str, language: str = "") -> Got:
    """As somebody with this language asks; in a thread, so that this process goes on."""
    told = ZIPPED | ({"Accept-Language": language} if language else {})
    return await asyncio.to_thread(reader.get, path, told)


async def stored(reader: Reader, path: str, language: str = "") -> Got:
    """The page, once it is given from the store."""
    return await seen(reader, path, lambda got: got.cache == "HIT", language)


async def seen(reader: Reader, path: str, claim: Callable[[Got], bool], language: str = "") -> Got:
    """The first answer of which the claim is true, however long that takes. All of them must come from the store."""
    until = time.monotonic() + PATIENCE
    while not claim(got := await ask(reader, path, language)):
        assert time.monotonic() < until, f"{path}: {got.status} {got.cache} {got.text[:500]}"
        await asyncio.sleep(0.01)
    return got
