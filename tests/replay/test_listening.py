"""What web processes tell becomes one file, in the order in which all of it began, whoever is silent or not understood."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic_ns, time, time_ns
from typing import Any

import msgpack
import pytest

from replay import listening as listenings
from replay import reading
from replay import stored as stored_answers
from replay.exchanges import EXCHANGE, MARK, SOCKET, Exchange, Line, Mark
from replay.listening import Listening, listening, record
from replay.recorder import Recorder
from replay.records import Header
from replay.stored import TOO_FAST, StoredAnswers
from replay.visitors import Visitors
from replay.writing import Writer
from tests.cache.steps import until
from tests.replay.hush import KEY, SITE, redactor
from tests.replay.test_stored import line

MS = 1_000_000


@pytest.fixture
def run() -> Iterator[Path]:
    """Short, as the paths of sockets have to be."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path / "a", Header("test", 0, 0, "http://localhost"))
    yield made
    made.close()


@pytest.fixture
def recorder(writer: Writer) -> Recorder:
    return Recorder(writer, redactor(), SITE, Visitors(KEY.secret), monotonic_ns(), "http://localhost")


def asked(began: int, target: str, **more: Any) -> bytes:
    told = Exchange(began, began, began + MS, "10.0.0.1", "GET", target, [], b"", 0, (200, []), 0, b"")
    packed: bytes = msgpack.packb((EXCHANGE, *told._replace(**more)))
    return packed


def told_all_before(moment: int) -> bytes:
    packed: bytes = msgpack.packb((MARK, *Mark(moment, {})))
    return packed


async def joined(run: Path) -> Line:
    """A web process's end of its line."""
    line = Line()
    await asyncio.get_running_loop().create_unix_connection(lambda: line, str(run / SOCKET))
    await line.welcome
    return line


@asynccontextmanager
async def two_processes(run: Path, recorder: Recorder) -> AsyncIterator[tuple[Listening, Line, Line]]:
    async with listening(run, recorder, 100, asyncio.Event()) as lines:
        one, other = await joined(run), await joined(run)
        try:
            yield lines, one, other
        finally:
            one.close()
            other.close()


def written(writer: Writer) -> list[str]:
    """The targets of all that stands in the file."""
    writer.flush()
    return [request.target for request in reading.read(writer.path).requests]


async def test_what_is_told_interleaved_is_written_in_the_order_in_which_it_began(
    run: Path, recorder: Recorder, writer: Writer
) -> None:
    async with two_processes(run, recorder) as (lines, one, other):
        base = monotonic_ns()
        other.write(asked(base + 4 * MS, "/4") + asked(base + 2 * MS, "/2") + told_all_before(base + 9 * MS))
        await until(lambda: recorder._count == 2)
        recorder.write(lines.all_before)
        assert written(writer) == []  # the first has yet to tell what it was asked before that

        one.write(asked(base + 3 * MS, "/3") + asked(base + MS, "/1") + told_all_before(base + 3 * MS))
        await until(lambda: lines.all_before == base + 3 * MS)
        recorder.write(lines.all_before)
        assert written(writer) == ["/1", "/2"]

        one.write(asked(base + 5 * MS, "/5") + told_all_before(base + 9 * MS))
        await until(lambda: lines.all_before == base + 9 * MS)
        recorder.write(lines.all_before)

    assert written(writer) == ["/1", "/2", "/3", "/4", "/5"]
    assert not recorder.dropped


async def test_a_silent_process_does_not_hold_up_the_others_for_ever(
    run: Path, recorder: Recorder, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_processes(run, recorder) as (lines, one, silent):
        base = monotonic_ns()
        one.write(asked(base, "/one") + told_all_before(base + MS))
        await until(lambda: recorder._count == 1)
        assert lines.all_before < base

        monkeypatch.setattr(listenings, "SILENT", 200 * MS)
        await until(lambda: passed_by(lines, one, base + MS))
        recorder.write(base + MS)
        assert written(writer) == ["/one"]

        silent.write(asked(base, "/silent"))
        await until(lambda: recorder.dropped)

    assert recorder.dropped == {"late": 1}


def passed_by(lines: Listening, speaking: Line, moment: int) -> bool:
    """It goes on to say how far it is, as it does each second."""
    speaking.write(told_all_before(moment))
    return lines.all_before == moment


async def test_what_is_not_understood_is_counted_and_the_others_go_on(
    run: Path, recorder: Recorder, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    wrong: list[Callable[[int], bytes]] = [
        lambda began: asked(began, "/a", head=("no status", [])),
        lambda began: asked(began, "/b", head=b"nothing like HTTP"),
        lambda began: asked(began, "/c", headers=[(1, "a name that is none")]),
        lambda began: asked(began, "/d", ended="soon"),
    ]
    async with two_processes(run, recorder) as (lines, one, other):
        base = monotonic_ns()
        for number, broken in enumerate(wrong):
            one.write(asked(base + 2 * number * MS, f"/{number}") + broken(base + (2 * number + 1) * MS))
        end = base + 100 * MS
        one.write(asked(end - MS, "/last") + told_all_before(end))
        other.write(asked(base, "/other") + told_all_before(end))
        await until(lambda: lines.all_before == end)
        recorder.write(end)
        assert lines.processes == 2

    assert sorted(written(writer)) == ["/0", "/1", "/2", "/3", "/last", "/other"]
    assert recorder.dropped == {"not understood": len(wrong)}
    assert caplog.text.count("an exchange was not understood") == len(wrong)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoredAnswers]:
    """The reader of a log of which two lines are read at a time, and into which twenty have been written since it began."""
    monkeypatch.setattr(stored_answers, "PIECE", 600)
    (tmp_path / "access.log").touch()
    reader = StoredAnswers(tmp_path / "access.log", time_ns(), monotonic_ns())
    (tmp_path / "access.log").write_bytes(b"".join(line(ended=time(), path=f"/{n}", seconds=0) for n in range(20)))
    yield reader
    reader.close()


async def test_a_log_that_grows_faster_than_it_is_looked_at_is_read_on(
    run: Path, recorder: Recorder, writer: Writer, log: StoredAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()
    with monkeypatch.context() as patch:
        patch.setattr(listenings, "LOOK", 3600.0)  # so that there is one look
        recording = asyncio.create_task(
            record(run, recorder, writer, log, most_body=100, over=over, tell=lambda processes: None)
        )
        await until(lambda: recorder._count == 20 or recording.done())
    over.set()
    await recording

    assert written(writer) == [f"/{number}" for number in range(20)]
    assert not recorder.dropped


async def test_what_waits_in_the_log_at_the_end_is_read_on_too(
    run: Path, recorder: Recorder, writer: Writer, log: StoredAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listenings, "LOOK", 3600.0)
    monkeypatch.setattr(stored_answers, "FLUSHED", 0)
    over = asyncio.Event()
    over.set()

    async with asyncio.timeout(60):
        await record(run, recorder, writer, log, most_body=100, over=over, tell=lambda processes: None)

    assert len(written(writer)) == 20
    assert not recorder.dropped


async def test_what_of_the_log_cannot_be_read_any_more_is_counted(
    run: Path, recorder: Recorder, writer: Writer, log: StoredAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listenings, "LAST_WORDS", 0.0)
    over = asyncio.Event()
    over.set()

    await record(run, recorder, writer, log, most_body=100, over=over, tell=lambda processes: None)

    assert written(writer) == []
    assert recorder.dropped == {TOO_FAST: 20}
