"""Who did what: the log with its filters, and the same lines as a CSV file, sent while they are read."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

from tornado.web import RequestHandler

from handlers.manage_lists import ManageList
from models.audit import Entry
from models.auditing import AT_ONCE, Filter
from models.roles import OPERATOR

COLUMNS = ("id", "at", "actor_id", "actor", "ip", "action", "target", "was", "became")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ManageAudit(ManageList):
    needs = OPERATOR
    filters = ("actor", "action", "target", "from", "to")
    post = RequestHandler.post  # type: ignore[assignment]  # nothing is done to a log: 405

    async def get(self) -> None:
        models = self.app.models
        sheet = await models.auditing.sheet(await self.wanted(), self.place())
        self.show(
            "manage/audit.html", list=self.listing(sheet), actions=await models.auditing.actions(),
            roles=await models.rights.all(),
            actors=await models.users.by_ids([entry.actor_id for entry in sheet.items if entry.actor_id]),
        )  # fmt: skip

    async def wanted(self) -> Filter:
        """The filters of the address; an actor that is unknown did nothing."""
        asked = self.asked()
        until = self.day(asked.get("to", ""))
        return Filter(
            asked.get("target", "").strip(), await self.asked_member("actor"), asked.get("action", ""),
            self.day(asked.get("from", "")), until + timedelta(days=1) if until else None,
        )  # fmt: skip


class AuditCsv(ManageAudit):
    """The lines as CSV (RFC 4180, UTF-8): a log of any length takes no memory to speak of."""

    async def get(self) -> None:
        wanted = await self.wanted()
        self.set_header("Content-Type", "text/csv; charset=UTF-8; header=present")
        self.set_header("Content-Disposition", f'attachment; filename="audit-{datetime.now(UTC):%Y-%m-%d}.csv"')
        self.write(line(COLUMNS))
        waiting: list[Entry] = []
        async for entry in self.app.models.auditing.export(wanted):
            waiting.append(entry)
            if len(waiting) == AT_ONCE:
                await self._send(waiting)
                waiting = []
        await self._send(waiting)

    async def _send(self, entries: list[Entry]) -> None:
        people = await self.app.models.users.by_ids([entry.actor_id for entry in entries if entry.actor_id])
        for entry in entries:
            actor = people.get(entry.actor_id or 0)
            was, became = (json.dumps(values, ensure_ascii=False) for values in (entry.was, entry.became))
            self.write(
                line((
                    entry.id, entry.at.isoformat(), entry.actor_id or "", actor.name if actor else "", entry.ip or "",
                    entry.action, entry.target, was, became,
                ))
            )  # fmt: skip
        await self.flush()


def line(values: tuple[object, ...]) -> str:
    """One line. What a spreadsheet would run as a formula gets an apostrophe before it."""
    out = io.StringIO()
    texts = [str(value) for value in values]
    csv.writer(out).writerow([f"'{text}" if text.startswith(_FORMULA) else text for text in texts])
    return out.getvalue()
