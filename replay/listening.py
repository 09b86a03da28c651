"""Where web processes come to tell what they are asked; it lasts as long as a recording does."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic_ns
from typing import Final

import msgpack

from replay.exchanges import EXCHANGE, MARK, SOCKET, Exchange, Mark
from replay.recorder import Recorder
from replay.stored import StoredAnswers
from replay.writing import Writer

log = logging.getLogger("plaza.record")

LOOK: Final = 0.5  # s between two looks into the access log, after which what is certain is written
PIECE: Final = 1 << 18  # bytes that are taken from a web process at a time
LONGEST: Final = 1 << 27  # bytes of a message
MOST_LINES: Final = 256  # web processes
LAST_WORDS: Final = 5.0  # s for all to tell what began before the end
SILENT: Final = 30_000_000_000  # ns after which nobody waits any more for the mark of a process


class Listening:
    """The lines of the web processes. `trouble`: the error that ends the recording, such as that of a full disk."""

    def __init__(self, recorder: Recorder, most_body: int, over: asyncio.Event) -> None:
        self._recorder, self._most_body, self._over = recorder, most_body, over
        self._marks: dict[asyncio.StreamWriter, tuple[int, int]] = {}  # how far each is, and when it said so
        self._tasks: set[asyncio.Task[None]] = set()
        self.trouble: OSError | None = None

    @property
    def processes(self) -> int:
        return len(self._marks)

    @property
    def all_before(self) -> int:
        """Before this moment nothing more will be told."""
        now = monotonic_ns()
        speaking = [far for far, said in self._marks.values() if now - said < SILENT]
        # Where all are silent it is the recorder that did not listen: what they said waits in the sockets.
        return min(speaking or [far for far, _ in self._marks.values()], default=now)

    def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._met(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Hang up on all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._marks) >= MOST_LINES:
            writer.close()
            return
        self._marks[writer] = monotonic_ns(), monotonic_ns()
        try:
            writer.write(msgpack.packb(self._most_body))
            unpacker = msgpack.Unpacker(max_buffer_size=LONGEST, use_list=False, unicode_errors="surrogatepass")
            while data := await reader.read(PIECE):
                unpacker.feed(data)
                for message in unpacker:
                    self._heard(writer, message)
        except (ValueError, TypeError, msgpack.UnpackException):
            log.exception("what a web process told was not understood")
        except ConnectionError as error:
            log.info("a web process has gone: %r", error)
        except OSError as error:
            self.trouble = error
            self._over.set()
        finally:
            del self._marks[writer]
            writer.close()

    def _heard(self, writer: asyncio.StreamWriter, message: tuple[object, ...]) -> None:
        kind, *items = message
        if kind == EXCHANGE:
            self._recorder.take(Exchange._make(items))
        elif kind == MARK:
            mark = Mark._make(items)
            self._marks[writer] = mark.all_before, monotonic_ns()
            self._recorder.dropped.update(mark.dropped)


@asynccontextmanager
async def listening(run: Path, recorder: Recorder, most_body: int, over: asyncio.Event) -> AsyncIterator[Listening]:
    lines = Listening(recorder, most_body, over)
    server = await asyncio.start_unix_server(lines.meet, sock=_door(run / SOCKET))
    inode = (run / SOCKET).stat().st_ino
    try:
        yield lines
    finally:
        with suppress(FileNotFoundError):
            if (run / SOCKET).stat().st_ino == inode:
                (run / SOCKET).unlink()
        server.close()
        await lines.close()


def _door(path: Path) -> socket.socket:
    """A socket under a temporary name, renamed when it listens: nobody comes in before the rights to the file are set."""
    mine = path.with_name(f"{path.name}~")
    mine.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.setblocking(False)
    door.bind(str(mine))
    mine.chmod(0o600)
    door.listen(MOST_LINES)
    mine.replace(path)
    return door


async def record(
    run: Path, recorder: Recorder, writer: Writer, stored: StoredAnswers, *, most_body: int, over: asyncio.Event,
    tell: Callable[[int], None],
) -> None:  # fmt: skip
    """Until `over` is set; `tell` is called with the number of web processes now and then. Raises OSError: what has been
    written until then can be read."""
    async with listening(run, recorder, most_body, over) as lines:
        while not over.is_set():
            recorder.write(min(lines.all_before, _stored(recorder, stored)))
            writer.flush()
            tell(lines.processes)
            with suppress(TimeoutError):
                async with asyncio.timeout(0 if stored.more else LOOK):
                    await over.wait()
        until = monotonic_ns()
        latest = asyncio.get_running_loop().time() + LAST_WORDS
        while lines.trouble is None and asyncio.get_running_loop().time() < latest:
            far = min(lines.all_before, _stored(recorder, stored))
            recorder.write(min(far, until))
            if far >= until:
                break
            await asyncio.sleep(0 if stored.more else LOOK / 5)
        if lines.trouble:
            raise lines.trouble
        recorder.write(until)
    while stored.pass_over(until):  # noqa: ASYNC110 - this is no waiting: others have their turn between
        await asyncio.sleep(0)
    recorder.dropped.update({reason: count for reason, count in stored.passed_over.items() if count})


def _stored(recorder: Recorder, stored: StoredAnswers) -> int:
    found, all_before = stored.read(monotonic_ns())
    for exchange in found:
        recorder.take(exchange)
    return all_before
