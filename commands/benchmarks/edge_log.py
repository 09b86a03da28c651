"""Nginx's access log, read from where one was: every answer stands in it, with how the store had it."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from commands.console import Trouble

FLUSHED = 1.2  # s after which Nginx has written what it has in hand
PATIENCE = 15.0  # s
CHUNK = 1 << 22  # bytes


class AccessLog:
    """It begins where the log ends now. When the log is moved aside meanwhile, its rest is read, and what came after it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        time.sleep(FLUSHED)
        self._inode, self._offset = path.stat().st_ino, path.stat().st_size

    def read(self, path: str, least: int) -> Counter[str]:
        """Nginx's words for what was answered at `path` by TCP since the last call: `least` or more. Raises Trouble."""
        until, found = time.monotonic() + PATIENCE, Counter[str]()
        while True:
            time.sleep(FLUSHED)
            for chunk in self._chunks():
                found.update(_counted(chunk, path.encode()))
            if found.total() >= least:
                return found
            if time.monotonic() > until:
                raise Trouble(f"the access log has {found.total():,} answers of {path}; {least:,} were given")

    def _chunks(self) -> Iterator[bytes]:
        """Whole lines, as many as fit."""
        for path in self._files():
            with path.open("rb") as file:
                if path.stat().st_ino != self._inode:
                    self._inode, self._offset = path.stat().st_ino, 0
                file.seek(self._offset)
                while chunk := file.read(CHUNK):
                    chunk = chunk[: chunk.rfind(b"\n") + 1]
                    if not chunk:
                        break
                    self._offset += len(chunk)
                    file.seek(self._offset)
                    yield chunk

    def _files(self) -> list[Path]:
        """The file that was read last, and those that are newer."""
        newest = [self._path, *(self._path.with_name(f"{self._path.name}.{number}") for number in range(1, 6))]
        there = [path for path in newest if path.exists()]
        for number, path in enumerate(there):
            if path.stat().st_ino == self._inode:
                return there[number::-1]
        raise Trouble("the access log was moved aside too often")


def _counted(chunk: bytes, path: bytes) -> Counter[str]:
    line = rb'"address":"(?!unix:)[^"]*","method":"GET","path":"%b",[^\n]*"cache":"(\w*)"' % re.escape(path)
    return Counter(word.decode() for word in re.findall(line, chunk))
