"""Finding posts and comments by their words: bounded work for any query, and an answer that says where it stopped.

How a query of several words is answered:

1. For each word the rows that have it are counted, up to `most`: so many can be looked up under the other words with WORK.
2. If one word has no more than that, its rows are looked up: the answer is whole.
3. Else each word gives the best of its rows (title, frequency, date), together `most`, and those are looked up: the answer is
   the best of what was looked at, and says so.
4. Of a phrase, the places of its words are compared, in the best rows, PHRASED words in all.

So no query reads more than some 4 * WORK entries of the index, however common its words are.
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cache import List
from content.queries import Query, parse
from content.terms import fold_name, spots
from models import posts
from models.database import Database
from models.errors import Busy
from models.posts import Posts
from models.terms import COMMENT, POST, author_label, tag_label

PER_PAGE = 10
MOST_FOUND = 500  # rows that the pages of one answer show
WORK = 4_000  # rows that one query looks up under other terms, in all
PHRASED = 2_000  # words whose places are compared for phrases
NAMESAKES = 4  # users of one name, or else whose names begin with it, that `author:` means
AT_ONCE = 4  # searches of one process: they never take all connections to MySQL
PATIENCE = 2.0  # s that a search waits for its turn

_BEST = (
    "(SELECT row_id, day, weight FROM terms WHERE kind = %s AND term = %s AND shown = %s "
    "ORDER BY weight DESC, day DESC, row_id DESC LIMIT %s)"
)

FOUND = List("search.posts", by=("query",), scopes=(posts.PUBLISHED,), ttl=60)
_NOTHING: tuple[int, ...] = (1, 0, 0)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what a query found, best first.

    `ids`: row ids in the order of their rank. `count`: how many rows match; if not `whole`, at least so many. `looked_at`: 0,
    or, when the words were so common that only the best of their rows were looked through, how many; the page must say that.
    `page_count` covers at most MOST_FOUND rows. `marks`: what to mark in texts, for `content.marking.marked`. `left_out`: words
    of the query that were not looked for, because there were too many.
    """

    ids: tuple[int, ...]
    page_index: int
    page_count: int
    count: int
    whole: bool = True
    looked_at: int = 0
    marks: tuple[str, ...] = ()
    left_out: tuple[str, ...] = field(default=())

    @property
    def item_count(self) -> int:
        return self.count

    @property
    def has_next(self) -> bool:
        return self.page_index < self.page_count

    @property
    def has_previous(self) -> bool:
        return self.page_index > 1


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a row must have: for each clause one of its terms. The first `words` clauses are words, of one term each."""

    kind: int
    clauses: tuple[tuple[str, ...], ...]
    words: int
    phrases: tuple[tuple[tuple[str, int], ...], ...]
    shown_only: bool


class Search:
    """The reads of the table `terms`; `models.search` of a process.

    Queries: several words are AND, "quoted words" stand side by side, `tag:rust` (of posts), `author:name`. An empty query, or
    one without letters and numbers, finds nothing.
    """

    def __init__(self, table: Posts) -> None:
        self.posts_table, self.db = table, table.db
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def posts(self, text: str, *, shown_only: bool = True, page: int = 1, per_page: int = PER_PAGE) -> Found:
        """Posts by title, then frequency, then date; `shown_only` False for manage pages: drafts and the trash as well.

        A manage list that filters further asks for `per_page=MOST_FOUND` and keeps the order of `ids`.
        """
        query = parse(text)
        wanted = await self._wanted(POST, query, shown_only)

        async def load() -> tuple[int, ...]:
            return await self._find(wanted)

        if not query:
            answer = _NOTHING
        elif shown_only:
            name = hashlib.blake2b(repr(wanted).encode(), digest_size=16).hexdigest()
            answer = await self.posts_table.items(FOUND(name), load)
        else:
            answer = await load()
        return _page(answer, query, page, per_page)

    async def comments(self, text: str, *, shown_only: bool = True, page: int = 1, per_page: int = PER_PAGE) -> Found:
        """Comments by frequency, then date; `shown_only` False: held and trashed ones as well."""
        query = parse(text)
        answer = await self._find(await self._wanted(COMMENT, query, shown_only)) if query else _NOTHING
        return _page(answer, query, page, per_page)

    async def _wanted(self, kind: int, query: Query, shown_only: bool) -> _Wanted:
        authors = [await self._authors(name) for name in query.authors]
        tags = [(tag_label(tag),) for name in query.tags for tag in posts.normal_tags((name,))]
        clauses = (*((term,) for term in query.terms), *tags, *authors)
        return _Wanted(kind, clauses, len(query.terms), query.phrases, shown_only)

    async def _authors(self, name: str) -> tuple[str, ...]:
        """The labels that `author:` may mean: members of that name, or whose names begin with it, and the name in bylines."""
        pattern = name[:100].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        rows = await self.db.fetch(
            "SELECT id, name FROM users WHERE name LIKE %s ORDER BY name, id LIMIT %s", pattern, NAMESAKES
        )
        same = [row for row in rows if fold_name(row[1]) == fold_name(name)]
        return *(author_label(id) for id, _ in same or rows), author_label(name)

    async def _find(self, wanted: _Wanted) -> tuple[int, ...]:
        """(1 if the answer is whole else 0, rows looked at or 0, how many rows, their ids, best first, at most MOST_FOUND)."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Busy("too many searches at once") from error
        try:
            return await _Hunt(self.db, wanted).answer()
        finally:
            self._turns.release()


