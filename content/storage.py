"""Where bytes lie, each once, under their SHA-256; whose they are is not known here.

Storage      what any place must offer; tests/content/test_storage.py holds each to it
└── Folder   a folder of this machine: `ab/cdef...` what is kept, `incoming/` what is being written
"""

import asyncio
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self

AT_ONCE = 1 << 20  # bytes that are hashed and written in one go, in a thread
INCOMING = "incoming"  # the folder of what is being written
INTERNAL = "/-/files"  # where Nginx finds what is kept; it serves nothing from there but by X-Accel-Redirect


class Missing(Exception):
    """There are no bytes under this SHA-256."""


class Kept(NamedTuple):
    """`since`: when it was written."""

    sha256: bytes
    size: int
    since: datetime


class Incoming:
    """A file that is being written: by `write`, then `finish`. Used as a context it leaves nothing, whatever happens.

    The lock on the file says that somebody is writing it: it ends with the process, however that ends.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, 0
        self._sha256, self._md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self._gathered: list[bytes] = []
        self._waiting = 0  # bytes in them
        self._file = -1
        self._finished = False
        self._work: asyncio.Future[None] | None = None

    async def open(self) -> Self:
        """Make the file. Raises OSError, as all that follows."""
        await self._in_thread(self._open)
        return self

    async def write(self, data: bytes) -> None:
        """Returns when there is room for more."""
        self.size += len(data)
        self._gathered.append(data)
        self._waiting += len(data)
        if self._waiting >= AT_ONCE:
            await self._in_thread(self._flush)

    async def finish(self) -> None:
        """All is on the disk, and the digests are known. May be called again."""
        if not self._finished:
            await self._in_thread(self._finish)
            self._finished = True

    @property
    def sha256(self) -> bytes:
        return self._sha256.digest()

    @property
    def md5(self) -> bytes:
        return self._md5.digest()

    async def discard(self) -> None:
        """What was kept of it stays."""
        if self._work:  # a thread does not end because nobody waits for it any more
            await asyncio.gather(self._work, return_exceptions=True)
        await asyncio.to_thread(self._remove)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, traceback: TracebackType | None) -> None:
        await self.discard()

    async def _in_thread(self, work: Callable[[], None]) -> None:
        if self._work:
            await asyncio.shield(self._work)  # of what has failed once nothing is ever kept
        self._work = asyncio.ensure_future(asyncio.to_thread(work))
        await asyncio.shield(self._work)

    def _open(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _flush(self) -> None:
        gathered, self._gathered, self._waiting = self._gathered, [], 0
        for data in gathered:
            self._sha256.update(data)
            self._md5.update(data)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]

    def _finish(self) -> None:
        self._flush()
        os.fsync(self._file)

    def _remove(self) -> None:
        self.path.unlink(missing_ok=True)
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class Storage(Protocol):
    """Everything is told by the SHA-256 of its bytes, as 32 bytes."""

    async def incoming(self) -> Incoming:
        """A new file to write; its bytes are here, until they are kept."""

    async def keep(self, incoming: Incoming) -> None:
        """From now on what was finished is found under its SHA-256, whatever breaks. What was there is replaced: it is the
        same, or was damaged. May be done again."""

    def open(self, sha256: bytes) -> AbstractAsyncContextManager[Path]:
        """The bytes as a file of this machine, as long as the context lasts. Raises Missing."""

    async def delete(self, sha256: bytes, *, within: float) -> None:
        """What is not there is no error. Raises TimeoutError, and leaves it, when that cannot begin within so many seconds."""

    def everything(self) -> AsyncIterator[Kept]:
        """What is kept, in the order of the SHA-256."""

    async def digest(self, sha256: bytes) -> bytes:
        """The SHA-256 that the bytes have now. Raises Missing."""

    async def sweep(self, older_than: timedelta) -> int:
        """Remove what was being written when its process was killed, so long ago; how many."""

    def internal(self, sha256: bytes) -> str:
        """The address that Nginx serves the bytes under."""


class Folder:
    """Nginx's workers, another user, may pass through to a name that they are told, and see no list of names."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def incoming(self) -> Incoming:
        return await Incoming(self.path / INCOMING / secrets.token_hex(16)).open()

    async def keep(self, incoming: Incoming) -> None:
        await asyncio.to_thread(self._keep, incoming.path, self._at(incoming.sha256))

    @asynccontextmanager
    async def open(self, sha256: bytes) -> AsyncIterator[Path]:
        path = self._at(sha256)
        if not await asyncio.to_thread(path.is_file):
            raise Missing(sha256.hex())
        yield path

    async def delete(self, sha256: bytes, *, within: float) -> None:
        await asyncio.to_thread(_unlink, self._at(sha256), _now() + within)

    async def everything(self) -> AsyncIterator[Kept]:
        for start in range(256):
            for kept in await asyncio.to_thread(_listed, self.path / f"{start:02x}"):
                yield kept

    async def digest(self, sha256: bytes) -> bytes:
        return await asyncio.to_thread(_digest, self._at(sha256))

    async def sweep(self, older_than: timedelta) -> int:
        return await asyncio.to_thread(_sweep, self.path / INCOMING, time.time() - older_than.total_seconds())

    def internal(self, sha256: bytes) -> str:
        name = sha256.hex()
        return f"{INTERNAL}/{name[:2]}/{name[2:]}"

    def _at(self, sha256: bytes) -> Path:
        name = sha256.hex()
        return self.path / name[:2] / name[2:]

    def _keep(self, written: Path, target: Path) -> None:
        """By a second name for the same bytes: `written` stays, for whoever must do it again."""
        if not target.parent.is_dir():
            target.parent.mkdir(mode=0o711, exist_ok=True)
            _sync(self.path)
        second = written.with_suffix(".kept")
        with suppress(FileExistsError):
            os.link(written, second)
        second.replace(target)
        second.unlink(missing_ok=True)  # to replace a name by another of the same file does nothing
        _sync(target.parent)


def _now() -> float:
    """Goes on while the machine or the process stands still."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _sync(folder: Path) -> None:
    """Names are on the disk as well as bytes."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _unlink(path: Path, until: float) -> None:
    if _now() > until:
        raise TimeoutError(path.name)
    path.unlink(missing_ok=True)


def _listed(folder: Path) -> list[Kept]:
    found = list[Kept]()
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(ValueError, FileNotFoundError):  # no name of ours; deleted meanwhile
                about = entry.stat(follow_symlinks=False)
                sha256 = bytes.fromhex(folder.name + entry.name)
                found.append(Kept(sha256, about.st_size, datetime.fromtimestamp(about.st_mtime, UTC)))
    return sorted(found)


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except FileNotFoundError:
        raise Missing(path.name) from None


def _sweep(folder: Path, before: float) -> int:
    count = 0
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError, BlockingIOError):  # gone meanwhile; somebody is writing it
                if entry.stat(follow_symlinks=False).st_mtime < before:
                    file = os.open(entry.path, os.O_RDONLY)
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        os.unlink(entry.path)
                        count += 1
                    finally:
                        os.close(file)
    return count
