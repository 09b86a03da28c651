"""The mails that wait to be sent: queued in the transaction of what causes them, sent by the worker, tried again."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from content import letters
from models.base import Write
from models.database import Database
from models.retrying import retried
from settings import Settings

Kind = Literal["confirm", "reset", "change", "taken", "changed", "reply", "test"]

# Seconds until the next try, by how many there have been; after the last one a mail is given up: some two days in all.
DELAYS = (60, 300, 1_800, 7_200, 21_600, 43_200, 86_400)
AN_HOUR: dict[Kind, int] = {"reply": 20}  # mails of a kind to one recipient; of the others
FEW = 5
LEASE = timedelta(minutes=5)  # who took a mail and was killed had this long; then another may try
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Mail:
    """`facts`: what the text is made from when it is sent. `tries`: before the present one."""

    id: int
    kind: Kind
    recipient: str
    language: str
    subject: str
    facts: dict[str, Any]
    created_at: datetime
    tries: int


class Mails:
    """The table `mails`. Nothing of it is cached. A site without SMTP queues nothing."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self.db, self.settings = db, settings

    @property
    def enabled(self) -> bool:
        return self.settings.smtp_url is not None

    async def queue(
        self, w: Write, kind: Kind, recipient: str, language: str, *, about: str | None = None, **facts: Any
    ) -> None:
        """Send this, if the transaction is committed; but not when the site has no SMTP, when the recipient got too many
        of the kind within an hour, or was told `about` it before."""
        if not self.enabled:
            return
        now = datetime.now(UTC)
        most = AN_HOUR.get(kind, FEW)
        sent = await w.fetch(
            "SELECT id FROM mails WHERE recipient = %s AND kind = %s AND created_at > %s LIMIT %s",
            recipient, kind, now - timedelta(hours=1), most,
        )  # fmt: skip
        if len(sent) >= most:
            return
        await w.execute(
            "INSERT INTO mails (kind, recipient, language, subject, facts, about, created_at, due_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE id = id",
            kind, recipient, language, letters.subject(kind, language, **facts), json.dumps(facts, ensure_ascii=False), about,
            now, now,
        )  # fmt: skip

    async def due(self, most: int) -> list[Mail]:
        """Those whose time has come, the one that waits longest first."""
        rows = await self.db.fetch(
            "SELECT id, kind, recipient, language, subject, facts, created_at, tries FROM mails WHERE due_at <= %s "
            "ORDER BY due_at, id LIMIT %s",
            datetime.now(UTC), most,
        )  # fmt: skip
        return [
            Mail(id, kind, recipient, language, subject, json.loads(facts), created_at, tries)
            for id, kind, recipient, language, subject, facts, created_at, tries in rows
        ]

    async def take(self, mail: Mail) -> bool:
        """Begin a try, unless another worker did; should this one be killed, the mail is due again after a while."""
        now = datetime.now(UTC)
        sql = "UPDATE mails SET due_at = %s, tries = tries + 1 WHERE id = %s AND tries = %s AND due_at <= %s"
        return await self._change(sql, now + LEASE, mail.id, mail.tries, now) == 1

    async def sent(self, mail: Mail) -> None:
        sql = "UPDATE mails SET sent_at = %s, due_at = NULL, error = '', facts = '{}' WHERE id = %s"
        await self._change(sql, datetime.now(UTC), mail.id)

    async def needless(self, mail: Mail) -> None:
        """What it was to say is no longer so, or the recipient is nobody's address: forget it."""
        await self._change("DELETE FROM mails WHERE id = %s", mail.id)

    async def failed(self, mail: Mail, error: str, *, for_ever: bool = False) -> None:
        """The try failed. It is tried again later, unless it was the last one or no try can help (`for_ever`)."""
        delay = None if for_ever or mail.tries >= len(DELAYS) else timedelta(seconds=DELAYS[mail.tries])
        due_at = datetime.now(UTC) + delay if delay else None
        await self._change("UPDATE mails SET due_at = %s, error = %s WHERE id = %s", due_at, error[:500], mail.id)

    async def unreachable(self, error: str) -> int:
        """The server cannot be reached: a failed try of all that is due, so that it is not asked for each; how many those are."""
        now = datetime.now(UTC)
        at = ", ".join(str(seconds) for seconds in DELAYS)
        return await self._change(
            f"UPDATE mails SET due_at = DATE_ADD(%s, INTERVAL ELT(tries + 1, {at}) SECOND), tries = tries + 1, "  # noqa: S608
            "error = %s WHERE due_at <= %s",
            now, error[:500], now,
        )  # fmt: skip

    async def end_old(self) -> None:
        """Forget what is older than a month, sent or not."""
        await self._change("DELETE FROM mails WHERE created_at < %s LIMIT 1000", datetime.now(UTC) - KEPT)

    @retried
    async def _change(self, sql: str, *args: Any) -> int:
        async with self.db.connection() as connection:
            return await connection.execute(sql, *args)
