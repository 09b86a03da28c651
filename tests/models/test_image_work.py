"""The process that works on pictures: what it may, when it ends, and that nobody is told of its death but who caused it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from tornado.ioloop import IOLoop

from content.kinds import Found
from models import image_work
from models.counts import COUNTS
from models.errors import Busy, NoPicture
from models.image_work import ImageWork
from settings import ROOT
from tests.commands.instances import until
from tests.content.pictures import bomb, opened, picture


class Sink:
    """What was written."""

    def __init__(self) -> None:
        self.data = b""

    async def write(self, data: bytes) -> None:
        self.data += data


@pytest.fixture
def work(io_loop: IOLoop) -> Iterator[ImageWork]:
    made = ImageWork()
    yield made
    io_loop.run_sync(made.close)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "picture"
    path.write_bytes(picture(600, 400, "JPEG"))
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """Who opens it waits for ever."""
    path = tmp_path / "endless"
    os.mkfifo(path)
    return path


def pid_of(work: ImageWork) -> int:
    assert work._process
    return work._process.pid


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def runs(pid: int) -> bool:
    """Unlike `lives` not while somebody has still to be told of its end."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_one_process_does_all_that_is_asked(work: ImageWork, file: Path) -> None:
    sink = Sink()
    found = await work.resize(file, (60, 60), sink.write)
    first = pid_of(work)
    await work.resize(file, (30, 30), Sink().write)

    assert found == Found("image/jpeg", "image", 60, 60)
    assert opened(sink.data).size == (60, 60)
    assert pid_of(work) == first


async def test_large_answers_come_whole(work: ImageWork, tmp_path: Path) -> None:
    noise = BytesIO()
    Image.frombytes("RGB", (1000, 1000), os.urandom(3_000_000)).save(noise, "PNG")
    path, sink = tmp_path / "noise", Sink()
    path.write_bytes(noise.getvalue())
    await work.resize(path, (1000, 1000), sink.write)

    assert len(sink.data) > 2_500_000
    assert opened(sink.data).tobytes() == opened(noise.getvalue()).tobytes()


