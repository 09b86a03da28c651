"""The posts as editors look for them: of every status, by author, tag and date, the last changed or published first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from models.posts import Post, Posts, Status, normal_tags
from models.sheets import Order, Place, Sheet, Walk, count, sheet

Sort = Literal["changed", "published"]
IN_ALL: tuple[Status, ...] = ("draft", "scheduled", "published")  # the trash is looked into only on purpose
MOST_AUTHORS = 10  # people that the beginning of a name may mean
FEW = 3_000  # posts of a tag that are read one by one; above it the list is walked and the tag looked up

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
    """What an editor looks for. `author` is the beginning of a name; `since` and `until` bound the date that is sorted by."""

    status: Status | None = None
    author: str = ""
    tag: str = ""
    since: datetime | None = None
    until: datetime | None = None
    sort: Sort = "changed"


class ManagedPosts:
    """Reads `posts` and `posts_tags` from MySQL, around the cache: an editor sees what is so."""

    def __init__(self, table: Posts) -> None:
        self.posts, self.db = table.fresh(), table.db

    async def sheet(self, wanted: Wanted, place: Place | None = None) -> Sheet[Post]:
        """A sheet of the posts; its count is None where only reading all of them would give it. Raises NotFound for the place."""
        order = _ORDERS[wanted.sort]
        authors = await self._authors(wanted.author) if wanted.author else None
        tag_id, tagged = await self._tag(wanted.tag) if wanted.tag else (0, None)
        if authors == [] or (wanted.tag and not tag_id):
            return Sheet((), count=0)
        walks = _walks(wanted, authors, tagged)

        async def keep(ids: Sequence[int]) -> set[int]:
            sql = "SELECT post_id FROM posts_tags WHERE tag_id = %s AND post_id IN %s"
            return {row[0] for row in await self.db.fetch(sql, tag_id, tuple(ids))}

        many_tagged = bool(tag_id) and tagged is None
        found = await sheet(self.db, order, walks, place=place, keep=keep if many_tagged else None)
        total = None if many_tagged else await count(self.db, order, walks)
        return found.of(await self.posts.many(found.items), count=total)

    async def _authors(self, name: str) -> list[int]:
        escaped = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = await self.db.fetch(
            "SELECT id FROM users WHERE name LIKE %s ORDER BY name, id LIMIT %s", f"{escaped}%", MOST_AUTHORS
        )
        return [row[0] for row in rows]

    async def _tag(self, name: str) -> tuple[int, tuple[int, ...] | None]:
        """(the tag's id or 0, the ids of its posts or None when they are more than FEW)."""
        rows = await self.db.fetch("SELECT id FROM tags WHERE name = %s", "".join(normal_tags([name])[:1]))
        if not rows:
            return 0, None
        tag_id = rows[0][0]
        posts = await self.db.fetch("SELECT post_id FROM posts_tags WHERE tag_id = %s LIMIT %s", tag_id, FEW + 1)
        return tag_id, None if len(posts) > FEW else tuple(row[0] for row in posts)


def _walks(wanted: Wanted, authors: list[int] | None, tagged: tuple[int, ...] | None) -> list[Walk]:
    """One walk for each status, and each author: so each follows an index that is sorted as the list is."""
    statuses = (wanted.status,) if wanted.status else IN_ALL
    dates, bounds = _dates(wanted)
    if tagged is not None:
        if not tagged:
            return []
        where = f"id IN %s AND status IN %s{' AND author_id IN %s' if authors else ''}{dates}"
        return [Walk(where, (tagged, statuses, *([tuple(authors)] if authors else []), *bounds), "PRIMARY")]
    by_status, by_author = _INDEXES[wanted.sort]
    if authors is None:
        return [Walk(f"status = %s{dates}", (status, *bounds), by_status) for status in statuses]
    return [
        Walk(f"author_id = %s AND status = %s{dates}", (author, status, *bounds), by_author)
        for author in authors
        for status in statuses
    ]


def _dates(wanted: Wanted) -> tuple[str, tuple[Any, ...]]:
    column = _ORDERS[wanted.sort].column
    parts = [f"{column} IS NOT NULL"] if wanted.sort == "published" else []
    args = []
    for sign, moment in ((">=", wanted.since), ("<", wanted.until)):
        if moment is not None:
            parts.append(f"{column} {sign} %s")
            args.append(moment)
    return "".join(f" AND {part}" for part in parts), tuple(args)
