"""Record files are read line by line; what is wrong with one is said in a line, with the number of the line."""

import hashlib
import json
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, fields
from gzip import BadGzipFile, GzipFile
from pathlib import Path
from typing import Any, Final

from replay.records import FORMAT, Footer, Header, Request, request_of, unfit

LONGEST: Final = 1 << 26  # bytes of a line: a body is some megabytes at most


class NoRecord(Exception):
    """The file is no record file, or a damaged one; the text is one line that begins with its path."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole file. `cut`: the end is missing, as after a kill or on a full disk. What there is is whole; whoever uses it says
    that there was more."""

    header: Header
    requests: list[Request]
    footer: Footer | None
    cut: bool


class Reader:
    """A file, request by request, for as many as do not fit in memory: iterate once; then `footer` and `cut` are known."""

    def __init__(self, path: Path) -> None:
        """Raises NoRecord, OSError."""
        self.path, self.footer, self.cut = path, None, False
        self._number = 0
        self._hash = hashlib.sha256()
        self._sessions: dict[str, int] = {}
        self._numbers, self._owners = array("q"), array("q")  # of each request: its own, its session's
        self._file = GzipFile(path)
        try:
            self.header = self._header()
        except BaseException:
            self._file.close()
            raise

    footer: Footer | None

    def __iter__(self) -> Iterator[Request]:
        """Raises NoRecord at the line that is wrong, OSError."""
        with self._file:
            last, came = -1, 0
            while (line := self._line()) is not None:
                told = self._object(line)
                if "footer" in told:
                    self._end(told)
                    return
                self._hash.update(line)
                request = self._request(told)
                if request.t_us < came or request.i <= last:
                    raise self.wrong("it is out of order: it came before the line above it")
                if not self._follows(request):
                    raise self.wrong("it comes of a request that is not before it in its session")
                last, came = request.i, request.t_us
                yield request
            self.cut = True

    def _follows(self, request: Request) -> bool:
        """Whether what it comes of stands before it, in the same session."""
        session = self._sessions.setdefault(request.session, len(self._sessions))
        at = bisect_left(self._numbers, -1 if request.after is None else request.after)
        known = at < len(self._numbers) and self._numbers[at] == request.after and self._owners[at] == session
        self._numbers.append(request.i)
        self._owners.append(session)
        return known or request.after is None

    def wrong(self, what: str) -> NoRecord:
        return NoRecord(f"{self.path}:{self._number}: {what}")

    def _header(self) -> Header:
        line = self._line()
        if line is None:
            raise NoRecord(f"{self.path} holds no record: it ends before its first line")
        told = self._object(line)
        if (format := told.pop("format", None)) != FORMAT:
            said = f"its format is {format}" if format else "it does not say its format"
            raise self.wrong(f"{said}; this Plaza reads {FORMAT}")
        self._hash.update(line)
        known = {field.name for field in fields(Header)}
        try:
            header = Header(**{name: value for name, value in told.items() if name in known})
        except TypeError:
            raise self.wrong("it is no header of a record") from None
        if not isinstance(header.started_ns, int) or not isinstance(header.base_url, str):
            raise self.wrong("it is no header of a record")
        return header

    def _line(self) -> bytes | None:
        """None at the end, and where the file was cut off: of half a line nothing is known."""
        self._number += 1
        try:
            line = self._file.readline(LONGEST)
        except EOFError:
            return None
        except BadGzipFile as error:
            if self._number == 1:
                raise NoRecord(f"{self.path} is no record file: it is not gzip") from None
            raise self.wrong(f"the file is damaged ({error})") from None
        except zlib.error as error:
            raise self.wrong(f"the file is damaged ({error})") from None
        if len(line) >= LONGEST:
            raise self.wrong(f"it is longer than {LONGEST >> 20} MiB")
        return line if line.endswith(b"\n") else None

    def _object(self, line: bytes) -> dict[str, Any]:
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            raise self.wrong("it is not JSON") from None
        if not isinstance(told, dict):
            raise self.wrong("it is no JSON object")
        return told

    def _request(self, told: dict[str, Any]) -> Request:
        try:
            request = request_of(told)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise self.wrong(f"it is no request ({type(error).__name__}: {error})") from None
        if wrong := unfit(request):
            raise self.wrong(wrong)
        return request

    def _end(self, told: dict[str, Any]) -> None:
        try:
            self.footer = Footer(told["requests"], dict(told["statuses"]), dict(told["dropped"]), str(told["sha256"]))
        except (KeyError, TypeError, ValueError):
            raise self.wrong("it is no footer of a record") from None
        if self.footer.sha256 != self._hash.hexdigest():
            raise self.wrong("its lines are not those that were written: the SHA-256 of the footer is another")
        if self._line() is not None:
            raise self.wrong("something stands behind the footer")


def requests(path: Path) -> Iterator[Request]:
    """One after the other; who wants to know whether the file was cut off takes a Reader. Raises NoRecord, OSError."""
    yield from Reader(path)


def read(path: Path) -> Recording:
    """All of it, in memory: about a kilobyte for each request. Raises NoRecord, OSError."""
    reader = Reader(path)
    found = list(reader)
    return Recording(reader.header, found, reader.footer, reader.cut)