async def test_it_has_no_secrets_and_no_right_to_hold_anybody_up(
    work: ImageWork, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAZA_SENTRY_DSN", "SECRET")
    await work.resize(file, (60, 60), Sink().write)
    process = Path(f"/proc/{pid_of(work)}")
    limits = (process / "limits").read_text()

    assert b"SECRET" not in (process / "environ").read_bytes()
    assert os.sched_getscheduler(pid_of(work)) == os.SCHED_IDLE
    assert "Max address space         1073741824" in limits
    assert "Max file size             0 " in limits


async def test_what_is_no_picture_is_refused_and_the_process_stays(work: ImageWork, file: Path, tmp_path: Path) -> None:
    await work.resize(file, (60, 60), Sink().write)
    first, refused = pid_of(work), COUNTS["images.refused"]
    text = tmp_path / "text"
    text.write_bytes(b"no picture")
    for path in (text, tmp_path / "missing"):
        with pytest.raises(NoPicture):
            await work.resize(path, (60, 60), Sink().write)

    assert COUNTS["images.refused"] == refused + 2
    assert pid_of(work) == first


async def test_a_picture_that_needs_too_much_memory_is_refused(work: ImageWork, file: Path, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bomb(20_000, 20_000))
    await work.resize(file, (60, 60), Sink().write)
    os.sched_setscheduler(
        pid_of(work), os.SCHED_OTHER, os.sched_param(0)
    )  # or it might not get the time to fill its memory
    with pytest.raises(NoPicture):
        await work.resize(path, (60, 60), Sink().write)

    assert (await work.resize(file, (60, 60), Sink().write)).width == 60


async def test_one_that_takes_too_long_is_ended(
    work: ImageWork, file: Path, endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await work.resize(file, (60, 60), Sink().write)
    first, killed = pid_of(work), COUNTS["images.killed"]
    with monkeypatch.context() as hasty:
        hasty.setattr(image_work, "PATIENCE", 0.3)
        with pytest.raises(Busy):  # in that time it has not worked, so the picture is not to blame
            await work.resize(endless, (60, 60), Sink().write)

    assert not lives(first)
    assert COUNTS["images.killed"] == killed + 1
    assert (await work.resize(file, (60, 60), Sink().write)).width == 60


async def judged(work: ImageWork, file: Path) -> None:
    """Until the process has had enough time on a busy machine for the picture to be to blame. Raises NoPicture."""
    async with asyncio.timeout(60):
        while True:
            with suppress(Busy):
                await work.resize(file, (4000, 4000), Sink().write)
                pytest.fail("that was not too much work")
            await work.resize(file.with_name("picture"), (60, 60), Sink().write)
            os.sched_setscheduler(pid_of(work), os.SCHED_OTHER, os.sched_param(0))


async def test_one_that_is_too_much_work_is_ended_and_refused(
    work: ImageWork, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await work.resize(file, (60, 60), Sink().write)
    first = pid_of(work)
    os.sched_setscheduler(first, os.SCHED_OTHER, os.sched_param(0))  # or it might not get the time that it is to waste
    file.with_name("long").write_bytes(picture(4000, 4000))
    with monkeypatch.context() as hasty:
        hasty.setattr(image_work, "PATIENCE", 0.3)
        with pytest.raises(NoPicture):
            await judged(work, file.with_name("long"))

    assert not lives(first)
    assert (await work.resize(file, (60, 60), Sink().write)).width == 60


async def test_who_dies_of_a_picture_takes_no_other_with_it(work: ImageWork, file: Path, endless: Path) -> None:
    await work.resize(file, (60, 60), Sink().write)
    hostile = asyncio.create_task(work.resize(endless, (60, 60), Sink().write))
    others = [asyncio.create_task(work.resize(file, (n, n), Sink().write)) for n in (10, 20)]
    await asyncio.sleep(0)
    os.kill(pid_of(work), 9)

    with pytest.raises(NoPicture):
        await hostile
    assert [found.width for found in await asyncio.gather(*others)] == [10, 20]


async def test_one_that_was_killed_while_it_had_no_work_is_replaced(work: ImageWork, file: Path) -> None:
    await work.resize(file, (60, 60), Sink().write)
    first = pid_of(work)
    os.kill(first, 9)
    until(lambda: not runs(first))  # the loop stands still meanwhile, and cannot know it yet

    assert (await work.resize(file, (30, 30), Sink().write)).width == 30
    assert pid_of(work) != first


async def test_who_goes_away_stops_the_work(work: ImageWork, file: Path, endless: Path) -> None:
    await work.resize(file, (60, 60), Sink().write)
    first = pid_of(work)
    gone = asyncio.create_task(work.resize(endless, (60, 60), Sink().write))
    waits = asyncio.create_task(work.resize(file, (60, 60), Sink().write))
    await asyncio.sleep(0.05)
    gone.cancel()

    assert (await waits).width == 60
    assert gone.cancelled()
    assert not lives(first)


async def test_a_disk_that_takes_nothing_leaves_no_half_answer_for_the_next(work: ImageWork, file: Path) -> None:
    async def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        await work.resize(file, (60, 60), full)
    sink = Sink()
    await work.resize(file, (30, 30), sink.write)

    assert opened(sink.data).size == (30, 30)


async def test_no_more_wait_than_may(
    work: ImageWork, file: Path, endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_work, "MOST_WAITING", 2)
    waiting = [asyncio.create_task(work.resize(endless, (1, 1), Sink().write)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await work.resize(file, (60, 60), Sink().write)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert (await work.resize(file, (60, 60), Sink().write)).width == 60


async def test_it_goes_when_nobody_needs_it(work: ImageWork, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_work, "IDLE", 0.05)
    await work.resize(file, (60, 60), Sink().write)
    if work._process:
        await asyncio.wait_for(work._process.wait(), 60)

    assert (await work.resize(file, (60, 60), Sink().write)).width == 60


PARENT = """
import asyncio, sys
from pathlib import Path
from models.image_work import ImageWork

async def main():
    work = ImageWork()
    async def write(data): pass
    await work.resize(Path(sys.argv[1]), (9, 9), write)
    print(work._process.pid, flush=True)
    await work.resize(Path(sys.argv[2]), (9, 9), write)

asyncio.run(main())
"""


def test_a_process_that_is_killed_leaves_no_orphan(file: Path, endless: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(file), str(endless)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        with endless.open("wb"):  # it is opened when the child reads the other end
            parent.kill()
            parent.wait()
            until(lambda: not lives(child))
