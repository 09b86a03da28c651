"""What the readers of a history ask, in every way that the site asks, each answer judged at once."""

import asyncio
import random
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from cache import Cache
from cache.aside import MISSING
from cache.pages import Pages
from commands.proving.checker import L1, L2, LEVELS, MYSQL, Checker, Question
from commands.proving.ledger import KEYS, NAMES, SHELVES, Ledger
from commands.proving.notes import NOTE, Note, Notes
from commands.proving.polls import IDS, key_of
from models import Models
from models.errors import NotFound
from models.results import BY_POLL, Result

ALL = range(1, KEYS + 1)
OF_POLLS = 0.15  # of the questions
LEVEL: ContextVar[list[int]] = ContextVar("LEVEL")  # where the answers of this task came from, the farthest


@dataclass(frozen=True, slots=True)
class Page:
    """A rendered answer: what stood on a shelf."""

    notes: tuple[Note, ...]

    @property
    def weight(self) -> int:
        """Bytes, nearly."""
        return 200 + sum(200 + len(note.text) for note in self.notes)


def asked(found: int, missing: int) -> None:
    """What the cache tells of each question that L1 could not answer alone."""
    if (level := LEVEL.get(None)) is not None:
        level[0] = MYSQL if missing else max(level[0], L2)


class Reader:
    """The questions of one task."""

    def __init__(
        self, notes: Notes, tables: Models, pages: Pages[Page], checker: Checker, ledger: Ledger, dice: random.Random
    ) -> None:
        self._notes, self._tables, self._pages = notes, tables, pages
        self._cache: Cache = tables.cache
        self._checker, self._ledger, self._dice = checker, ledger, dice
        self._level = [L1]
        self._counts = [0, 0, 0]

    async def some(self) -> None:
        """A question or a few, by chance. Raises what the tables raise."""
        LEVEL.set(self._level)
        chance = self._dice.random()
        if self._dice.random() < OF_POLLS:
            await self.polls(chance)
        elif chance < 0.55:
            await self.ones()
        elif chance < 0.75:
            await self.several()
        elif chance < 0.85:
            await self.by_name()
        elif chance < 0.90:
            await self.shelf()
        elif chance < 0.92:
            await self.ids()
        elif chance < 0.95:
            await self.census()
        elif chance < 0.995:
            await self.page()
        else:
            await self.fresh()
        self._count()

    def _count(self) -> None:
        for level, count in enumerate(self._counts):
            if count:
                self._ledger.count(LEVELS[level], count)
                self._counts[level] = 0

    def at_home(self) -> None:
        """All that L1 answers at this moment, whatever Redis and MySQL are doing: a task that only asks this is never held up."""
        for key in ALL:
            question = self._ask("near", (key,))
            if (note := self._cache.near(NOTE.named(key))) is not MISSING:
                self._judge(1, lambda question=question, key=key, note=note: self._checker.row(question, key, note))  # type: ignore[misc]
        for id in IDS:
            question = self._ask("near", (key_of(id),))
            if (result := self._cache.near(BY_POLL.named(id))) is not MISSING:
                self._judge_results(question, [result])
        self._count()

    async def polls(self, chance: float) -> None:
        """Results, one or all of them; or which polls are open."""
        question = self._ask("results", [key_of(id) for id in IDS])
        if chance < 0.5:
            self._judge_results(question, [await self._tables.results.one(self._dice.choice(IDS))])
        elif chance < 0.9:
            self._judge_results(question, await self._tables.results.many(IDS))
        else:
            found = await self._tables.results.many([poll.id for poll in await self._tables.polls.open()])
            self._judge_results(question, found)
            assert len(found) == len(IDS), f"the open polls are {found}"

    async def ones(self) -> None:
        for _ in range(6):
            key = self._dice.randint(1, KEYS)
            question = self._ask("one", (key,))
            try:
                note: Note | None = await self._notes.one(key)
            except NotFound:
                note = None
            self._judge(1, lambda question=question, key=key, note=note: self._checker.row(question, key, note))  # type: ignore[misc]

    async def several(self) -> None:
        keys = self._dice.sample(ALL, self._dice.randint(5, 20))
        question = self._ask("many", keys)
        found = {note.id: note for note in await self._notes.many(keys)}
        self._rows(question, {key: found.get(key) for key in keys})

    async def by_name(self) -> None:
        name = self._dice.randint(1, NAMES)
        question = self._ask("named", ALL)
        note = await self._notes.named(name)
        if note is None:
            self._judge(1, lambda: self._checker.nobody_named(question, name))
        else:
            self._judge(1, lambda: self._checker.named(question, name, note))

    async def shelf(self) -> None:
        shelf = self._dice.randint(1, SHELVES)
        question = self._ask("shelf", ALL)
        self._judge_shelf(question, shelf, tuple(await self._notes.on_shelf(shelf)))

    async def ids(self) -> None:
        shelf = self._dice.randint(1, SHELVES)
        question = self._ask("ids", ALL)
        ids = await self._notes.ids_on_shelf(shelf)
        self._ledger.count("lists")
        self._judge(1, lambda: self._checker.members(question, shelf, set(ids)))

    async def census(self) -> None:
        question = self._ask("census", ALL)
        answer = await self._notes.census()
        self._ledger.count("lists")
        self._judge(1, lambda: self._checker.census(question, dict(zip(answer[::2], answer[1::2], strict=True))))

    async def page(self) -> None:
        shelf = self._dice.randint(1, SHELVES)
        key = f"prove:{shelf}"
        question = self._ask("page", ALL)
        page = self._pages.get(key)
        if page is None:
            self._level[0] = L2
            page = await self._pages.check(key)
        if page is None:
            with self._pages.reading() as reading:
                page = Page(tuple(await self._notes.on_shelf(shelf)))
            self._pages.put(key, reading, page)
        else:
            self._ledger.count("pages")
        self._judge_shelf(question, shelf, page.notes)

    async def fresh(self) -> None:
        """What MySQL says, which readers must not see go back either."""
        keys = self._dice.sample(ALL, 3)
        question = self._ask("fresh", keys)
        found = {note.id: note for note in await self._notes.fresh().many(keys)}
        self._level[0] = MYSQL
        self._rows(question, {key: found.get(key) for key in keys})

    async def given_up(self) -> None:
        """A question whose asker goes away before the answer comes."""
        try:
            async with asyncio.timeout(self._dice.random() ** 2 * 0.02):
                await self.some()
        except TimeoutError:
            self._ledger.count("cut short")

    def _ask(self, text: str, keys: "range | list[int] | tuple[int, ...]") -> Question:
        self._level[0] = L1
        return self._checker.ask(text, keys)

    def _rows(self, question: Question, rows: dict[int, Note | None]) -> None:
        for key, note in rows.items():
            self._judge(1, lambda key=key, note=note: self._checker.row(question, key, note))  # type: ignore[misc]

    def _judge_results(self, question: Question, results: list[Result]) -> None:
        self._ledger.count("results", len(results))
        for result in results:
            self._judge(1, lambda result=result: self._checker.result(question, result))  # type: ignore[misc]

    def _judge_shelf(self, question: Question, shelf: int, notes: tuple[Note, ...]) -> None:
        self._ledger.count("lists")
        for note in notes:
            self._judge(1, lambda note=note: self._checker.row(question, note.id, note))  # type: ignore[misc]
        self._judge(1, lambda: self._checker.members(question, shelf, {note.id for note in notes}))

    def _judge(self, answers: int, judge: Callable[[], None]) -> None:
        self._checker.level = self._level[0]
        self._counts[self._level[0]] += answers
        judge()
