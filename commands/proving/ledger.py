"""What the processes of a history know of each other's writes: memory that they share, one version of a key after another.

A write enters its version here while it holds the row's lock, before COMMIT; so what can be read has been entered. It notes its
end when it has returned. A version that was rolled back is entered again by the next write; and a write that has lost its lock
without knowing (its connection was killed while it stood still) enters a version that is another's by now. So what is entered is
kept by nonce, and a version knows all who entered it. All times are CLOCK_MONOTONIC in ns: the processes are on one host.
"""

import mmap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

KEYS: Final = 20  # of notes; they are numbered from 1
POLLS: Final = 3  # whose results have the keys that follow
ALL_KEYS: Final = KEYS + POLLS
PROCESSES: Final = 4
VERSIONS: Final = 1 << 20  # of a key; the file has holes, so it takes only what is used
NONCES: Final = 1 << 22  # of a process
NAMES: Final = 30  # unique values, more than rows
SHELVES: Final = 4
COUNTERS: Final = 64
# What a process counts, by place.
COUNTED: Final = (
    "L1", "L2", "MySQL", "lists", "returned", "rolled back", "unknown", "refused", "failed reads", "cut short", "violations",
    "stale L1", "stale L2", "stale MySQL", "loads", "deaths", "dawdled", "pages", "failed though well", "results", "votes",
)  # fmt: skip

# One write of one key, by its nonce: which version of which key, what was written, when it was entered, who entered it before.
WHAT, META, BEGAN, BEFORE, WIDTH = 0, 1, 2, 3, 4
# One version: the last who entered it, when its write had returned (0: not yet, or never), and whose write that was.
LAST, ENDED, ENDER = 0, 1, 2
# META: bit 0 there is a row; bit 1 the cache confirmed `begin`; bit 2 of a critical table; bits 8-31 the number of its name;
# bits 32-63 its shelf. Of a poll's result: how many have voted, and a sum over the votes of each choice.
THERE, BEGUN, CRITICAL = 1, 2, 4

# The first words say until when a process may find MySQL unwell (ns), because of a fault.
_NEWEST = 16  # newest version whose write has returned: a column per process, so that each cell has one writer
_CEILING = _NEWEST + PROCESSES * (ALL_KEYS + 1)  # newest version that was entered
_COUNTS = _CEILING + ALL_KEYS + 1
_NEXT = _COUNTS + PROCESSES * COUNTERS  # a process' next nonce
_ORDERS = _NEXT + PROCESSES  # at which step a process shall die
_SLOTS = _ORDERS + PROCESSES
_WRITES = _SLOTS + ALL_KEYS * VERSIONS * WIDTH
_WORDS = _WRITES + PROCESSES * NONCES * WIDTH
_BYTES = _WORDS * 8 + PROCESSES * NONCES

now = time.monotonic_ns


class Full(Exception):
    """A history of this length does not fit; begin another."""


