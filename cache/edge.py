"""Which pages that Nginx has stored a write has made wrong: the pages, the names each was made of, when a name was last written.

A stored page is wrong when it began before the last end of a write of one of its names. Makings and writes are told in any
order, for each is kept long enough to meet the other. No I/O and no clock: who hears of them says what time it is, in seconds
since 1970.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

MOST_PAGES, MOST_NAMES = 20_000, 200_000
MOST_OF_A_PAGE = 500  # names; a page of more follows by its end in the store where it shows the rest
MOST_LINKS = 1_000_000  # between pages and names: some 100 B each
DEEPEST = 4  # makings of a page of which nobody knows which one was stored last
GAP = 0.3  # s; a page can be announced before Nginx has stored it, by no more than this
SKEW = 1.0  # s by which the clocks of several machines may differ

EVERYTHING = "*"  # in place of a name: all of it is read anew


class Making(NamedTuple):
    """An answer that was given to Nginx for storing: when it began, and what it was made of."""

    begun: float
    names: frozenset[str]


class Page:
    """`since`: the end of the first write that what is stored does not show; 0 while it is right. `last_write`: the latest.

    `doubtful`: something older may have been stored after the refresh, so it is to be fetched once more. `gone`: it has ended in
    the store, or there is no room for it here. `heat`: how much it is read. The rest is the queue's (`cache/refreshes.py`): when
    it was `fetched`, how many `tries` there were since the last write, whether it is `busy` now, and `wanted` though it is right.
    `ending`: it is fetched only to end it, for nobody reads it.
    """

    __slots__ = (
        "answered", "asked", "busy", "doubtful", "ending", "failing", "fetched", "gone", "heard", "heat", "key", "last_write",
        "makings", "read", "since", "tries", "wanted",
    )  # fmt: skip

    def __init__(self, key: str) -> None:
        self.key, self.makings = key, list[Making]()
        self.heard = self.read = self.since = self.last_write = self.heat = 0.0
        self.asked = self.answered = float("-inf")
        self.fetched, self.tries = float("-inf"), 0
        self.doubtful = self.busy = self.ending = self.failing = self.gone = self.wanted = False

    @property
    def names(self) -> frozenset[str]:
        """All that whatever may be stored was made of."""
        makings = self.makings
        return makings[0].names if len(makings) == 1 else frozenset[str]().union(*(making.names for making in makings))

    @property
    def begun(self) -> float:
        """When the newest began that may be stored."""
        return max(self.makings).begun if self.makings else 0.0

    @property
    def rank(self) -> tuple[bool, float, float]:
        """The least is fetched first: what is wrong, then what is read most, then what has been wrong for longest."""
        return not self.since, -self.heat, self.since


class Index:
    """The pages stored in the last `ttl` seconds, as far as there is room; `dropped` had to go before their time.

    `several` Nginxes: one of them has stored what is told, and the others what they had; only a refresh is stored by all. `skew`:
    by how much clocks may differ; a page that began so little after a write is doubtful, and handed out by `unsure`.
    """

    def __init__(self, ttl: float, *, several: bool = False, skew: float = 0.0) -> None:
        self._ttl, self._several, self._skew = ttl, several, skew
        self._unsure = set[Page]()
        self.pages = OrderedDict[str, Page]()  # the one that was heard of last is the last
        self._of: dict[str, Page | set[Page]] = {}  # most names are part of one page alone
        self._written = OrderedDict[str, float]()
        self._links = self.dropped = 0

    def made(self, key: str, begun: float, names: Sequence[str], now: float) -> Page:
        """A page was given to Nginx. What was told before and began later may still be stored after it: both count until one
        comes that began after both."""
        page = self.pages.get(key)
        if page is None:
            page = self.pages[key] = Page(key)
        self._hear_of(page, now)
        if not (page.asked <= begun and (page.busy or begun <= page.answered)):
            page.read = now
        self._replace(page, min(begun, now), frozenset(names[:MOST_OF_A_PAGE]), keep=now - self._ttl - 1)
        page.since = self._wrong_since(page)
        page.doubtful = page.doubtful or page.since > 0
        if (
            self._skew
            and not page.since
            and any(self._written.get(n, 0.0) + self._skew > page.begun for n in page.names)
        ):
            self._unsure.add(page)
        self._make_room()
        return page

    def refreshed(self, page: Page, began: float, now: float) -> None:
        """It was fetched anew, and made and stored since `began`: of what, its own `made` says, sooner or later."""
        if not page.gone:
            self._hear_of(page, now)
            self._replace(page, min(began, now), max(page.makings).names)
            page.since = self._wrong_since(page)

    def end(self, page: Page, began: float) -> None:
        """It was fetched as over: nothing is stored of it, unless somebody else has had it made since `began`."""
        if not page.gone and page.begun <= began:
            self._drop(page)

    def wrote(self, names: Iterable[str], at: float, now: float) -> list[Page]:
        """A write has ended. The pages that it has made wrong, those that were wrong already included."""
        at = min(at, now)
        wrong: dict[Page, None] = {}
        for name in names:
            if at > self._written.get(name, 0.0):
                self._written[name] = at
                self._written.move_to_end(name)
            for page in self._pages_of(name):
                for begun, made_of in page.makings:
                    if at > begun and (name in made_of or name == EVERYTHING):
                        wrong[page] = None
                    elif at <= begun < at + self._skew and name in made_of:
                        self._unsure.add(page)
        for page in wrong:
            page.since = min(page.since or at, at)
            page.doubtful = page.doubtful or now - page.heard < GAP
            if at > page.last_write:
                page.last_write, page.tries = at, page.tries if page.failing else 0
        while len(self._written) > MOST_NAMES:
            self._written.popitem(last=False)
            self.dropped += 1
        return list(wrong)

    def unsure(self) -> set[Page]:
        """Pages that are right only if the clocks are; each is told once."""
        found, self._unsure = self._unsure, set()
        return {page for page in found if not (page.since or page.gone)}

    def knows(self, name: str) -> bool:
        """Whether a page was made of it."""
        return name in self._of

    def behind(self, name: str) -> bool:
        """Whether a page that this name is part of is wrong at present."""
        return any(page.since for page in self._pages_of(name))

    def _pages_of(self, name: str) -> Iterable[Page]:
        if name == EVERYTHING:
            return self.pages.values()
        found = self._of.get(name, ())
        return (found,) if isinstance(found, Page) else found

    def forget(self, now: float) -> None:
        """What Nginx does not give any more, and writes that nothing which is still to come can have begun before."""
        while self.pages and now - (page := next(iter(self.pages.values()))).heard >= self._ttl + 1:
            self._drop(page)
        while self._written and now - next(iter(self._written.values())) >= 2 * self._ttl:
            self._written.popitem(last=False)

    def _hear_of(self, page: Page, now: float) -> None:
        page.heard = now
        self.pages.move_to_end(page.key)

    def _replace(self, page: Page, begun: float, names: frozenset[str], *, keep: float | None = None) -> None:
        """Take in a making, and let go those that it replaces; of several Nginxes none that began after `keep`."""
        before, names_before = page.makings, page.names if page.makings else frozenset[str]()
        until = min(begun, keep) if self._several and keep is not None else begun
        kept = [making for making in before if making.begun > until]
        if len(kept) >= DEEPEST:
            one, other = kept.pop(), kept.pop()
            kept.append(Making(min(one.begun, other.begun), one.names | other.names))
        page.makings = [*kept, Making(begun, names)]
        if kept or names != names_before:  # seldom
            names_now = page.names
            for name in names_before - names_now:
                self._unlink(page, name)
            for name in names_now - names_before:
                self._link(page, name)

    def _wrong_since(self, page: Page) -> float:
        """The first of the writes that one of its makings does not show; 0 without."""
        written, first = self._written, 0.0
        everything = written.get(EVERYTHING, 0.0)
        for begun, names in page.makings:
            if everything > begun and (not first or everything < first):
                first = everything
            if written.keys().isdisjoint(names):
                continue  # as nearly always
            for name in names:
                at = written.get(name)
                if at is not None and at > begun and (not first or at < first):
                    first = at
        return first

    def _make_room(self) -> None:
        while len(self.pages) > MOST_PAGES or len(self._of) > MOST_NAMES or self._links > MOST_LINKS:
            self._drop(next(iter(self.pages.values())))
            self.dropped += 1

    def _drop(self, page: Page) -> None:
        del self.pages[page.key]
        page.gone = True
        for name in page.names:
            self._unlink(page, name)

    def _link(self, page: Page, name: str) -> None:
        self._links += 1
        found = self._of.get(name)
        if found is None:
            self._of[name] = page
        elif isinstance(found, Page):
            self._of[name] = {found, page}
        else:
            found.add(page)

    def _unlink(self, page: Page, name: str) -> None:
        self._links -= 1
        found = self._of[name]
        if isinstance(found, Page) or len(found) == 1:
            del self._of[name]
        else:
            found.discard(page)
