"""What every storage must do, asked of each; and what a folder leaves behind when its process is killed."""

import asyncio
import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from content import storage as storages
from content.storage import Folder, Incoming, Missing, Storage
from settings import ROOT

BACKENDS: dict[str, Callable[[Path], Storage]] = {"folder": Folder}
NOW = timedelta(0)


@pytest.fixture(params=BACKENDS)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return BACKENDS[request.param](tmp_path / "files")


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


async def kept(storage: Storage, data: bytes) -> bytes:
    async with await storage.incoming() as incoming:
        await incoming.write(data)
        await incoming.finish()
        await storage.keep(incoming)
    return incoming.sha256


async def read(storage: Storage, name: bytes) -> bytes:
    async with storage.open(name) as path:
        return path.read_bytes()


async def everything(storage: Storage) -> list[tuple[bytes, int]]:
    return [(one.sha256, one.size) async for one in storage.everything()]


async def test_what_is_kept_is_found_under_its_sha256(storage: Storage) -> None:
    data = os.urandom(3_000_001)
    async with await storage.incoming() as incoming:
        for start in range(0, len(data), 70_000):
            await incoming.write(data[start : start + 70_000])
        await incoming.finish()
        assert incoming.path.read_bytes() == data  # before anybody keeps it, for whoever looks what it is
        await storage.keep(incoming)

    assert incoming.size == len(data)
    assert incoming.sha256 == sha256(data)
    assert incoming.md5 == hashlib.md5(data, usedforsecurity=False).digest()
    assert await read(storage, sha256(data)) == data
    assert await storage.digest(sha256(data)) == sha256(data)


async def test_an_empty_file_is_a_file(storage: Storage) -> None:
    assert await read(storage, await kept(storage, b"")) == b""


async def test_what_is_not_there_is_missing(storage: Storage) -> None:
    with pytest.raises(Missing):
        await read(storage, sha256(b"x"))
    with pytest.raises(Missing):
        await storage.digest(sha256(b"x"))
    await storage.delete(sha256(b"x"), within=1)
    assert await everything(storage) == []


async def test_the_same_is_stored_once_and_keeping_may_be_done_again(storage: Storage) -> None:
    async with await storage.incoming() as incoming:
        await incoming.write(b"the same")
        await incoming.finish()
        await storage.keep(incoming)
        await storage.keep(incoming)
        await storage.delete(incoming.sha256, within=1)
        await storage.keep(incoming)  # as after a deadlock, when the bytes were deleted meanwhile
    await kept(storage, b"the same")

    assert await everything(storage) == [(sha256(b"the same"), 8)]
    assert await storage.sweep(NOW) == 0


async def test_bytes_that_were_damaged_are_whole_again_when_they_are_sent_again(storage: Storage) -> None:
    name = await kept(storage, b"whole")
    async with storage.open(name) as path:
        path.write_bytes(b"hole")
    assert await storage.digest(name) != name
    await kept(storage, b"whole")

    assert await read(storage, name) == b"whole"


@pytest.mark.parametrize("how", [ValueError, asyncio.CancelledError])
async def test_what_fails_leaves_nothing(storage: Storage, how: type[BaseException]) -> None:
    incoming = await storage.incoming()

    async def fail() -> None:
        async with incoming:
            await incoming.write(b"x" * 2_000_000)
            raise how

    with pytest.raises(how):
        await fail()
    assert not incoming.path.exists()
    assert await everything(storage) == []
    assert await storage.sweep(NOW) == 0


async def test_who_goes_away_while_bytes_are_written_leaves_nothing(storage: Storage) -> None:
    """The thread that writes goes on, and must not find another file under the number of the one that was closed."""
    incoming = await storage.incoming()
    writing = asyncio.ensure_future(incoming.write(b"x" * 50_000_000))
    await asyncio.sleep(0.01)
    writing.cancel()
    await incoming.discard()

    assert incoming._work
    assert incoming._work.done()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert incoming.path.parent.exists()
    assert list(incoming.path.parent.iterdir()) == []


async def test_reading_goes_on_when_it_is_deleted(storage: Storage) -> None:
    name = await kept(storage, b"still here")
    async with storage.open(name) as path:
        with path.open("rb") as file:
            await storage.delete(name, within=1)
            assert file.read() == b"still here"
    with pytest.raises(Missing):
        await read(storage, name)


async def test_a_deletion_that_begins_too_late_does_not_happen(storage: Storage) -> None:
    name = await kept(storage, b"x")
    with pytest.raises(TimeoutError):
        await storage.delete(name, within=-1)

    assert await read(storage, name) == b"x"


async def test_all_that_is_stored_comes_in_order(storage: Storage) -> None:
    names = [await kept(storage, str(n).encode()) for n in range(40)]
    before = time.time()

    found = [one async for one in storage.everything()]

    assert [one.sha256 for one in found] == sorted(names)
    assert all(before - 60 < one.since.timestamp() < before + 1 for one in found)


async def test_what_somebody_is_writing_is_not_swept(storage: Storage) -> None:
    async with await storage.incoming() as incoming:
        await incoming.write(b"x" * 2_000_000)
        assert await storage.sweep(NOW) == 0
        await incoming.finish()
        await storage.keep(incoming)
    assert await read(storage, incoming.sha256) == b"x" * 2_000_000


async def test_what_a_killed_process_was_writing_is_swept(tmp_path: Path) -> None:
    script = f"""
import asyncio, os, signal
from pathlib import Path
from content.storage import Folder
async def main():
    storage = Folder(Path({str(tmp_path / "files")!r}))
    done = await storage.incoming()
    await done.write(b"x")
    await done.finish()
    await storage.keep(done)
    await (await storage.incoming()).write(b"x" * 2_000_000)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", script, cwd=ROOT)
    assert await asyncio.wait_for(killed.wait(), 30) == -signal.SIGKILL
    storage = Folder(tmp_path / "files")
    assert await storage.sweep(timedelta(minutes=1)) == 0  # it may be somebody's who has just begun

    assert await storage.sweep(NOW) == 2
    assert list((tmp_path / "files" / "incoming").iterdir()) == []
    assert await everything(storage) == [(sha256(b"x"), 1)]


async def test_others_may_read_what_they_know_the_name_of_and_list_nothing(tmp_path: Path) -> None:
    storage = Folder(tmp_path / "files")
    name = await kept(storage, b"x")
    async with storage.open(name) as path:
        modes = [oct(one.stat().st_mode & 0o777) for one in (path, path.parent, tmp_path / "files" / "incoming")]

    assert modes == ["0o644", "0o711", "0o700"]
    assert storage.internal(name) == f"/-/files/{path.parent.name}/{path.name}"


async def test_bytes_are_written_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a file is, no more of it is in memory than AT_ONCE and what came last."""
    monkeypatch.setattr(storages, "AT_ONCE", 1_000)
    incoming = await Incoming(tmp_path / "file").open()
    async with incoming:
        for n in range(1, 100):
            await incoming.write(b"x" * 100)
            assert incoming.path.stat().st_size >= incoming.size - 1_000, n


async def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    async with await Folder(tmp_path / "files").incoming() as incoming:
        os.close(incoming._file)
        incoming._file = os.open("/dev/full", os.O_WRONLY)
        with pytest.raises(OSError, match="No space left"):
            await incoming.write(b"x" * 2_000_000)
        with pytest.raises(OSError, match="No space left"):
            await incoming.finish()  # else it would be kept without these bytes
    assert not incoming.path.exists()
