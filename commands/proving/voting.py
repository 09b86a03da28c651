"""Votes in a history, cast by `models.ballots` as it stands; the ledger knows of each transaction.

Each version of a poll's counts is entered when the transaction reads it, which is under the poll's lock and before COMMIT; so a
result is judged as a note is, and nobody may see counts that no transaction has made.
"""

import random
from collections.abc import Sequence
from typing import Any

from commands.proving.ledger import ENDED, Ledger
from commands.proving.polls import IDS, key_of, meta_of
from commands.proving.writer import WRITING, Undo, Writer, Writing
from models import Models
from models.ballots import Ballots, Cast, Wish
from models.errors import ModelError
from models.results import Result, Results

VOTERS = 200
UNDONE = 0.03  # of the transactions


class EnteringResults(Results):
    """What a transaction reads of the counts it has changed is entered."""

    ledger: Ledger

    def make(self, *columns: Any) -> Result:
        result = super().make(*columns)
        if writing := WRITING.get():
            key, nonce = key_of(result.poll_id), self.ledger.nonce()
            if key in writing.entered:  # a deadlock: it is begun again
                self.ledger.roll_back(writing.entered[key][1])
            self.ledger.enter(key, result.version, nonce, meta_of(result))
            writing.entered[key] = (result.version, nonce)
        return result


class EnteringBallots(Ballots):
    """Each transaction, which many votes may share, is a write that the ledger knows of."""

    writer: Writer
    ledger: Ledger
    dice: random.Random

    async def _settle(self, wishes: Sequence[Wish]) -> list[Cast | ModelError]:
        # `ended` until the cache says otherwise: what makes nothing forgotten has returned, too.
        writing = Writing(undo_at_commit=self.dice.random() < UNDONE, ended=True, ledger=self.ledger)
        WRITING.set(writing)
        try:
            outcomes = await super()._settle(wishes)
        except Exception:
            if not writing.committing:
                self.writer.undone(writing)
            raise
        finally:
            WRITING.set(None)
        changed = {key_of(cast.result.poll_id) for cast in outcomes if isinstance(cast, Cast) and cast.changed}
        for key, (version, _) in tuple(writing.entered.items()):
            if key not in changed or self.ledger.words[self.ledger.at(key, version) + ENDED]:
                del writing.entered[key]  # the counts are as they were
        self.writer.returned(writing)
        return outcomes


class Voting:
    """The votes of one process."""

    def __init__(self, tables: Models, writer: Writer, ledger: Ledger) -> None:
        self._polls, self._ledger = tables.polls, ledger
        results = EnteringResults(tables.db, tables.cache)
        results.ledger = ledger
        self._ballots = EnteringBallots(tables.polls, results)
        self._ballots.writer, self._ballots.ledger, self._ballots.dice = writer, ledger, random.Random(ledger.me)  # noqa: S311

    async def vote(self, dice: random.Random) -> str:
        """One vote by chance; how it ended, as `Writer.write` says it."""
        poll = await self._polls.one(dice.choice(IDS))
        try:
            await self._ballots.cast(poll, [dice.choice(poll.choices).id], voter=f"{dice.randrange(VOTERS):032x}")
        except Undo:
            return "rolled back"
        except (ModelError, ConnectionError):
            return "unknown"
        self._ledger.count("votes")
        return "returned"
