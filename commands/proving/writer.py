"""What the writers of a history do: rows come, change, trade names and go, transactions are undone; the ledger knows of each."""

import random
from collections import deque
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field

from pymysql.err import IntegrityError

from commands.proving.checker import text_of
from commands.proving.ledger import CRITICAL, KEYS, NAMES, SHELVES, Ledger, meta, now
from commands.proving.notes import Change, CriticalNotes, Note, Notes
from models.errors import Deadlock, ModelError

HOT = 4  # keys that get half of all writes
# ns; after that a write of which Redis heard nothing has reached everybody: the outbox' age and period, the longest outage that
# the faults make, and a tombstone's life (G3).
OUTBOX_BOUND = 15_000_000_000
RETRIES = 3


class Undo(Exception):
    """The transaction shall be rolled back."""


@dataclass(slots=True)
class Writing:
    """A write under way, as the steps around it see it."""

    entered: dict[int, tuple[int, int]] = field(default_factory=dict)  # key -> (version, nonce)
    undo_at_commit: bool = False
    committing: bool = False
    begun: bool = False
    ended: bool = False
    ledger: Ledger | None = None

    def confirm(self) -> None:
        """Redis has heard of it before COMMIT, or has not."""
        if self.begun and self.ledger:
            for _, nonce in self.entered.values():
                self.ledger.confirm(nonce)


WRITING: ContextVar[Writing | None] = ContextVar("WRITING", default=None)


class Writer:
    """The writes of one process."""

    def __init__(self, notes: Notes, critical: CriticalNotes, ledger: Ledger) -> None:
        self._notes, self._critical, self._ledger = notes, critical, ledger
        self._later: deque[tuple[int, int, int]] = deque()  # (when, key, version)

    async def write(self, dice: random.Random) -> str:
        """One write by chance; how it ended: returned, rolled back, unknown, refused."""
        self.ripen()
        keys = self._keys(dice)
        writing = Writing(undo_at_commit=dice.random() < 0.03, ledger=self._ledger)
        undo = dice.random() < 0.03
        table = self._critical if all(key % 4 == 0 for key in keys) else self._notes
        WRITING.set(writing)
        try:
            await self._try(table, keys, dice, writing, undo)
        except (Undo, IntegrityError):
            self.undone(writing)
            return "rolled back"
        except (ModelError, ConnectionError):
            if not writing.committing:
                self.undone(writing)
                return "refused"
            return "unknown"
        finally:
            WRITING.set(None)
        self.returned(writing)
        return "returned"

    async def _try(self, table: Notes, keys: Sequence[int], dice: random.Random, writing: Writing, undo: bool) -> None:
        for left in range(RETRIES, -1, -1):
            try:
                async with table.changing(keys) as change:
                    await self._change(change, keys, dice)
                    await change.finish()
                    self._enter(change, writing, CRITICAL if table.critical else 0)
                    if undo:
                        raise Undo
                return
            except Deadlock:
                if not left or writing.committing:
                    raise
                self.undone(writing)

    def _keys(self, dice: random.Random) -> list[int]:
        keys = [dice.randint(1, HOT) if dice.random() < 0.5 else dice.randint(1, KEYS)]
        if dice.random() < 0.2:
            keys = sorted({*keys, dice.randint(1, KEYS)})
            if dice.random() < 0.1:
                keys.reverse()  # deadlocks come from here
        return keys

    async def _change(self, change: Change, keys: Sequence[int], dice: random.Random) -> None:
        old = [change.old[key] for key in keys]
        if len(old) == 2 and old[0] and old[1] and dice.random() < 0.6:
            await self._trade_names(change, old[0], old[1])
            return
        for key, note in zip(keys, old, strict=True):
            nonce = self._ledger.nonce()
            if note is not None and dice.random() < 0.2:
                await change.delete(key)
                continue
            name = note.name if note and dice.random() < 0.7 else dice.randint(1, NAMES)
            shelf = note.shelf if note and dice.random() < 0.6 else dice.randint(1, SHELVES)
            await change.put(Note(key, 0, nonce, name, shelf, text_of(nonce)))

    async def _trade_names(self, change: Change, a: Note, b: Note) -> None:
        """The unique value moves, and another row takes the one that came free (R12)."""
        nonces = [self._ledger.nonce() for _ in range(3)]
        await change.put(Note(a.id, 0, nonces[0], NAMES + a.id, a.shelf, ""))
        await change.put(Note(b.id, 0, nonces[1], a.name, b.shelf, text_of(nonces[1])))
        await change.put(Note(a.id, 0, nonces[2], b.name, a.shelf, text_of(nonces[2])))

    def _enter(self, change: Change, writing: Writing, flags: int) -> None:
        """Under the locks. A deletion has a nonce too."""
        for key, version in change.versions.items():
            note = change.new[key]
            nonce = note.nonce if note and note is not change.old[key] else self._ledger.nonce()
            self._ledger.enter(key, version, nonce, (meta(note.name, note.shelf) if note else 0) | flags)
            writing.entered[key] = (version, nonce)

    def undone(self, writing: Writing) -> None:
        for _, nonce in writing.entered.values():
            self._ledger.roll_back(nonce)
        writing.entered.clear()

    def returned(self, writing: Writing) -> None:
        when = now()
        for key, (version, nonce) in writing.entered.items():
            if writing.ended:
                self._ledger.end(key, version, nonce, when)
                self._ledger.raise_floor(key, version)
            else:
                self._ledger.end(key, version, nonce, when + OUTBOX_BOUND)
                self._later.append((when + OUTBOX_BOUND, key, version))

    def ripen(self) -> None:
        """Writes that went by the outbox count as seen by all when its bound has passed."""
        while self._later and self._later[0][0] <= now():
            _, key, version = self._later.popleft()
            self._ledger.raise_floor(key, version)