class Ledger:
    """The memory, seen from process `me` (the conductor is none: -1)."""

    def __init__(self, path: Path, me: int = -1) -> None:
        self.me = me
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _BYTES)
        whole = memoryview(self._map)
        self.words = whole[: _WORDS * 8].cast("Q")
        self.rolled = whole[_WORDS * 8 :]
        self.columns = [
            self.words[_NEWEST + one * (ALL_KEYS + 1) : _NEWEST + (one + 1) * (ALL_KEYS + 1)]
            for one in range(PROCESSES)
        ]
        self.ceiling = self.words[_CEILING : _CEILING + ALL_KEYS + 1]
        self.orders = self.words[_ORDERS : _ORDERS + PROCESSES]

    @staticmethod
    def make(path: Path) -> None:
        """A new one, in which every key is absent at version 0."""
        with path.open("wb") as file:
            file.truncate(_BYTES)

    def trouble(self, process: int, seconds: float) -> None:
        """MySQL may fail this process for so long."""
        self.words[process] = max(self.words[process], now() + int(seconds * 1e9))

    def troubled(self, since: int) -> bool:
        """Whether MySQL may have failed this process since then."""
        return self.words[self.me] >= since

    def count(self, name: str, more: int = 1) -> None:
        """For what is counted seldom; of this process."""
        self.words[_COUNTS + self.me * COUNTERS + COUNTED.index(name)] += more

    def at_most_seen(self, name: str, value: int) -> None:
        """Keep the largest."""
        cell = _COUNTS + self.me * COUNTERS + COUNTED.index(name)
        self.words[cell] = max(self.words[cell], value)

    def counts(self, process: int) -> dict[str, int]:
        start = _COUNTS + process * COUNTERS
        return dict(zip(COUNTED, self.words[start : start + len(COUNTED)], strict=True))

    def total(self, name: str) -> int:
        """Of all processes; the longest where times are kept."""
        values = [self.words[_COUNTS + one * COUNTERS + COUNTED.index(name)] for one in range(PROCESSES)]
        return max(values) if name.startswith("stale") else sum(values)

    @staticmethod
    def at(key: int, version: int) -> int:
        """Where in `words` a version is."""
        return _SLOTS + ((key - 1) * VERSIONS + version) * WIDTH

    @staticmethod
    def of(nonce: int) -> int:
        """Where in `words` a write is. Any number is taken for a nonce."""
        return _WRITES + ((nonce & 7) % PROCESSES * NONCES + (nonce >> 3) % NONCES) * WIDTH

    def wrote(self, key: int, version: int) -> Iterator[int]:
        """The META of each write that may have made this version: one, but for those that were undone or had lost their lock."""
        words = self.words
        nonce = words[self.at(key, version) + LAST]
        if not nonce:
            yield 0  # version 0, at which every key is absent
        while nonce:
            place = self.of(nonce)
            if not self.was_rolled_back(nonce):
                yield words[place + META]
            nonce = words[place + BEFORE]

    def newest(self, key: int) -> int:
        """The newest version whose write has returned."""
        a, b, c, d = self.columns
        return max(a[key], b[key], c[key], d[key])

    def nonce(self) -> int:
        """A number that no other write has: it tells its process too."""
        cell = _NEXT + self.me
        count = self.words[cell] + 1
        self.words[cell] = count
        if count >= NONCES:
            raise Full
        return count << 3 | self.me

    def enter(self, key: int, version: int, nonce: int, meta: int) -> None:
        """Under the row's lock, before COMMIT."""
        if version >= VERSIONS:
            raise Full
        words, place, slot = self.words, self.of(nonce), self.at(key, version)
        words[place + WHAT] = key << 32 | version
        words[place + META] = meta
        words[place + BEGAN] = now()
        words[place + BEFORE] = words[slot + LAST]
        words[slot + LAST] = nonce
        self.ceiling[key] = max(version, self.ceiling[key])

    def confirm(self, nonce: int) -> None:
        """The cache has confirmed `begin`."""
        self.words[self.of(nonce) + META] |= BEGUN

    def end(self, key: int, version: int, nonce: int, when: int) -> None:
        """The write has returned at `when`, or will count as if it had: see `Writer`."""
        slot = self.at(key, version)
        self.words[slot + ENDER] = nonce
        self.words[slot + ENDED] = when

    def raise_floor(self, key: int, version: int) -> None:
        """From now on no read may be older."""
        column = self.columns[self.me]
        column[key] = max(version, column[key])

    def roll_back(self, nonce: int) -> None:
        """This write was rolled back for certain: nobody may ever see it."""
        self.rolled[(nonce & 7) * NONCES + (nonce >> 3)] = 1

    def was_rolled_back(self, nonce: int) -> bool:
        return bool(self.rolled[(nonce & 7) % PROCESSES * NONCES + (nonce >> 3) % NONCES])

    def close(self) -> None:
        for view in (*self.columns, self.ceiling, self.orders, self.words, self.rolled):
            view.release()
        # The map itself goes with the process: other views of it may live on.


def meta(name: int, shelf: int) -> int:
    """Of a row with this name and on this shelf; 0 is the meta of an absent row."""
    return THERE | name << 8 | shelf << 32
