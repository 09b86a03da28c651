"""The pages that Nginx has stored, as far as the news tell of them: which are to be fetched anew, and what a CDN must forget."""

import asyncio
import logging
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from time import monotonic
from typing import Any, Literal, NamedTuple

from cache.edge import SKEW, Index, Page
from cache.refreshes import Refreshes
from models.counts import COUNTS, REFRESHES
from models.figures import Figures

log = logging.getLogger("plaza.edge")

Outcome = Literal["refreshed", "again", "failed"]
FADES = 0.8  # of a page's heat is left after a second
WARM = 1.0  # heat; what is read once in 5 s has as much in the long run
HOTTEST = 100  # pages that are kept from ending
UNREAD, UNREAD_ELSEWHERE = 2, 6  # lives of a page after which, if nobody has read it, a write ends it
BEFORE = 2.0  # s before its end that one of them is fetched anew
MOST_TO_PURGE = 10_000  # names, and addresses; what is more ends by itself
LONGEST = 3.0  # s that a name waits for its pages to be right in Nginx
_KEY = re.compile(
    r"(?:en|zh)?(?:-gzip)? /[!\"$-~]*", re.ASCII
)  # with another sign it would be another address on its way
COUNTS.update(
    {
        f"edge.{event}": 0
        for event in ("refreshed", "again", "failed", "ahead", "ended", "dropped", "missed", "unpurged")
    }
)


class Purge(NamedTuple):
    """Names of the cache whose pages are right in Nginx again, and the addresses of pages that are."""

    names: Sequence[str]
    uris: Sequence[str]


class EdgePages:
    """They are known from when this begins to hear: what was stored before ends by itself, `page_ttl` seconds later at most."""

    def __init__(self, figures: Figures) -> None:
        self._figures, settings = figures, figures.settings
        self._ttl, self._purges = settings.page_ttl, bool(settings.purge_url or settings.purge_command)
        # A CDN may keep for as long again what it has taken from Nginx in the last moment.
        life = self._ttl * (2 if self._purges else 1)
        skew = SKEW if settings.edges or settings.upstreams else 0.0
        self._index = Index(life, several=len(settings.edges) > 1, skew=skew)
        self._queue = Refreshes()
        # Without the log of Nginx only who makes a page anew is seen to read it.
        self._unread = self._ttl * (UNREAD_ELSEWHERE if settings.edges else UNREAD)
        self._came = asyncio.Event()
        self._under_way = set[Page]()
        self._warm = set[Page]()
        self._names_to_purge: dict[str, float] = {}  # and since when
        self._uris_to_purge: dict[str, None] = {}
        self._connected, self._dropped = False, 0

    def heard(self, entries: Sequence[Any] | None) -> None:
        """News of pages and writes, as `EdgeNews.hear` gives them; None: some may have been missed."""
        if entries is None:
            log.info("the news of pages are heard%s", " again" if self._connected else "")
            COUNTS["edge.missed"] += self._connected
            self._connected = True
            return
        now, moment = time.time(), monotonic()
        for entry in entries:
            match entry:
                case ["made", str(key), float(begun), list(names)]:
                    if _KEY.fullmatch(key) and (page := self._index.made(key, begun, names, now)).since:
                        self._queue.add((page,), moment)
                case ["wrote", float(at), list(names)]:
                    self._queue.add(self._index.wrote(names, at, now), moment)
                    if self._purges:
                        self._purge_names(names, moment)
        self._queue.look_later(self._index.unsure(), moment)
        self._wake()

    def read(self, counts: Mapping[str, int]) -> None:
        """Once a second: how often pages, by their keys, were asked for since the last time."""
        for warm in self._warm:
            warm.heat *= FADES
        found = {key: page for key in counts if (page := self._index.pages.get(key))}
        for key, page in found.items():
            page.heat += counts[key]
            page.read = time.time()
        self._warm = {page for page in self._warm.union(found.values()) if page.heat >= WARM and not page.gone}
        hottest = sorted(self._warm, key=lambda page: -page.heat)[:HOTTEST]
        before = time.time() + BEFORE
        self._queue.add((p for p in hottest if int(p.begun) + self._ttl < before), monotonic(), wanted=True)
        self._wake()

    async def due(self) -> Page:
        """The next page to be fetched anew; one that is `ending`, as over. What became of it is to be told."""
        while True:
            if (page := self._queue.take(monotonic())) is not None:
                self._under_way.add(page)
                page.asked = now = time.time()
                page.ending = now - page.read >= self._unread
                return page
            self._came.clear()
            try:
                async with asyncio.timeout(self._queue.rest(monotonic())):
                    await self._came.wait()
            except TimeoutError:
                pass

    def fetched(self, page: Page, began: float, unshown: float, outcome: Outcome) -> None:
        """What became of a page that was `due`: when the fetching began, and since when it had been wrong then (`page.since`)."""
        self._under_way.discard(page)
        page.answered = now = time.time()
        if outcome == "refreshed":
            self._index.refreshed(page, began, now)
            if unshown:
                REFRESHES.note(max(0.0, now - unshown))
                if self._purges:
                    self._uris_to_purge[page.key.partition(" ")[2]] = None
                    self._bound(self._uris_to_purge)
            if page.ending:
                self._index.end(page, began)
            COUNTS["edge.ended" if page.ending else "edge.refreshed" if unshown else "edge.ahead"] += 1
        else:
            COUNTS[f"edge.{outcome}"] += 1
            page.since = page.since or unshown  # whoever has told of a making: it is not in every Nginx
        self._queue.ended(page, monotonic(), failed=outcome == "failed")
        self._wake()

    def look(self) -> None:
        """Once a second: forget what has ended, and tell the figures."""
        self._index.forget(time.time())
        dropped = self._index.dropped + self._queue.dropped
        COUNTS["edge.dropped"] += dropped - self._dropped
        self._dropped = dropped
        told = {"pages": len(self._index.pages), "due": len(self._queue), "due_seconds": self.oldest()}
        self._figures.seen.update({(f"plaza_edge_{name}",): float(value) for name, value in told.items()})

    def oldest(self) -> float:
        """For how many seconds the page that waits longest has been wrong; 0 when none waits."""
        pages = (*self._queue.waiting(), *self._under_way)
        first = min((page.since for page in pages if page.since and not page.gone), default=0.0)
        return max(0.0, time.time() - first) if first else 0.0

    def to_purge(self, most: int) -> Purge:
        """What a CDN is to forget now; it is given once."""
        before = monotonic() - LONGEST
        ready = [name for name, since in self._names_to_purge.items() if since < before or not self._index.behind(name)]
        found = Purge(ready[:most], list(self._uris_to_purge)[:most])
        for name in found.names:
            del self._names_to_purge[name]
        for uri in found.uris:
            del self._uris_to_purge[uri]
        return found

    def _purge_names(self, names: Iterable[str], now: float) -> None:
        """Names that no page is made of are nothing to a CDN."""
        for name in names:
            if self._index.knows(name):
                self._names_to_purge.setdefault(name, now)
        self._bound(self._names_to_purge)

    def _bound(self, waiting: dict[str, Any]) -> None:
        while len(waiting) > MOST_TO_PURGE:
            del waiting[next(iter(waiting))]
            COUNTS["edge.unpurged"] += 1

    def _wake(self) -> None:
        if len(self._queue):
            self._came.set()
