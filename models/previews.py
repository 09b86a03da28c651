"""The beginnings of text files, coloured: each once however many wait for it, and one at a time.

It is Python that colours: several threads of it would be no faster, and leave the event loop a share of its own time only.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from content.previews import Beginning, beginning, language_of
from content.storage import Missing, Storage
from models.errors import Busy, NotFound
from models.file_rows import File

MOST_WAITING = 20  # different texts
PATIENCE = 10.0  # s
_threads = ThreadPoolExecutor(1, thread_name_prefix="previews")


class Previews:
    """Nothing is kept here: what was drawn last content/previews.py knows."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._drawing: dict[tuple[bytes, str], asyncio.Task[Beginning]] = {}

    async def of(self, file: File) -> Beginning:
        """Raises NotFound when its bytes are gone, Busy."""
        key = file.sha256, language_of(file.name)
        if key not in self._drawing:
            if len(self._drawing) >= MOST_WAITING:
                raise Busy("too many texts wait to be shown", retry_after=5)
            self._drawing[key] = asyncio.create_task(self._drawn(*key))
        task = self._drawing[key]
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(task)  # others may wait for it, too
        except TimeoutError:
            raise Busy("this machine has no time to show a text", retry_after=5) from None
        except Missing as error:
            raise NotFound(f"the bytes of file {file.id}") from error

    async def close(self) -> None:
        await asyncio.gather(*self._drawing.values(), return_exceptions=True)

    async def _drawn(self, sha256: bytes, language: str) -> Beginning:
        try:
            async with self._storage.open(sha256) as path:
                return await asyncio.get_running_loop().run_in_executor(_threads, beginning, path, language)
        finally:
            del self._drawing[sha256, language]
