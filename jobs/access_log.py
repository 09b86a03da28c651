"""Which pages are read, by the access log of our Nginx."""

import json
import os
from collections import Counter
from pathlib import Path

MOST_READ = 1 << 18  # bytes at a look; of more the newest are read
_SEEN = frozenset({"HIT", "MISS", "EXPIRED", "STALE", "REVALIDATED"})  # not BYPASS: our own requests


class AccessLog:
    """What has been written to it since the last look. It may be moved away, cut off, or not be there."""

    def __init__(self, path: Path) -> None:
        self._path, self._at, self._which = path, 0, 0

    def read(self) -> Counter[str]:
        """How often each page was asked for, by their keys. It waits for the disk: it is for threads."""
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_ino != self._which or status.st_size < self._at:
                    self._which, self._at = status.st_ino, 0
                begin = max(self._at, status.st_size - MOST_READ)
                file.seek(begin)
                data = file.read(MOST_READ)
        except OSError:
            return Counter()
        whole = data.rfind(b"\n") + 1  # the last line may be half written
        self._at = begin + whole
        return Counter(key for line in data[:whole].splitlines() if (key := _key(line)))


def _key(line: bytes) -> str | None:
    """None for what does not come from the store, and for half a line."""
    try:
        said = json.loads(line)
        return f"{said['variant']} {said['path']}" if said["cache"] in _SEEN else None
    except (ValueError, KeyError, TypeError):
        return None
