"""What Nginx answered by itself, from its store or from the disk: no web process hears of it, but the access log does."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from replay.exchanges import Exchange

PIECE: Final = 1 << 18  # bytes at a look
MOST_BEHIND: Final = 1 << 26  # bytes of the log that may wait to be written down
TOO_FAST: Final = "answered by Nginx faster than could be written down"
FLUSHED: Final = 2_500_000_000  # ns after which Nginx has written what it has in hand (`flush=1s`), and we have read it
_FROM_STORE: Final = frozenset({"HIT", "STALE", "UPDATING"})


class StoredAnswers:
    """What is written to the log from now on. It may be moved away and made anew, or not be there. `more`: the last look did not
    reach its end. `passed_over` counts by reason what was not taken."""

    def __init__(self, path: Path, started_ns: int, monotonic_ns: int) -> None:
        self._path, self._offset = path, started_ns - monotonic_ns
        self._rest = b""
        self._far = monotonic_ns - FLUSHED
        self.more = False
        self.passed_over = Counter[str]()
        self._file: IO[bytes] | None = self._opened()
        if self._file:
            self._file.seek(0, os.SEEK_END)

    def read(self, now: int) -> tuple[list[Exchange], int]:
        """What has been written since, as much as fits; and before which moment of the monotonic clock nothing more will come.
        Where too much waits, what fits is counted and no more, which is faster than writing it down."""
        found = self._looked_at()
        if not self.more:
            self._far = now - FLUSHED
        elif found:  # there is more, of which nothing is known yet
            self._far = found[-1].ended - FLUSHED
        if self._file and os.fstat(self._file.fileno()).st_size - self._file.tell() > MOST_BEHIND:
            self.passed_over[TOO_FAST] += len(found)
            found = []
        return found, self._far

    def pass_over(self, until: int) -> bool:
        """Count what fits of what began before this moment, in the place of reading it. Whether there may be more."""
        found = self._looked_at()
        self.passed_over[TOO_FAST] += sum(exchange.began < until for exchange in found)
        return self.more and not (found and found[-1].ended > until + FLUSHED)

    def _looked_at(self) -> list[Exchange]:
        if self._file is None:
            self._file = self._opened()
        data = self._file.read(PIECE) if self._file else b""
        self.more = len(data) == PIECE
        if self._file and not self.more and self._moved():
            self._file.close()
            self._file = None  # the new one at the next look, which is at once
            self.more = True
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        return list(self._exchanges(lines))

    def close(self) -> None:
        if self._file:
            self._file.close()

    def _opened(self) -> IO[bytes] | None:
        try:
            return self._path.open("rb")
        except OSError:
            return None

    def _moved(self) -> bool:
        assert self._file is not None
        try:
            return self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino
        except OSError:
            return True

    def _exchanges(self, lines: list[bytes]) -> Iterator[Exchange]:
        for line in lines:
            try:
                told = json.loads(line)
                if told["upstream"] not in ("", "-") and told["cache"] not in _FROM_STORE:
                    continue
                if told["method"] in ("GET", "HEAD"):
                    yield self._exchange(told)
                elif told["method"]:  # its body is known to nobody; without a method it was no request
                    self.passed_over["refused by Nginx"] += 1
            except (ValueError, KeyError, TypeError, OverflowError):
                self.passed_over["a line of the log that is none"] += 1

    def _exchange(self, told: dict[str, str | float]) -> Exchange:
        ended = int(float(told["ended"]) * 1e9) - self._offset
        began = ended - int(float(told["seconds"]) * 1e9)
        lang, gzip, _ = str(told["variant"]).partition("-gzip")
        asked = [
            ("user-agent", str(told["agent"])), ("referer", str(told["referrer"])), ("accept-language", lang),
            ("accept-encoding", gzip.removeprefix("-")),
        ]  # fmt: skip
        return Exchange(
            began, began, ended, str(told["address"]), str(told["method"]), str(told["path"]),
            [(name, value) for name, value in asked if value not in ("", "-")], b"", 0,
            [int(told["status"]), [("X-Cache", str(told["cache"]))]], int(told["bytes"]), b"",
        )  # fmt: skip
