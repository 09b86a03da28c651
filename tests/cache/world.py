"""A ledger that a test writes, and who judges answers by it."""

from dataclasses import replace
from pathlib import Path

from commands.proving.checker import Checker, Violation, text_of
from commands.proving.ledger import BEGUN, Ledger, meta, now
from commands.proving.notes import Note
from commands.proving.polls import key_of, meta_of
from models.results import Result

MS = 1_000_000


class World:
    """As processes 0 and 1 write it, with the judges of both."""

    def __init__(self, path: Path) -> None:
        Ledger.make(path)
        self.ledgers = [Ledger(path, process) for process in (0, 1)]
        self.found: list[Violation] = []

    def judge(self, process: int = 0, *, lag: int = 0) -> Checker:
        return Checker(self.ledgers[process], lag, self.found.append)

    def write(
        self, note: Note | None, key: int, version: int, *, process: int = 0, ended: int | None = 0
    ) -> Note | None:
        """`ended`: how many ms ago it returned; None: not yet."""
        ledger = self.ledgers[process]
        nonce = ledger.nonce()
        if note:
            note = replace(note, id=key, version=version, nonce=nonce, text=text_of(nonce))
        ledger.enter(key, version, nonce, (meta(note.name, note.shelf) if note else 0) | BEGUN)
        if ended is not None:
            ledger.end(key, version, nonce, now() - ended * MS)
            ledger.raise_floor(key, version)
        return note

    def count(self, result: Result, *, ended: int | None = 0) -> None:
        """The same for counts of a poll."""
        ledger, key = self.ledgers[0], key_of(result.poll_id)
        nonce = ledger.nonce()
        ledger.enter(key, result.version, nonce, meta_of(result) | BEGUN)
        if ended is not None:
            ledger.end(key, result.version, nonce, now() - ended * MS)
            ledger.raise_floor(key, result.version)

    def kinds(self) -> list[str]:
        return [violation.kind for violation in self.found]
