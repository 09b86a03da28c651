"""Record files are written line by line as they come, so that what was written before a kill or a full disk can be read.

One that takes the place of another is written beside it, as `F~`, and renamed at its end: until then the other one is whole.
"""

import hashlib
import json
import os
import stat
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from replay.records import Footer, Header, Request, line_of, unfit

PIECE: Final = 1 << 16  # bytes of lines that are compressed at a time
LEVEL: Final = 1  # who records has the machine of the site, and its patience
_GZIP: Final = 31  # window bits of zlib that mean: with gzip's head and end
_NONE: Final[Mapping[str, int]] = MappingProxyType({})


class Unfit(ValueError):
    """A request that could not be sent again. Nothing of it was written."""


class Occupied(FileExistsError):
    """Something is there whose place is not taken; the text says it in a line."""


class Writer:
    """One file, from its header on. `size` is bytes on disk; `kept` requests can be read from it. Any OSError leaves a file that
    was cut off, and so does a Writer that is not finished: all that was flushed can be read. `at`: where it is written, which is
    not `path` while it is to take the place of another file."""

    def __init__(self, path: Path, header: Header, *, force: bool = False) -> None:
        """`force`: in the place of a file that is there. Raises Occupied, OSError; then what is there is as it was."""
        self.path, self.at = path, _place(path, force)
        self._file = os.open(self.at, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._zip = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
        self._hash = hashlib.sha256()
        self._lines = bytearray()
        self._statuses: Counter[str] = Counter()
        self._last = 0
        self.size = self.requests = self.kept = 0
        try:
            self._line(json.dumps(header.as_json()))
            self.flush()
        except OSError:
            self.close()
            self.at.unlink(missing_ok=True)
            raise

    def add(self, request: Request) -> None:
        """Raises Unfit when it cannot be sent again, ValueError when it came before the one that was written last; OSError."""
        if request.t_us < self._last:
            raise ValueError(
                f"request {request.i} came {self._last - request.t_us} us before the one that stands before it"
            )
        if wrong := unfit(request):
            raise Unfit(wrong)
        self._line(line_of(request))
        self._last = request.t_us
        self.requests += 1
        self._statuses[str(request.answer.status)] += 1

    def flush(self) -> None:
        """What has been added can be read from the file from here on. Once a second is often enough: it costs some size."""
        self._compress()
        self._put(self._zip.flush(zlib.Z_SYNC_FLUSH))
        self.kept = self.requests

    def finish(self, dropped: Mapping[str, int] = _NONE) -> Footer:
        """The footer, without which the file counts as cut off. Raises OSError."""
        self._compress()
        statuses = dict(sorted(self._statuses.items()))
        footer = Footer(self.requests, statuses, dict(dropped), self._hash.hexdigest())
        self._line(json.dumps(footer.as_json()))
        self._compress()
        self._put(self._zip.flush(zlib.Z_FINISH))
        os.fsync(self._file)
        self._let_go()
        self.at.replace(self.path)
        return footer

    @property
    def closed(self) -> bool:
        return self._file < 0

    def close(self, *, keep: bool = True) -> None:
        """Let go of the file as it is. Where it was to take the place of another it does so now, if it is to be kept and anything
        can be read from it; else it goes, and the other one stands as it was. Raises OSError."""
        if self.closed:
            return
        self._let_go()
        if self.at != self.path:
            if keep and self.kept:
                self.at.replace(self.path)
            else:
                self.at.unlink(missing_ok=True)

    def _let_go(self) -> None:
        os.close(self._file)
        self._file = -1

    def _line(self, line: str) -> None:
        self._lines += line.encode() + b"\n"
        if len(self._lines) >= PIECE:
            self._compress()

    def _compress(self) -> None:
        piece = bytes(self._lines)
        self._lines.clear()
        self._hash.update(piece)
        self._put(self._zip.compress(piece))

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:  # a disk that fills up takes a part, and refuses the rest
            taken = os.write(self._file, rest)
            self.size += taken
            rest = rest[taken:]


def occupied(path: Path, *, force: bool) -> str:
    """Why no file may be put at this path; "" where one may. `force`: in the place of another. Raises OSError."""
    try:
        there = path.lstat()
    except FileNotFoundError:
        return ""
    if not stat.S_ISREG(there.st_mode):
        return f"{path} is no regular file, and nothing is put in its place"
    return "" if force else f"{path} is there already; --force puts the new one in its place"


def _place(path: Path, force: bool) -> Path:
    """Where to write what shall stand at this path. Raises Occupied, OSError."""
    if why := occupied(path, force=force):
        raise Occupied(why)
    if not path.exists():
        return path
    beside = path.with_name(f"{path.name}~")
    if os.path.lexists(beside):
        raise Occupied(f"{beside} is there: it was left by a recorder that was killed, or one is at work; move it away")
    return beside


@contextmanager
def writing(path: Path, header: Header, *, force: bool = False) -> Iterator[Writer]:
    """A Writer that is finished at the end. One that is left by an exception leaves a file that was cut off, but not in the place
    of another. Who has something to say of what was dropped finishes it before. Raises Occupied, OSError."""
    writer = Writer(path, header, force=force)
    try:
        yield writer
        if not writer.closed:
            writer.finish()
    finally:
        writer.close(keep=False)
