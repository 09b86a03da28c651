"""What becomes of bytes that were sent: looked at, cropped if that was asked for, kept; and pictures in other sizes."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from content import filenames, images, kinds
from content.kinds import Found
from content.storage import Incoming, Missing, Storage
from models.errors import Busy, Invalid, NoPicture, NotFound
from models.file_rows import File
from models.files import Added, Files
from models.image_work import ImageWork
from models.users import User

log = logging.getLogger("plaza.web")

MOST_PICTURES = 20  # of an account in a process, made or waiting

# One at a time: a header may take 16 MB (content/kinds.py).
_threads = ThreadPoolExecutor(1, thread_name_prefix="kinds")


class Box(NamedTuple):
    """A size in pixels: the ratio to crop to about the centre, and the most that is left after scaling."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@asynccontextmanager
async def _written() -> AsyncIterator[None]:
    """Raises Busy when the disk takes nothing. Small files, which are gathered, learn it at their end only."""
    try:
        yield
    except OSError as error:
        log.error("an upload could not be kept: %s", error)
        raise Busy("the disk is full or broken", retry_after=60) from error


class Uploads:
    """Between who has sent something and `Files`: an upload is one file there."""

    def __init__(self, files: Files, storage: Storage, work: ImageWork, most_pixels: int) -> None:
        self._files, self._storage, self._work, self._most_pixels = files, storage, work, most_pixels
        self._pictures = Counter[int]()  # by account, made or waiting
        self._turns: dict[int, asyncio.Lock] = {}

    async def keep(
        self, incoming: Incoming, name: str, *, box: Box | None, expires: timedelta | None, by: User
    ) -> Added:
        """The file as it was sent, or with a `box` as a picture made of it. Raises Forbidden, TooLarge, QuotaFull, NoPicture,
        Invalid, Busy."""
        async with _written(), AsyncExitStack() as stack:
            await incoming.finish()
            found = await self._found(incoming, name)
            if box:
                if found.kind != "image":
                    raise NoPicture({"file": "This is no picture, so it cannot be cropped."})
                made = await stack.enter_async_context(await self._storage.incoming())
                found = await self._made(incoming.path, box, made, by)
                incoming, name = made, filenames.with_suffix(name, images.SUFFIXES[found.mime])
            return await self._files.add(incoming, name, found, by=by, expires=expires)

    async def resized(self, original: File, box: Box, *, by: User) -> File:
        """A new copy of another size. Raises Forbidden, NotFound, QuotaFull, NoPicture, Invalid, Busy."""
        try:
            async with (
                _written(), self._storage.open(original.sha256) as path, await self._storage.incoming() as made,
            ):  # fmt: skip
                found = await self._made(path, box, made, by)
                return await self._files.add_resized(original, str(box), made, found, by=by)
        except Missing as error:
            raise NotFound(f"the bytes of file {original.id}") from error

    async def _made(self, path: Path, box: Box, made: Incoming, by: User) -> Found:
        """Only one picture of an account waits with those of others, so nobody stands in everybody's way for minutes."""
        if self._pictures[by.id] >= MOST_PICTURES:
            raise Busy(f"many pictures of user {by.id} are being made already", retry_after=10)
        self._pictures[by.id] += 1
        try:
            async with self._turns.setdefault(by.id, asyncio.Lock()):
                return await self._work.resize(path, box, made.write)
        finally:
            self._pictures[by.id] -= 1
            if not self._pictures[by.id]:
                del self._pictures[by.id], self._turns[by.id]

    async def _found(self, incoming: Incoming, name: str) -> Found:
        find = asyncio.get_running_loop().run_in_executor
        try:
            return await find(_threads, kinds.find, incoming.path, name, self._most_pixels)
        except kinds.TooManyPixels:
            raise Invalid({"file": "This picture has too many pixels."}) from None
