"""Record files are written line by line as they come, so that what was written before a kill or a full disk can be read."""

import hashlib
import json
import os
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


class Writer:
    """One file, from its header on. `size` is bytes on disk. Any OSError leaves a file that was cut off, and so does
    a Writer that is not finished: all that was flushed can be read."""

    def __init__(self, path: Path, header: Header, *, force: bool = False) -> None:
        """Raises FileExistsError, unless by `force` what is there goes first; OSError."""
        if force:
            path.unlink(missing_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._zip = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
        self._hash = hashlib.sha256()
        self._lines = bytearray()
        self._statuses: Counter[str] = Counter()
        self._last = 0
        self.path, self.size, self.requests = path, 0, 0
        try:
            self._line(json.dumps(header.as_json()))
            self.flush()
        except OSError:
            self.close()
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

    def finish(self, dropped: Mapping[str, int] = _NONE) -> Footer:
        """The footer, without which the file counts as cut off. Raises OSError."""
        self._compress()
        statuses = dict(sorted(self._statuses.items()))
        footer = Footer(self.requests, statuses, dict(dropped), self._hash.hexdigest())
        self._line(json.dumps(footer.as_json()))
        self._compress()
        self._put(self._zip.flush(zlib.Z_FINISH))
        os.fsync(self._file)
        self.close()
        return footer

    @property
    def closed(self) -> bool:
        return self._file < 0

    def close(self) -> None:
        """Let go of the file as it is."""
        if not self.closed:
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


@contextmanager
def writing(path: Path, header: Header, *, force: bool = False) -> Iterator[Writer]:
    """A Writer that is finished at the end; one that is left by an exception leaves a file that was cut off. Who has something to
    say of what was dropped finishes it before. Raises FileExistsError, OSError."""
    writer = Writer(path, header, force=force)
    try:
        yield writer
        if not writer.closed:
            writer.finish()
    finally:
        writer.close()
