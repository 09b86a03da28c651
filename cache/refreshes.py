"""When which page is fetched anew: pages that wait, in the order of their need. No I/O; times are of one clock, in seconds."""

import heapq
from collections.abc import Iterable
from itertools import count

from cache.edge import Page

MOST = 2_000  # that wait
TOGETHER = 0.05  # s; writes that come within this after a page was fetched share the next time
QUICKLY = 3  # tries one after the other; then the pauses, the last one until the page ends by itself
PAUSES = (0.2, 0.5, 1.0)  # s
LATE = 1.0  # s until a page is looked at again after which something older may have been stored


class Refreshes:
    """Each page waits once, whatever it is fetched for. `dropped` were too many: they are right when they end by themselves."""

    def __init__(self) -> None:
        self._due: dict[Page, float] = {}
        self._later: list[tuple[float, int, Page]] = []
        self._ready: list[tuple[tuple[bool, float, float], int, Page]] = []
        self._number = count()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._due)

    def add(self, pages: Iterable[Page], now: float, *, wanted: bool = False) -> None:
        """Fetch these as soon as may be, as long as they are wrong; `wanted`: though they are right."""
        for page in pages:
            page.wanted = page.wanted or wanted
            self._put(page, max(now, page.fetched + TOGETHER))
        if len(self._due) > MOST + MOST // 4:  # not one by one: to find the last of them takes a while
            self._let_go()

    def take(self, now: float) -> Page | None:
        """The page to fetch now, if any is due; it is `busy` until `ended`."""
        while self._later and self._later[0][0] <= now:
            when, number, page = heapq.heappop(self._later)
            if self._due.get(page) == when:
                heapq.heappush(self._ready, (page.rank, number, page))
        while self._ready:
            _, _, page = heapq.heappop(self._ready)
            if self._due.get(page, now + 1) > now:
                continue  # it has been taken, or let go, or waits anew
            del self._due[page]
            needed, page.wanted = bool(page.since) or page.wanted, False
            if needed and not page.gone:
                page.busy, page.fetched = True, now
                return page
        return None

    def rest(self, now: float) -> float | None:
        """Seconds until `take` may find something; None: when something is added."""
        if self._ready:
            return 0.0
        return max(0.0, self._later[0][0] - now) if self._later else None

    def ended(self, page: Page, now: float, *, always_doubtful: bool = False) -> None:
        """It was fetched, and is right now, or is not."""
        page.busy = False
        page.tries += 1
        if page.since:
            pause = 0.0 if page.tries <= QUICKLY else PAUSES[min(page.tries - QUICKLY, len(PAUSES)) - 1]
            self._put(page, max(now + pause, page.fetched + TOGETHER))
        elif page.doubtful or (always_doubtful and page.tries == 1):
            page.doubtful, page.wanted = False, True
            self._put(page, now + LATE)

    def waiting(self) -> Iterable[Page]:
        """All that wait."""
        return self._due.keys()

    def _put(self, page: Page, when: float) -> None:
        if not (page.busy or page.gone) and when < self._due.get(page, float("inf")):
            self._due[page] = when
            heapq.heappush(self._later, (when, next(self._number), page))

    def _let_go(self) -> None:
        """Keep those of the least rank."""
        kept = heapq.nsmallest(MOST, self._due, key=lambda page: page.rank)
        self.dropped += len(self._due) - len(kept)
        self._due = {page: self._due[page] for page in kept}
        self._ready = []
        self._later = [(when, next(self._number), page) for page, when in self._due.items()]
        heapq.heapify(self._later)
