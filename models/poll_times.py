"""Polls whose time has come, to open or to close: their status follows, and with it all that shows them."""

from dataclasses import replace
from datetime import datetime

from models import audit, polls
from models.poll_rules import status_at
from models.polls import Polls
from models.retrying import retried


class PollTimes:
    """Moves `polls.status` on."""

    def __init__(self, table: Polls) -> None:
        self.polls, self.db = table, table.db

    @retried
    async def follow(self, now: datetime, *, most: int = 50) -> int:
        """Make the status of some polls what it is at this moment; how many were due. Exactly once, by who has the lock first.

        Nobody's lock is passed over: a poll that closes under a crowd is held by some vote at every moment.
        """
        due = await self.db.fetch(
            "(SELECT id FROM polls WHERE status = 'scheduled' AND opens_at <= %s ORDER BY opens_at LIMIT %s) UNION "
            "(SELECT id FROM polls WHERE status = 'open' AND closes_at <= %s ORDER BY closes_at LIMIT %s) LIMIT %s",
            now, most, now, most, most,
        )  # fmt: skip
        if not due:
            return 0  # as nearly always: without a transaction
        async with self.polls.write() as w:
            for old in await self.polls.locked(w, sorted(row[0] for row in due)):
                status = status_at(now, old.opens_at, old.closes_at)
                if old.status not in ("scheduled", "open") or status == old.status:
                    continue  # somebody else was first
                new = replace(old, status=status, version=old.version + 1)
                await polls.change(w, old, new)
                await audit.note(w, None, f"poll.{'open' if status == 'open' else 'close'}", f"poll {old.id}", old, new)
        return len(due)
