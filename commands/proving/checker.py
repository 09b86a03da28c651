"""The judge of a history: no answer is older than the newest write that had returned before the question, and none is invented.

Versions rise under the row's lock, so each answer is judged by itself, against the ledger, by looking at a few numbers. "Absent"
is a version like any other. A process that answers from its own memory (L1) may be `lag` behind; then the ends of the writes
decide, which the ledger has. The rules, and the exceptions that the protocol states, are in docs/decisions/074.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from commands.proving.ledger import BEGUN, ENDED, ENDER, KEYS, META, THERE, VERSIONS, WHAT, Ledger, now
from commands.proving.notes import Note

LAG = 300_000_000  # ns; what a process' own memory may be behind (G2)
L1, L2, MYSQL = 0, 1, 2
LEVELS = ("L1", "L2", "MySQL")
Tell = Callable[["Violation"], None]


@dataclass(frozen=True, slots=True)
class Violation:
    """An answer that nobody may get. Times in ns of CLOCK_MONOTONIC."""

    kind: str
    key: int
    process: int
    level: str
    asked: int
    answered: int
    question: str
    said: str  # what was answered
    least: int  # the oldest version that would have been right
    missed: int  # the version that should have been seen


class Question:
    """What was true when it was asked: the clock, and for each key the version that nothing may be older than."""

    __slots__ = ("asked", "floors", "text")

    def __init__(self, text: str, asked: int, floors: dict[int, int]) -> None:
        self.text, self.asked, self.floors = text, asked, floors


class Checker:
    """One process's judge. `lag` (ns) is 0 where L1 is off."""

    def __init__(self, ledger: Ledger, lag: int, tell: Tell) -> None:
        self._ledger, self._lag, self._tell = ledger, lag, tell
        self._words, self._me = ledger.words, ledger.me
        self.level = L2  # of the answer that is being judged
        self.staleness = [0, 0, 0]  # ns, the longest of each level
        self._seen = [0] * (KEYS + 1)  # newest version in an answer that this process has had
        self._seen_log: list[deque[tuple[int, int]]] = [deque(maxlen=64) for _ in range(KEYS + 1)]  # (version, when)
        self.recent: list[deque[tuple[int, int, int, str]]] = [deque(maxlen=200) for _ in range(KEYS + 1)]

    def ask(self, text: str, keys: Iterable[int]) -> Question:
        """Just before the question is put."""
        a, b, c, d = self._ledger.columns
        seen = self._seen
        floors = {key: max(a[key], b[key], c[key], d[key], seen[key]) for key in keys}
        return Question(text, now(), floors)

    def row(self, question: Question, key: int, note: Note | None) -> None:
        """A row, or that there is none."""
        if note is None:
            self._some_version(question, key, lambda shown: not shown & THERE, "absent")
            return
        version, words, place = note.version, self._words, self._ledger.of(note.nonce)
        shown = words[place + META]
        if self._ledger.was_rolled_back(note.nonce):
            self._guilty("rolled back", question, key, said(note))
        elif note.id != key or words[place + WHAT] != key << 32 | version or not shown & THERE:
            self._guilty("phantom", question, key, said(note))
        elif (shown >> 32, shown >> 8 & 0xFFFFFF) != (note.shelf, note.name):
            self._guilty("mixed", question, key, said(note))
        else:
            self._version(question, key, version, lambda: said(note))
            if version > self._seen[key]:
                if note.text != text_of(note.nonce):
                    self._guilty("mixed", question, key, said(note))
                if shown & BEGUN:  # else G3: readers whose Redis works do not know of this write yet
                    self._saw(key, version)

    def census(self, question: Question, answer: dict[int, int]) -> None:
        """Every row's version, from a list."""
        for key in range(1, KEYS + 1):
            if (version := answer.get(key)) is None:
                self._some_version(question, key, lambda shown: not shown & THERE, "absent from the census")
            elif version >= VERSIONS or not any(shown & THERE for shown in self._ledger.wrote(key, version)):
                self._guilty("phantom", question, key, f"version {version} in the census")
            else:
                self._version(question, key, version, lambda version=version: f"version {version} in the census")  # type: ignore[misc]

    def members(self, question: Question, shelf: int, ids: set[int]) -> None:
        """Who is on a shelf, and who is not."""
        for key in range(1, KEYS + 1):
            there = key in ids
            what = f"{'on' if there else 'not on'} shelf {shelf}"
            self._some_version(question, key, lambda shown, there=there: (shown >> 32 == shelf) is there, what)  # type: ignore[misc]

    def nobody_named(self, question: Question, name: int) -> None:
        """No row has this name."""
        for key in range(1, KEYS + 1):
            self._some_version(question, key, lambda shown: shown >> 8 & 0xFFFFFF != name, f"nobody is named {name}")

    def named(self, question: Question, name: int, note: Note) -> None:
        """A row that must have this name, and is a row like any other."""
        if note.name != name:
            self._guilty("not its name", question, note.id, f"{said(note)} for the name {name}")
        self.row(question, note.id, note)

    def _version(self, question: Question, key: int, version: int, what: Callable[[], str]) -> None:
        self.recent[key].append((question.asked, now(), version, question.text))
        if version >= question.floors[key]:
            return
        late, why, missed = self._late(question, key, version)
        if late > self.staleness[self.level]:
            self.staleness[self.level] = late
        if why:
            self._guilty(why, question, key, what(), missed)

    def _late(self, question: Question, key: int, version: int) -> tuple[int, str, int]:
        """How old an answer is that shows this version (ns since a newer write had returned), what is wrong with that, and which
        version should have been seen."""
        late, why, missed, asked = 0, "", 0, question.asked
        for newer in range(version + 1, question.floors[key] + 1):
            place = self._ledger.at(key, newer)
            ended = self._words[place + ENDED]
            if not 0 < ended <= asked:
                continue
            late = max(late, asked - ended)
            mine = self._words[place + ENDER] & 7 == self._me
            if asked - ended > (0 if mine else self._lag):
                why, missed = "own write not seen" if mine and asked - ended <= self._lag else "too old", newer
        if not why:
            seen = [newer for newer, when in self._seen_log[key] if newer > version and when <= asked - self._lag]
            if seen:
                why, missed = "went back", seen[0]
        return late, why, missed

    def _some_version(self, question: Question, key: int, fits: Callable[[int], bool], what: str) -> None:
        """The answer shows no number; some version that may be shown must fit it."""
        wrote, floor = self._ledger.wrote, question.floors[key]
        for version in range(floor, max(floor, self._ledger.ceiling[key]) + 1):
            if any(map(fits, wrote(key, version))):
                self.recent[key].append((question.asked, now(), version, what))
                return
        late, why, missed = 0, "too old", floor
        for version in range(floor - 1, -1, -1):
            late, why, missed = self._late(question, key, version)
            if why or any(map(fits, wrote(key, version))):
                break
        self.staleness[self.level] = max(self.staleness[self.level], late)
        if why:
            self._guilty(why, question, key, what, missed)

    def _saw(self, key: int, version: int) -> None:
        self._seen[key] = version
        self._seen_log[key].append((version, now()))

    def _guilty(self, kind: str, question: Question, key: int, what: str, missed: int = 0) -> None:
        level, least = LEVELS[self.level], question.floors.get(key, 0)
        self._tell(Violation(kind, key, self._me, level, question.asked, now(), question.text, what, least, missed))


def said(note: Note) -> str:
    """A row in one line."""
    return f"note {note.id} version {note.version} nonce {note.nonce} name {note.name} shelf {note.shelf}"


def text_of(nonce: int) -> str:
    """What a write writes: from nothing to some 2 KiB, so that some records are compressed."""
    return f"{nonce} " * (nonce // 8 % 300)
