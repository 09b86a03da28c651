"""The judge of a history: no answer is older than the newest write that had returned before the question, and none is invented.

Versions rise under the row's lock, so each answer is judged by itself, against the ledger, by looking at a few numbers. "Absent"
is a version like any other. A process that answers from its own memory (L1) may be `lag` behind; then the ends of the writes
decide, which the ledger has. The rules, and the exceptions that the protocol states, are in docs/decisions/074.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from commands.proving.ledger import ALL_KEYS, BEGUN, ENDED, ENDER, KEYS, META, THERE, VERSIONS, WHAT, Ledger, now
from commands.proving.notes import Note
from commands.proving.polls import key_of, meta_of
from models.results import Result

LAG = 300_000_000  # ns; what a process' own memory may be behind (G2)
L1, L2, MYSQL = 0, 1, 2
LEVELS = ("L1", "L2", "MySQL")
Tell = Callable[["Violation"], None]
Fits = Callable[[int], bool]  # of the META of a version


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
        self._seen = [0] * (ALL_KEYS + 1)  # newest version in an answer that this process has had
        self._seen_log: list[deque[tuple[int, int]]] = [
            deque(maxlen=64) for _ in range(ALL_KEYS + 1)
        ]  # (version, when)
        self.recent: list[deque[tuple[int, int, int, str]]] = [deque(maxlen=200) for _ in range(ALL_KEYS + 1)]

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

    def result(self, question: Question, result: Result) -> None:
        """The counts of a poll: all of one moment, and of one that was."""
        key, version, shown = key_of(result.poll_id), result.version, meta_of(result)
        wrote = [0] if version >= VERSIONS else list(self._ledger.wrote(key, version))
        if sum(result.votes) != result.voters:
            self._guilty("mixed", question, key, str(result))
        elif version and not any(made >> 8 == shown >> 8 for made in wrote):
            self._guilty("phantom", question, key, str(result))
        else:
            self._version(question, key, version, lambda: str(result))
            if version > self._seen[key] and any(made & BEGUN for made in wrote):
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
            self._some_version(
                question, key, lambda shown, there=there: (shown >> 32 == shelf) is there, what,  # type: ignore[misc]
                lambda shown: shown >> 32 == shelf,
            )  # fmt: skip

    def nobody_named(self, question: Question, name: int) -> None:
        """No row has this name."""
        what = f"nobody is named {name}"
        for key in range(1, KEYS + 1):
            self._some_version(
                question, key, lambda shown: shown >> 8 & 0xFFFFFF != name, what,
                lambda shown: shown >> 8 & 0xFFFFFF == name,
            )  # fmt: skip

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
        late, why, missed = 0, "", 0
        for newer in range(version + 1, question.floors[key] + 1):
            older, wrong = self._unseen(question, key, newer)
            late = max(late, older)
            if wrong:
                why, missed = wrong, newer
        return late, why, missed

    def _unseen(self, question: Question, key: int, newer: int) -> tuple[int, str]:
        """How long ago the write of this version had returned when it was not seen, and what is wrong with that."""
        place, asked, late = self._ledger.at(key, newer), question.asked, 0
        if 0 < (ended := self._words[place + ENDED]) <= asked:
            late = asked - ended
            mine = self._words[place + ENDER] & 7 == self._me
            if late > (0 if mine else self._lag):
                return late, "own write not seen" if mine and late <= self._lag else "too old"
        if any(seen == newer and when <= asked - self._lag for seen, when in self._seen_log[key]):
            return late, "went back"
        return late, ""

    def _some_version(
        self, question: Question, key: int, fits: Fits, what: str, touches: Fits = lambda shown: True
    ) -> None:
        """The answer shows no number; some version that may be shown must fit it.

        `touches` says whether the answer shows rows such as this: a write that neither made such a row nor changed one leaves the
        answer as it is, so that the write before it, which did, may still be under way.
        """
        wrote, floor = self._ledger.wrote, question.floors[key]
        for version in range(floor, max(floor, self._ledger.ceiling[key]) + 1):
            if any(map(fits, wrote(key, version))):
                self.recent[key].append((question.asked, now(), version, what))
                return
        late = 0
        for version in range(floor - 1, -1, -1):
            if any(map(touches, wrote(key, version))) or any(map(touches, wrote(key, version + 1))):
                older, why = self._unseen(question, key, version + 1)
                late = max(late, older)
                if why:
                    self._guilty(why, question, key, what, version + 1)
                    break
            if any(map(fits, wrote(key, version))):
                break
        else:
            self._guilty("too old", question, key, what, floor)
        self.staleness[self.level] = max(self.staleness[self.level], late)

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
