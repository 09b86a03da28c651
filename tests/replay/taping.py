"""A recording for a test: the recorder in the test's own process, of a site whose web processes are real."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns, time_ns

from replay import reading
from replay.keys import Key, new_key
from replay.listening import record
from replay.plaza import Plaza
from replay.reading import Recording
from replay.recorder import Recorder
from replay.records import Header, Request
from replay.redaction import Redactor
from replay.stored import StoredAnswers
from replay.visitors import Visitors
from replay.writing import Writer
from settings import Settings
from tests.cache.steps import until


@dataclass
class Tape:
    """`dropped` and what `read` gives are known when the block has ended."""

    path: Path
    key: Key
    dropped: Counter[str]
    processes: int = 0

    def read(self) -> Recording:
        return reading.read(self.path)

    def of(self, path: str, method: str = "GET") -> list[Request]:
        """The requests for this address."""
        return [one for one in self.read().requests if one.method == method and one.target.partition("?")[0] == path]


@asynccontextmanager
async def taping(
    settings: Settings, path: Path, *, share: float = 1.0, most_body: int = 1 << 20, processes: int = 1
) -> AsyncIterator[Tape]:
    """Once so many web processes have come, until all that was asked is in the file."""
    started, monotonic = time_ns(), monotonic_ns()
    key, site, over = new_key(), Plaza(), asyncio.Event()
    writer = Writer(path, Header("test", started, monotonic, settings.site_url, key_id=key.id))
    recorder = Recorder(writer, Redactor(key, site), site, Visitors(key.secret, share), monotonic, settings.site_url)
    tape = Tape(path, key, recorder.dropped)

    def tell(joined: int) -> None:
        tape.processes = joined

    stored = StoredAnswers(settings.var / "log" / "access.log", started, monotonic)
    task = asyncio.create_task(
        record(settings.run, recorder, writer, stored, most_body=most_body, over=over, tell=tell)
    )
    try:
        await until(lambda: tape.processes >= processes or task.done())
        yield tape
    finally:
        over.set()
        try:
            await task
            writer.finish(recorder.dropped)
        finally:
            writer.close()
            stored.close()
