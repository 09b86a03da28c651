"""What operators see of the mails and do about them: a list, another try, forgetting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from models import audit, sheets
from models.base import Write
from models.errors import Invalid
from models.mails import DELAYS, Mails
from models.retrying import retried
from models.roles import OPERATOR, require
from models.sheets import Order, Place, Sheet, Walk
from models.users import User, Users

Action = Literal["again", "forget"]
ACTIONS: tuple[Action, ...] = ("again", "forget")
MOST_AT_ONCE = 100  # mails in one transaction
NEWEST = Order("mails")
# One walk for each number of tries: together they are the failed ones in the order of their ids.
_FAILED = tuple(Walk("sent_at IS NULL AND tries = %s", (tries,), "failed") for tries in range(1, len(DELAYS) + 2))


@dataclass(frozen=True, slots=True)
class Posted:
    """A mail as it stands. `due_at`: its next try; None when it was sent, or given up."""

    id: int
    recipient: str
    subject: str
    created_at: datetime
    due_at: datetime | None
    tries: int
    sent_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which mails; `recipient` is a whole address."""

    recipient: str = ""
    failed: bool = False


class Mailroom:
    """All need OPERATOR."""

    def __init__(self, users: Users, mails: Mails) -> None:
        self.users, self.db, self.mails = users, mails.db, mails

    async def sheet(self, wanted: Filter, place: Place | None = None, *, most: int = sheets.PER_SHEET) -> Sheet[Posted]:
        """Some mails, newest first."""
        walks: Sequence[Walk] = _FAILED if wanted.failed else (Walk(),)
        if wanted.recipient:
            failed = " AND sent_at IS NULL AND tries > 0" if wanted.failed else ""
            walks = (Walk(f"recipient = %s{failed}", (wanted.recipient.lower(),), "of_recipient"),)
        found = await sheets.sheet(self.db, NEWEST, walks, place=place, most=most)
        return found.of(await self._many(found.items), count=await sheets.count(self.db, NEWEST, walks))

    @retried
    async def act(self, action: Action, ids: Sequence[int], *, by: User) -> tuple[int, int]:
        """Try them once more at once, or forget them; (how many, how many it did not apply to). What was sent is not sent again.

        Raises Forbidden, Invalid.
        """
        if len(ids) > MOST_AT_ONCE:
            raise Invalid({"ids": "At most 100 at once."})
        async with self.users.write() as w:
            await require(w, by.id, OPERATOR)
            rows = await w.fetch(
                "SELECT id, sent_at IS NULL AND tries > 0 FROM mails WHERE id IN %s ORDER BY id FOR UPDATE",
                tuple(set(ids)),
            )
            apply = tuple(id for id, failed in rows if failed)
            if apply:
                await self._change(w, action, apply)
            for id in apply:
                await audit.note(w, by.id, f"mail.{action}", f"mail {id}")
        return len(apply), len(set(ids)) - len(apply)

    async def _change(self, w: Write, action: Action, ids: tuple[int, ...]) -> None:
        if action == "forget":
            await w.execute("DELETE FROM mails WHERE id IN %s", ids)
        else:
            sql = "UPDATE mails SET due_at = %s, tries = 0, error = '' WHERE id IN %s"
            await w.execute(sql, datetime.now(UTC), ids)

    async def _many(self, ids: Sequence[int]) -> list[Posted]:
        if not ids:
            return []
        rows = await self.db.fetch(
            "SELECT id, recipient, subject, created_at, due_at, tries, sent_at, error FROM mails WHERE id IN %s "
            "ORDER BY id DESC",
            tuple(ids),
        )
        return [Posted(*row) for row in rows]
