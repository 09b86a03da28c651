"""A process of its own with the notes, told what to do line by line: to be killed or stopped in the midst of it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvloop

from models import base
from models.database import Database
from settings import MysqlAddress
from tests.cache.notes import NAMED, Desks, Notes
from tests.cache.steps import PATIENCE, Process, Truth, make, until_answers

ROOT = Path(__file__).resolve().parents[2]


class Actor:
    """The far end: what the test told it to start, and what it can be asked."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given

    async def run(self) -> None:
        given, loop = self._given, asyncio.get_running_loop()
        base.HOLD = given["hold"]
        self._db = Database(MysqlAddress(*given["mysql"]), size=2, seconds=5.0)
        self._process: Process = await make(given["redis"], given["namespace"], Truth(), near=True)
        self._notes = Notes(self._db, self._process.cache)
        self._tasks = set[asyncio.Task[Any]]()
        print(json.dumps("here"), flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            told = json.loads(line)
            do: Callable[..., Awaitable[Any]] = getattr(self, told.pop("do"))
            print(json.dumps(await do(**told)), flush=True)

    async def write(self, id: int, text: str, stop: str) -> bool:
        """Change a note, up to the gate; there it stays."""
        gate = self._process.hold(stop)
        self._tasks.add(asyncio.create_task(self._notes.change(id, text)))
        await gate.reached()
        return True

    async def warm(self, id: int) -> str:
        """Read until the process's own level answers."""
        await until_answers(lambda: self._near(id))
        return str(await self._notes.text(id))

    async def _near(self, id: int) -> bool:
        await self._notes.text(id)
        return self._peek(id) is not None

    def _peek(self, id: int) -> str | None:
        found = self._process.cache.near(NAMED(id).name)
        return getattr(found, "text", None)

    async def block(self, id: int) -> list[str | None]:
        """Hold up the loop until a byte comes, then read the own level before the loop reads any socket."""
        before = self._peek(id)
        print(json.dumps("blocked"), flush=True)
        os.read(sys.stdin.fileno(), 1)
        after = self._peek(id)
        return [before, after, await self._notes.text(id)]


class Stooge:
    """The near end: an actor's process, as the test sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdin
        assert process.stdout
        self._in, self._out = process.stdin, process.stdout

    async def told(self) -> Any:
        async with asyncio.timeout(2 * PATIENCE):
            line = await self._out.readline()
        assert line, "the actor has died"
        return json.loads(line)

    async def do(self, what: str, **with_: Any) -> Any:
        """Tell it, and wait for its first answer."""
        self._in.write(json.dumps({"do": what, **with_}).encode() + b"\n")
        return await self.told()

    def poke(self) -> None:
        """The byte that `block` waits for."""
        self._in.write(b"\n")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def stopped(self) -> None:
        """Until the kernel says that it is stopped."""
        state = Path(f"/proc/{self._process.pid}/stat")
        async with asyncio.timeout(PATIENCE):
            while state.read_text().rpartition(")")[2].split()[0] != "T":  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.002)

    async def kill(self) -> None:
        """With -9, and wait until it is gone."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def acting(desks: Desks, *, hold: float = 10.0) -> AsyncIterator[Stooge]:
    """An actor over the servers of the desks; its tombstones stand for `hold` seconds."""
    given = {
        "redis": desks.stage.url, "namespace": desks.stage.namespace, "mysql": desks.settings.mysql, "hold": hold
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.cache.actor", json.dumps(given), cwd=ROOT, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    stooge = Stooge(process)
    try:
        assert await stooge.told() == "here"
        yield stooge
    finally:
        await stooge.kill()


if __name__ == "__main__":
    uvloop.run(Actor(json.loads(sys.argv[1])).run())
