"""Work on pictures, one at a time in a process of its own, which is ended when it takes too long, or nobody waits any more."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from content.kinds import Found
from models.counts import COUNTS
from models.errors import Busy, NoPicture
from settings import ROOT

Write = Callable[[bytes], Awaitable[None]]

PATIENCE = 20.0  # s for one picture
MOST_WAITING = 200
IDLE = 60.0  # s; then the process and its memory go
_PIECE = 1 << 18  # bytes
COUNTS.update({"images.made": 0, "images.refused": 0, "images.killed": 0})

UNREADABLE = "This picture cannot be read: it is broken, or too much work."


class ImageWork:
    """The process begins with the first picture."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._process: Process | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._leaving: asyncio.Task[None] | None = None

    async def resize(self, path: Path, box: tuple[int, int], write: Write) -> Found:
        """Crop and scale the picture at `path` to width and height (content/images.py), and `write` what was made; what that is.

        Who stops waiting (is cancelled) stops the work. Raises NoPicture, Busy.
        """
        if self._waiting >= MOST_WAITING:
            raise Busy("too many pictures wait", retry_after=10)
        self._waiting += 1
        try:
            async with self._turn:
                return await self._made({"path": str(path), "width": box[0], "height": box[1]}, write)
        finally:
            self._waiting -= 1
            if not self._waiting and self._process:
                self._idle = asyncio.get_running_loop().call_later(IDLE, self._let_go)

    async def close(self) -> None:
        async with self._turn:
            if self._leaving:
                await self._leaving
            await self._let_go()

    async def _made(self, asked: dict[str, object], write: Write) -> Found:
        whole, process = False, await self._told(asked)
        worked_before = _worked(process.pid)
        try:
            async with asyncio.timeout(PATIENCE):
                head = await self._answered(process, write)
            whole = True
        except TimeoutError:
            if _worked(process.pid) - worked_before < PATIENCE / 4:
                raise Busy("this machine has no time for pictures", retry_after=60) from None
            raise NoPicture({"file": UNREADABLE}) from None
        except (asyncio.IncompleteReadError, ConnectionError):  # it has died of the picture
            raise NoPicture({"file": UNREADABLE}) from None
        finally:
            if not whole:  # whatever the reason: the rest of this answer must not be taken for the next one's
                COUNTS["images.killed"] += 1
                await self._let_go()
        if "wrong" in head:
            COUNTS["images.refused"] += 1
            raise NoPicture({"file": UNREADABLE})
        COUNTS["images.made"] += 1
        return Found(head["mime"], "image", head["width"], head["height"])

    async def _told(self, asked: dict[str, object]) -> Process:
        """The process, with its task. One that was killed while it had none is no fault of this picture, and is replaced: its
        pipe is broken before anybody has told us of its end."""
        for _ in range(2):
            process = await self._worker()
            assert process.stdin
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            if not process.stdin.is_closing():
                return process
            await self._let_go()
        raise Busy("the process for pictures is killed again and again", retry_after=60)

    async def _answered(self, process: Process, write: Write) -> dict[str, Any]:
        assert process.stdin
        assert process.stdout
        await process.stdin.drain()
        head: dict[str, Any] = json.loads(await process.stdout.readuntil(b"\n"))
        left = head["size"]
        while left:
            piece = await process.stdout.readexactly(min(left, _PIECE))
            left -= len(piece)
            await write(piece)
        return head

    async def _worker(self) -> Process:
        if self._idle:
            self._idle.cancel()
        if self._process is None or self._process.returncode is not None:
            # It is told nothing of this process's environment: whoever takes it over by a picture finds no secrets there.
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-W", "ignore", "-m", "content.image_worker", str(os.getpid()),
                stdin=PIPE, stdout=PIPE, cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        return self._process

    def _let_go(self) -> "asyncio.Task[None]":
        if self._idle:
            self._idle.cancel()
        process, self._process = self._process, None
        self._leaving = asyncio.create_task(_ended(process))
        return self._leaving


async def _ended(process: Process | None) -> None:
    if process and process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _worked(pid: int) -> float:
    """Seconds that the process has been given by now: it is the last to get any."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, IndexError):
        return 0.0
