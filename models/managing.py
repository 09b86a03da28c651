"""The posts as editors look for them: of every status, by author, tag and date, the last changed or published first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from models.posts import Post, Posts, Status, normal_tags
from models.sheets import Keep, Order, Place, Sheet, Walk, count, sheet

Sort = Literal["changed", "published"]
IN_ALL: tuple[Status, ...] = ("draft", "scheduled", "published")  # the trash is looked into only on purpose
MOST_AUTHORS = 5  # people that the beginning of a name may mean
FEW = 8_000  # posts of some authors that may be looked at one by one, for their tag
COUNTED = 1_000  # of them, that are also counted

_ORDERS: dict[Sort, Order] = {
    "changed": Order("posts", "updated_at"),
    "published": Order("posts", "published_at"),
}
_INDEXES: dict[Sort, tuple[str, str]] = {  # of a status, and of an author and a status
    "changed": ("shelf", "own_shelf"),
    "published": ("newest", "by_author"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an editor looks for. `author` is the beginning of a name; `since` and `until` bound the date that is sorted by.

    `among`: only these ids, such as a search found; None for all.
    """

    status: Status | None = None
    author: str = ""
    tag: str = ""
    since: datetime | None = None
    until: datetime | None = None
    sort: Sort = "changed"
    among: tuple[int, ...] | None = None

    @property
    def statuses(self) -> tuple[Status, ...]:
        return (self.status,) if self.status else IN_ALL


class ManagedPosts:
    """Reads `posts` and `posts_tags` from MySQL, around the cache: an editor sees what is so."""

    def __init__(self, table: Posts) -> None:
        self.posts, self.db = table.fresh(), table.db

    async def sheet(self, wanted: Wanted, place: Place | None = None) -> Sheet[Post]:
        """A sheet of the posts; its count is None where only reading all of them would give it. Raises NotFound for the place."""
        authors = await self._authors(wanted.author) if wanted.author else None
        tag_id = await self._tag_id(wanted.tag) if wanted.tag else None
        if authors == [] or tag_id == 0 or wanted.among == ():
            return Sheet((), count=0)
        keep: Keep | None = None
        written = await self._written(authors) if tag_id and authors and wanted.among is None else 0
        if tag_id and wanted.among is None and (not authors or written > FEW):
            order, walks = _of_tag(wanted, tag_id)
            if authors:
                keep = self._written_by(tuple(authors))
        else:
            order, walks = _of_posts(wanted, authors, tag_id)
        found = await sheet(self.db, order, walks, place=place, keep=keep)
        total = None if keep or written > COUNTED else await count(self.db, order, walks)
        return found.of(await self.posts.many(found.items), count=total)

    async def _authors(self, name: str) -> list[int]:
        escaped = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = await self.db.fetch(
            "SELECT id FROM users WHERE name LIKE %s ORDER BY name, id LIMIT %s", f"{escaped}%", MOST_AUTHORS
        )
        return [row[0] for row in rows]

    async def _tag_id(self, name: str) -> int:
        """0 for a tag that no post ever had."""
        rows = await self.db.fetch("SELECT id FROM tags WHERE name = %s", "".join(normal_tags([name])[:1]))
        return rows[0][0] if rows else 0

    async def _written(self, authors: list[int]) -> int:
        """How many posts these people have; FEW + 1 for more."""
        walks = [Walk("author_id = %s", (author,)) for author in authors]
        return await count(self.db, _ORDERS["changed"], walks, most=FEW)

    def _written_by(self, authors: tuple[int, ...]) -> Keep:
        async def keep(ids: Sequence[int]) -> set[int]:
            rows = await self.db.fetch("SELECT id FROM posts WHERE id IN %s AND author_id IN %s", tuple(ids), authors)
            return {row[0] for row in rows}

        return keep


def _of_posts(wanted: Wanted, authors: list[int] | None, tag_id: int | None) -> tuple[Order, list[Walk]]:
    """One walk for each status, and each author: so each follows an index that is sorted as the list is."""
    order, dates = _ORDERS[wanted.sort], _dates(wanted)
    if tag_id:
        tagged = " AND EXISTS (SELECT 1 FROM posts_tags pt WHERE pt.post_id = posts.id AND pt.tag_id = %s)"
        dates = (dates[0] + tagged, (*dates[1], tag_id))
    if wanted.among is not None:
        where = f"id IN %s AND status IN %s{' AND author_id IN %s' if authors else ''}{dates[0]}"
        people = [tuple(authors)] if authors else []
        return order, [Walk(where, (wanted.among, wanted.statuses, *people, *dates[1]), "PRIMARY")]
    by_status, by_author = _INDEXES[wanted.sort]
    if authors is None:
        return order, [Walk(f"status = %s{dates[0]}", (status, *dates[1]), by_status) for status in wanted.statuses]
    where = f"author_id = %s AND status = %s{dates[0]}"
    pairs = [(author, status) for author in authors for status in wanted.statuses]
    return order, [Walk(where, (author, status, *dates[1]), by_author) for author, status in pairs]


def _of_tag(wanted: Wanted, tag_id: int) -> tuple[Order, list[Walk]]:
    """A tag's own walks. By publication there is one, of the published: the tag's rows have no other dates."""
    where, dates = _dates(wanted)
    if wanted.sort == "published":
        walks = [Walk(f"tag_id = %s{where}", (tag_id, *dates), "newest")] if "published" in wanted.statuses else []
        return Order("posts_tags", "published_at", id="post_id"), walks
    order = Order("posts_tags", "updated_at", id="post_id")
    one = f"tag_id = %s AND status = %s{where}"
    return order, [Walk(one, (tag_id, status, *dates), "shelf") for status in wanted.statuses]


def _dates(wanted: Wanted) -> tuple[str, tuple[Any, ...]]:
    column = _ORDERS[wanted.sort].column
    parts = [f"{column} IS NOT NULL"] if wanted.sort == "published" else []
    args = []
    for sign, moment in ((">=", wanted.since), ("<", wanted.until)):
        if moment is not None:
            parts.append(f"{column} {sign} %s")
            args.append(moment)
    return "".join(f" AND {part}" for part in parts), tuple(args)
