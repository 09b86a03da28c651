"""Finding posts, comments, polls and files by their words; what a query costs is bounded in `hunting`."""

import asyncio
import hashlib
from dataclasses import dataclass, field

from cache import List
from content.queries import Query, parse
from content.terms import fold_name
from models import file_rows, polls, posts
from models.errors import Busy
from models.hunting import NOTHING, Hunt, Wanted
from models.posts import Posts
from models.terms import COMMENT, FILE, POLL, POST, author_label, tag_label

PER_PAGE = 10
MOST_FOUND = 500  # rows that the pages of one answer show
NAMESAKES = 4  # users of one name, or else whose names begin with it, that `author:` means
AT_ONCE = 4  # searches of one process: they never take all connections to MySQL
PATIENCE = 2.0  # s that a search waits for its turn

FOUND = List("search.posts", by=("query",), scopes=(posts.PUBLISHED,), ttl=60)
FOUND_POLLS = List("search.polls", by=("query",), scopes=(polls.EVERYWHERE,), ttl=60)
FOUND_FILES = List("search.files", by=("query",), scopes=(file_rows.EVERYWHERE,), ttl=60)


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


class Search:
    """The reads of the table `terms`; `models.search` of a process.

    Queries: several words are AND, "quoted words" stand side by side, `tag:rust` (of posts), `author:name`. An empty query, or
    one without letters and numbers, finds nothing.
    """

    def __init__(self, table: Posts) -> None:
        self._table, self.db = table, table.db
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def posts(self, text: str, *, shown_only: bool = True, page: int = 1, per_page: int = PER_PAGE) -> Found:
        """Posts by title, then frequency, then date; `shown_only` False for manage pages: drafts and the trash as well.

        A manage list that filters further asks for `per_page=MOST_FOUND` and keeps the order of `ids`.
        """
        return await self._page(POST, FOUND, text, shown_only, page, per_page)

    async def polls(self, text: str, *, shown_only: bool = True, page: int = 1, per_page: int = PER_PAGE) -> Found:
        """Polls by question, then frequency, then date; `shown_only` False: scheduled and trashed ones as well."""
        return await self._page(POLL, FOUND_POLLS, text, shown_only, page, per_page)

    async def files(self, text: str, *, shown_only: bool = True, page: int = 1, per_page: int = PER_PAGE) -> Found:
        """Originals by the words of their names, then date; `shown_only` False: those in the trash as well.

        One whose time has just ended may be among them: whoever shows them asks `File.visible`.
        """
        return await self._page(FILE, FOUND_FILES, text, shown_only, page, per_page)

    async def comments(self, text: str, *, shown_only: bool = True, page: int = 1, per_page: int = PER_PAGE) -> Found:
        """Comments by frequency, then date; `shown_only` False: held and trashed ones as well."""
        return await self._page(COMMENT, None, text, shown_only, page, per_page)

    async def _page(
        self, kind: int, remembered: List | None, text: str, shown_only: bool, page: int, per_page: int
    ) -> Found:
        """`remembered`: where the answers that readers see are kept for the next one; None: nowhere."""
        query, answer = parse(text), NOTHING
        if query:
            wanted = await self._wanted(kind, query, shown_only)

            async def load() -> tuple[int, ...]:
                return await self._find(wanted)

            if remembered and shown_only:
                name = hashlib.blake2b(repr(wanted).encode(), digest_size=16).hexdigest()
                answer = await self._table.items(remembered(name), load)
            else:
                answer = await load()
        whole, looked_at, count, *ids = answer
        start = (page - 1) * per_page
        return Found(
            tuple(ids[start : start + per_page]), page, max(1, -(-len(ids) // per_page)), count, bool(whole), looked_at,
            query.marks, query.left_out,
        )  # fmt: skip

    async def _wanted(self, kind: int, query: Query, shown_only: bool) -> Wanted:
        authors = [await self._authors(name) for name in query.authors]
        tags = [(tag_label(tag),) for name in query.tags for tag in posts.normal_tags((name,))]
        clauses = (*((term,) for term in query.terms), *tags, *authors)
        return Wanted(kind, clauses, len(query.terms), query.phrases, shown_only)

    async def _authors(self, name: str) -> tuple[str, ...]:
        """The labels that `author:` may mean: members of that name, or whose names begin with it, and the name in bylines."""
        pattern = name[:100].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        rows = await self.db.fetch(
            "SELECT id, name FROM users WHERE name LIKE %s ORDER BY name, id LIMIT %s", pattern, NAMESAKES
        )
        same = [row for row in rows if fold_name(row[1]) == fold_name(name)]
        return *(author_label(id) for id, _ in same or rows), author_label(name)

    async def _find(self, wanted: Wanted) -> tuple[int, ...]:
        """When it is this search's turn, what `Hunt.answer` gives."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Busy("too many searches at once") from error
        try:
            return await Hunt(self.db, wanted, MOST_FOUND).answer()
        finally:
            self._turns.release()
