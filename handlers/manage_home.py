"""`/manage/`: what needs somebody, each thing with the way to it."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from handlers.health import redis_answers
from handlers.manage import ManagePage
from handlers.origin import LOOPBACK
from models.auditing import Filter
from models.errors import Forbidden
from models.roles import ADMINISTER, EDITOR, LOGIN, OPERATOR, has

LAST_CHANGES = 10
OPEN_POLLS = 5
SILENT_AFTER = timedelta(minutes=3)  # the worker tells of each duty more often than that
LITTLE_DISK = 1_000_000_000  # bytes


class Manage(ManagePage):
    """Editors see what they moderate and what they did; operators the accounts, the mails, the duties and everybody's changes."""

    needs = LOGIN

    async def get(self) -> None:
        if not (has(self.bits, EDITOR) or has(self.bits, OPERATOR)):
            raise Forbidden("neither edits nor operates")
        if self.request.path != self.reverse_url("manage"):
            self.redirect(self.reverse_url("manage"), permanent=True)
            return
        models, operates = self.app.models, has(self.bits, OPERATOR)
        held, waiting = await models.attention.held() if has(self.bits, EDITOR) else ([], 0)
        polls = (await models.polls.open())[:OPEN_POLLS] if has(self.bits, EDITOR) else []
        results = await models.results.many([poll.id for poll in polls])
        own = None if operates else self.member().id
        changes = await models.auditing.sheet(Filter(actor_id=own), most=LAST_CHANGES)
        ids = [*(comment.author_id for comment in held), *(entry.actor_id for entry in changes.items if entry.actor_id)]
        posts = await models.posts.many([comment.post_id for comment in held])
        self.show(
            "manage/home.html", held=held, waiting=waiting, posts={post.id: post for post in posts},
            people=await models.users.by_ids(ids), changes=changes.items,
            polls=polls, voters={result.poll_id: result.voters for result in results},
            inactive=await models.attention.inactive() if operates else 0,
            mails=await models.attention.mails() if operates else [],
            duties=await models.attention.duties() if operates else [],
            warnings=[self.translate(text) for text in await self.warnings()] if has(self.bits, ADMINISTER) else [],
        )  # fmt: skip

    async def warnings(self) -> list[str]:
        """What `plaza doctor` would say too, as far as it can be seen in a moment."""
        settings, found = self.app.settings, list[str]()
        url = urlsplit(settings.site_url)
        if url.scheme == "http" and (url.hostname or "") not in {name.strip("[]") for name in LOOPBACK}:
            found.append("The site is served without TLS: passwords can be read on the way. See tls_cert and tls_key.")
        disk = await asyncio.to_thread(shutil.disk_usage, settings.var)
        if disk.free < LITTLE_DISK or disk.free < disk.total // 50:
            found.append("The disk is nearly full.")
        if not await redis_answers(self.app.models):
            found.append("Redis does not answer: the site works, but slower than it need.")
        seen = await self.app.models.duties.last_seen()
        if seen is None or datetime.now(UTC) - seen > SILENT_AFTER:
            found.append("The worker has not been heard of for some minutes. See plaza status and plaza logs worker.")
        return found
