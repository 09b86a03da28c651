"""Keep the pages in Nginx true: what a write has made wrong is fetched anew, and what is read most before it ends."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from time import monotonic
from typing import Any

from jobs.access_log import AccessLog
from jobs.edges import Edges
from jobs.purging import AT_ONCE as PURGED_AT_ONCE
from jobs.purging import Purging
from models import Models
from models.counts import COUNTS
from models.edge_pages import EdgePages

log = logging.getLogger("plaza.edge")

NAME = "keep the pages in Nginx true"
AT_ONCE = 4  # requests under way
EVERY, TELL_EVERY = 1.0, 30.0  # s
LATE = 1.0  # s that a page may be wrong before people are told
REMEMBERED = 60.0  # s that people are told of what has gone wrong
Work = Callable[[], Coroutine[Any, Any, None]]


async def keep_true(models: Models) -> None:
    """The duty: until cancelled. Raises what is a mistake of ours; then all begins anew."""
    await Refresher(models).run()


class Refresher:
    """The tasks of it, and what goes wrong in them."""

    def __init__(self, models: Models) -> None:
        self._models, settings = models, models.figures.settings
        self._pages, self._edges, self._purging = EdgePages(models.figures), Edges(settings), Purging(settings)
        self._access_log = AccessLog(settings.var / "log" / "access.log")
        self._troubles: dict[str, tuple[float, str]] = {}

    async def run(self) -> None:
        """Until cancelled, or until one of the tasks fails."""
        works: list[Work] = [self._hear, self._look, self._tell, self._purge, *[self._fetch] * AT_ONCE]
        tasks = [asyncio.create_task(work(), name=work.__name__) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            # Told until they listen: redis-py connects by asyncio.wait_for, which in Python 3.11 can swallow it.
            while unfinished := [task for task in tasks if not task.done()]:
                for task in unfinished:
                    task.cancel()
                with suppress(asyncio.CancelledError):
                    await asyncio.wait(unfinished, timeout=0.2)
            self._edges.close()

    async def _hear(self) -> None:
        await self._models.edge_news.hear(self._pages.heard)

    async def _fetch(self) -> None:
        while True:
            page = await self._pages.due()
            unshown, began = page.since, time.time()
            outcome = await self._edges.refresh(page.key, over=page.ending)
            self._pages.fetched(page, began, unshown, outcome)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self._pages.look()
            self._pages.read(await asyncio.to_thread(self._access_log.read))

    async def _purge(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            if self._purging.wanted and any(purge := self._pages.to_purge(PURGED_AT_ONCE)):
                await self._purging.purge(purge)

    async def _tell(self) -> None:
        """The people who run the site: when something goes wrong, when it is well again, and now and then."""
        said, said_at, counted = "never", 0.0, COUNTS.copy()
        while True:
            trouble = self._trouble(counted)
            counted = COUNTS.copy()
            if bool(trouble) != bool(said) or said == "never" or monotonic() - said_at > TELL_EVERY:
                try:
                    await self._models.duties.ended(NAME, trouble)
                    said, said_at = trouble, monotonic()
                except Exception as reason:  # MySQL is away; the pages go on
                    log.warning("%s: its report could not be kept: %s", NAME, reason)
            await asyncio.sleep(EVERY)

    def _trouble(self, counted: dict[str, int]) -> str:
        """What has gone wrong in the last minute; `counted`: before the last look."""
        now, troubles = monotonic(), self._troubles
        if (oldest := self._pages.oldest()) > LATE:
            troubles["late"] = now, f"a page was wrong for {oldest:.1f} s"
        for event, words in (
            ("edge.failed", f"pages could not be fetched anew: {self._edges.failure}"),
            ("edge.dropped", "too many pages to keep each of them true: some are old for up to page_ttl seconds"),
            ("edge.left_out", f"an Nginx does not answer, and is not kept true: {self._edges.failure}"),
            ("edge.unpurged", f"the CDN was not told: {self._purging.failure}"),
        ):
            if COUNTS[event] > counted.get(event, 0):
                troubles[event] = now, words
        self._troubles = {kind: one for kind, one in troubles.items() if now - one[0] < REMEMBERED}
        return "; ".join(words for _, words in self._troubles.values())