class _Hunt:
    """One query being answered."""

    def __init__(self, db: Database, wanted: _Wanted) -> None:
        self.db, self.wanted = db, wanted
        self.terms = sum(map(len, wanted.clauses))
        self.most = WORK // max(1, self.terms - 1)
        self.phrased = PHRASED // max(2, sum(map(len, wanted.phrases)))
        self.shown = (1,) if wanted.shown_only else (1, 0)

    async def answer(self) -> tuple[int, ...]:
        """What `Search._find` gives; the steps are those of this module's beginning."""
        wanted = self.wanted
        counts = await self._counts()
        if not all(counts):
            return _NOTHING
        if len(counts) == 1 and len(wanted.clauses[0]) == 1 and wanted.shown_only:
            return (int(counts[0] <= self.most), 0, min(counts[0], self.most), *await self._best())
        # The rarest first: a row that lacks it costs no further look.
        order = sorted(range(len(counts)), key=lambda i: counts[i])
        whole = counts[order[0]] <= self.most
        drivers = order[:1] if whole else order
        count, ids = await self._meet(order, drivers, self.most if whole else self.most // self.terms)
        looked_at = 0 if whole else self.most
        if wanted.phrases:
            looked_at = self.phrased if count > self.phrased else looked_at
            ids = await self._phrased(ids)
            count = len(ids)
        return (int(not looked_at), looked_at, count, *ids[:MOST_FOUND])

    async def _counts(self) -> list[int]:
        """How many rows each clause has, up to one more than `most`."""
        wanted = self.wanted
        shown = "AND shown = 1" if wanted.shown_only else ""
        one = f"(SELECT COUNT(*) FROM (SELECT 1 FROM terms WHERE kind = %s AND term = %s {shown} LIMIT %s) part)"  # noqa: S608
        sums = [" + ".join([one] * len(clause)) for clause in wanted.clauses]
        args = [arg for clause in wanted.clauses for term in clause for arg in (wanted.kind, term, self.most + 1)]
        rows = await self.db.fetch(f"SELECT {', '.join(sums)}", *args)
        return [int(n) for n in rows[0]]

    async def _best(self) -> list[int]:
        """The rows of one word alone: the index has them in the order of their rank."""
        rows = await self.db.fetch(
            "SELECT row_id FROM terms WHERE kind = %s AND term = %s AND shown = 1 "
            "ORDER BY weight DESC, day DESC, row_id DESC LIMIT %s",
            self.wanted.kind, self.wanted.clauses[0][0], MOST_FOUND,
        )  # fmt: skip
        return [row[0] for row in rows]

    async def _meet(self, order: Sequence[int], drivers: Sequence[int], most: int) -> tuple[int, list[int]]:
        """How many of the best `most` rows of each term of the drivers have all clauses, and which, best first."""
        parts, args = list[str](), list[object]()
        for driver in drivers:
            sql, more = self._driven(driver, [i for i in order if i != driver], most)
            parts.append(sql)
            args += more
        rows = await self.db.fetch(
            f"SELECT COUNT(*), SUBSTRING_INDEX(GROUP_CONCAT(id ORDER BY titles DESC, often DESC, day DESC, id DESC), ',', "  # noqa: S608
            f"{self.phrased if self.wanted.phrases else MOST_FOUND}) FROM ({' UNION '.join(parts)}) found",
            *args,
        )  # fmt: skip
        count, ids = rows[0]
        return count, [int(id) for id in ids.split(",")] if ids else []

    def _driven(self, driver: int, others: Sequence[int], most: int) -> tuple[str, list[object]]:
        """The SQL, and its values, for the best rows of one clause that have the others too, with their ranks."""
        wanted = self.wanted
        best = " UNION ".join([_BEST] * len(wanted.clauses[driver]) * len(self.shown))
        args: list[object] = [
            arg for term in wanted.clauses[driver] for shown in self.shown for arg in (wanted.kind, term, shown, most)
        ]
        joins, either = list[str](), list[str]()
        for i in others:
            names = [f"t{i}_{n}" for n in range(len(wanted.clauses[i]))]
            joint = "JOIN" if len(names) == 1 else "LEFT JOIN"
            joins += [f"{joint} terms {t} ON {t}.kind = %s AND {t}.term = %s AND {t}.row_id = d.row_id" for t in names]
            args += [arg for term in wanted.clauses[i] for arg in (wanted.kind, term)]
            if len(names) > 1:
                either.append(f"COALESCE({', '.join(f'{t}.row_id' for t in names)}) IS NOT NULL")
        words = ["d.weight" if i == driver else f"t{i}_0.weight" for i in range(wanted.words)] or ["0"]
        # STRAIGHT_JOIN: these rows first, then one look into the primary key for each other term, never a walk through its rows.
        sql = (
            f"SELECT STRAIGHT_JOIN d.row_id AS id, d.day AS day, {' + '.join(f'{w} DIV 16' for w in words)} AS titles, "  # noqa: S608
            f"{' + '.join(f'{w} MOD 16' for w in words)} AS often FROM ({best}) d {' '.join(joins)} "
            f"{'WHERE ' if either else ''}{' AND '.join(either)}"
        )
        return sql, args

    async def _phrased(self, ids: list[int]) -> list[int]:
        """Those rows in which the words of each phrase stand side by side, in the same order."""
        terms = tuple(dict.fromkeys(term for phrase in self.wanted.phrases for term, _ in phrase))
        # One string for each term, of at most 620 KB: as rows they would take Python as long as all the rest.
        one = "(SELECT %s, GROUP_CONCAT(row_id, ':', HEX(places)) FROM terms WHERE kind = %s AND term = %s AND row_id IN %s)"
        args = [arg for term in terms for arg in (term, self.wanted.kind, term, tuple(ids))]
        rows = await self.db.fetch(" UNION ALL ".join([one] * len(terms)), *args) if ids else ()
        places = {(int(id), term): spots(at) for term, text in rows if text for id, at in _pairs(text)}
        none: frozenset[int] = frozenset()

        def has(id: int, phrase: tuple[tuple[str, int], ...]) -> bool:
            (first, at), *others = phrase
            return any(
                all(place + other - at in places.get((id, term), none) for term, other in others)
                for place in places.get((id, first), none)
            )

        return [id for id in ids if all(has(id, phrase) for phrase in self.wanted.phrases)]


def _pairs(text: str) -> Iterator[tuple[str, bytes]]:
    for part in text.split(","):
        id, _, at = part.partition(":")
        yield id, bytes.fromhex(at)


def _page(answer: tuple[int, ...], query: Query, page: int, per_page: int) -> Found:
    whole, looked_at, count, *ids = answer
    start = (page - 1) * per_page
    return Found(
        tuple(ids[start : start + per_page]), page, max(1, -(-len(ids) // per_page)), count, bool(whole), looked_at,
        query.marks,
        query.left_out,
    )  # fmt: skip
