"""What waits for the people who run the site: numbers and a few rows of each, read from MySQL at each look."""

from dataclasses import dataclass
from datetime import datetime

from models import sheets
from models.comments import Comment
from models.database import Database
from models.duties import Duties, Report
from models.moderation import Filter, Moderation
from models.sheets import Order, Walk

FEW = 5  # rows of each kind


@dataclass(frozen=True, slots=True)
class FailedMail:
    """A mail that was not sent, after `tries`; `due_at` is None when it is not tried again."""

    id: int
    recipient: str
    subject: str
    tries: int
    error: str
    due_at: datetime | None


class Attention:
    """Reads over several tables; each read walks an index and stops at a bound."""

    def __init__(self, db: Database, moderation: Moderation, duties: Duties) -> None:
        self.db, self._moderation, self._duties = db, moderation, duties

    async def held(self) -> tuple[list[Comment], int]:
        """(the newest comments that wait for a moderator, how many wait: sheets.MANY + 1 for more)."""
        sheet = await self._moderation.sheet(Filter(("held",)), most=FEW)
        return list(sheet.items), sheet.count or 0

    async def inactive(self) -> int:
        """How many accounts cannot sign in: new ones that wait for approval, and those that were deactivated."""
        return await sheets.count(self.db, Order("users"), (Walk("active = 0"),))

    async def mails(self) -> list[FailedMail]:
        """The mails that failed most often and have not been sent."""
        rows = await self.db.fetch(
            "SELECT id, recipient, subject, tries, error, due_at FROM mails WHERE sent_at IS NULL AND tries > 0 AND error <> '' "
            "ORDER BY tries DESC, id DESC LIMIT %s",
            FEW,
        )
        return [FailedMail(*row) for row in rows]

    async def duties(self) -> list[Report]:
        """The duties that failed the last time."""
        return await self._duties.failing()
