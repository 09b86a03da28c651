"""The processes of this host ask each web process what it keeps by itself, at a socket in `run` that only its own user may open.

One question and one answer a connection, in msgpack with their lengths before them. Nothing here waits for longer than PATIENCE.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgpack

log = logging.getLogger("plaza.neighbours")

PATIENCE = 1.0  # s for one question and its answer
LONGEST_QUESTION, LONGEST_ANSWER = 1 << 18, 1 << 25  # B
AT_ONCE = 4  # questions that a process answers at a time; more are turned away
_SUFFIX = ".ask"

Question = tuple[Any, ...]  # its kind, and what it is about
Answer = Callable[[Question], Awaitable[Any]]


@asynccontextmanager
async def listening(run: Path, process: str, answer: Answer) -> AsyncIterator[None]:
    """Answer what the others ask, under the name of this process, as long as the block lasts."""
    path = run / f"{process}{_SUFFIX}"
    door, busy = _door(path), 0

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal busy
        busy += 1
        try:
            async with asyncio.timeout(PATIENCE):
                if busy <= AT_ONCE:
                    await _write(writer, await answer(await _read(reader, LONGEST_QUESTION)))
        except (TimeoutError, OSError, ValueError, EOFError, asyncio.IncompleteReadError) as error:
            log.info("a question was not answered: %r", error)
        except Exception:
            log.exception("a mistake in an answer")
        finally:
            busy -= 1
            writer.close()

    server = await asyncio.start_unix_server(met, sock=door)
    inode = path.stat().st_ino
    try:
        yield
    finally:
        server.close()
        if path.exists() and path.stat().st_ino == inode:  # else it is that of a process which has taken over
            path.unlink()


def _door(path: Path) -> socket.socket:
    """A socket under a temporary name, renamed when it listens: nobody comes in before the rights to the file are set."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = path.with_name(f"{path.name}~")
    mine.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.setblocking(False)
    door.bind(str(mine))
    mine.chmod(0o600)
    door.listen(AT_ONCE)
    mine.replace(path)
    return door


async def ask_all(run: Path, question: Question) -> dict[str, Any]:
    """What each process that listens answers, by its name; None for one that is there and did not answer in time."""
    paths = sorted(run.glob(f"*{_SUFFIX}"))
    answers = await asyncio.gather(*(_ask(path, question) for path in paths))
    return {path.stem: answer for path, answer in zip(paths, answers, strict=True) if answer is not _GONE}


_GONE: Any = object()


async def _ask(path: Path, question: Question) -> Any:
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                await _write(writer, question)
                return await _read(reader, LONGEST_ANSWER)
            finally:
                writer.close()
    except (ConnectionRefusedError, FileNotFoundError):
        return _GONE  # killed, or ended just now
    except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError) as error:
        log.warning("%s did not answer: %r", path.stem, error)
        return None


async def _read(reader: asyncio.StreamReader, longest: int) -> Any:
    length = int.from_bytes(await reader.readexactly(4), "big")
    if length > longest:
        raise ValueError(f"{length} bytes at once")
    return msgpack.unpackb(await reader.readexactly(length), use_list=False, strict_map_key=False)


async def _write(writer: asyncio.StreamWriter, told: Any) -> None:
    packed = msgpack.packb(told)
    writer.write(len(packed).to_bytes(4, "big") + packed)
    await writer.drain()
