"""Many at once, and much to remember: a herd of misses, and how large a web process becomes."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from commands.benchmarks.bulk import connected
from commands.benchmarks.laboratory import Laboratory
from commands.benchmarks.lanes import Benchmark, Figure, Subject
from commands.console import Trouble
from settings import MysqlAddress

PROCESSES, EACH = 4, 500
HELD = 0.5  # s that the table is locked for while the herd arrives; less than a lease lasts
CONNECTIONS = 8
FULL = 0.98  # of the memory setting


def _herd(laboratory: Laboratory) -> Subject:
    """The table is locked until all 2,000 wait, so that each of them is a miss."""
    doors = [laboratory.door(f"herd-{number}", namespace="herd") for number in range(PROCESSES)]
    fresh = iter(laboratory.posts)
    figures = (
        Figure("selects", f"SELECTs for {PROCESSES * EACH:,} misses in {PROCESSES} processes", "", most=1, worst=True),
    )

    def probe() -> Mapping[str, float]:
        id, warm = next(fresh).id, laboratory.posts[-1].id
        for door in doors:
            door.ask("herd", id=warm, times=1, at=0)  # its connections are open now
        with _locked(laboratory.settings.mysql, "posts"):
            for door in doors:
                door.send("herd", id=id, times=EACH, at=time.time() + HELD / 5)
            time.sleep(HELD)
        return {"selects": sum(door.receive() for door in doors)}

    return Subject("many misses at once", {}, figures=figures, probe=probe)


@contextmanager
def _locked(address: MysqlAddress, table: str) -> Iterator[None]:
    with connected(address) as cursor:
        cursor.execute(f"LOCK TABLES {table} WRITE")
        try:
            yield
        finally:
            cursor.execute("UNLOCK TABLES")


def memory(keys: int) -> Benchmark:
    """A web process's size when its memory is full, and after reading as many keys that nobody has."""
    return Benchmark("memory", "Memory of a web process", lambda laboratory: _memory(laboratory, keys))


def _memory(laboratory: Laboratory, keys: int) -> Subject:
    door = laboratory.door("memory", namespace="memory")
    full = laboratory.settings.l1_memory
    facts: dict[str, Any] = {"keys": keys}
    part_size = max(1, keys // 10)
    figures = (
        Figure("empty", "when it has started", "MB"),
        Figure("kept", f"what it keeps of pages and rows, of {full} MiB", "MiB"),
        Figure("full", "its size then", "MB", most=200),
        Figure("grown", f"more after {keys:,} distinct keys", "MB", most=10),
        Figure("rate", "keys read", "a second"),
    )

    def probe() -> Mapping[str, float]:
        read_pages(door.address, ["/"])
        empty = door.memory
        kept = read = 0.0
        for part in _parts(_paths(laboratory)):
            read += read_pages(door.address, part)
            kept = door.ask("kept")
            if kept > FULL * full:
                break
        facts["pages_bytes"] = read
        held = door.memory
        took, sizes = 0.0, list[float]()
        for first in range(0, keys, part_size):
            took += door.ask("absent", first=first, count=min(part_size, keys - first))
            sizes.append(door.memory)
        facts.update(seconds=took, sizes=sizes)
        grown = max(0.0, sizes[-1] - held)
        return {"empty": empty, "kept": kept, "full": held, "grown": grown, "rate": keys / took}

    return Subject("memory", facts, figures=figures, probe=probe, once=True)


def _paths(laboratory: Laboratory) -> list[str]:
    """The pages of all posts, the newest first; at most what fills any memory."""
    with connected(laboratory.settings.mysql) as cursor:
        cursor.execute("SELECT id, slug FROM posts ORDER BY id DESC LIMIT 100000")
        return [f"/blog/{id}-{slug}" for id, slug in cursor.fetchall()]


def _parts(paths: Iterable[str]) -> Iterable[list[str]]:
    part: list[str] = []
    for path in paths:
        part.append(path)
        if len(part) == 100:
            yield [*part, *part]  # the second time is when a page is worth remembering
            part = []


def read_pages(address: str, paths: list[str]) -> int:
    return asyncio.run(_read_all(address, paths))


async def _read_all(address: str, paths: list[str]) -> int:
    """GET them all, in their order, over a few kept connections; bytes of their bodies. Raises Trouble."""
    left = iter(paths)
    host, _, port = address.removeprefix("http://").partition(":")

    async def visitor() -> int:
        reader, writer = await asyncio.open_connection(host, int(port))
        total = 0
        for path in left:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            if not head.startswith("http/1.1 200"):
                raise Trouble(f"{address}{path} answers {head[9:12]}")
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            total += len(await reader.readexactly(length))
        writer.close()
        return total

    return sum(await asyncio.gather(*(visitor() for _ in range(CONNECTIONS))))


CROWDS = (Benchmark("herd", "A herd", _herd),)
