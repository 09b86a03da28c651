"""Posts as every list shows them; their bodies are `bodies`, their changes `writing`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Literal

from cache import Key, List, Scope, Slot
from models import contributions, tallies
from models.asking import answers
from models.base import Page, Table, Write
from models.contributions import Contribution
from models.errors import NotFound

PER_PAGE = 10
PER_MONTH = 200  # titles on one page of a month
PER_PART = 10_000  # ids in one file of the sitemap
Status = Literal["draft", "scheduled", "published", "trashed"]
STATUSES: tuple[Status, ...] = ("draft", "scheduled", "published", "trashed")


@dataclass(frozen=True, slots=True)
class Post:
    """All of a post but its body. `source_path` is where it was imported from; `byline` names several authors."""

    id: int
    author_id: int
    byline: str | None
    slug: str
    title: str
    summary: str
    status: Status
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    source_path: str | None
    tags: tuple[str, ...]
    version: int


BY_ID = Key("post", Post, ttl=600)
PUBLISHED = Scope("posts.published")
BY_AUTHOR = Scope("posts.author", by=("author",))
TAGGED = Scope("posts.tagged", by=("tag",))
IN_PART = Scope("posts.part", by=("part",))

FRONT_PAGES = List("posts.page", by=("page",), scopes=(PUBLISHED,), ttl=600)
AUTHOR_PAGES = List("posts.author.page", by=("author", "page"), scopes=(BY_AUTHOR,), ttl=600)
TAG_PAGES = List("posts.tag.page", by=("tag", "page"), scopes=(TAGGED,), ttl=600)
MONTHS = List("posts.months", scopes=(PUBLISHED,), ttl=600)
OF_MONTH = List("posts.month", by=("month", "after"), scopes=(PUBLISHED,), ttl=600)
PARTS = List("posts.parts", scopes=(PUBLISHED,), ttl=600)
PART_CHANGED = List("posts.part.changed", by=("part",), scopes=(IN_PART,), ttl=600)
SITEMAP = List("posts.sitemap", by=("part",), scopes=(IN_PART,), ttl=600)


def shown_in(post: Post) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in (its body's: `bodies.shown_in`). A new key is not done until it is here."""
    if post.status != "published":
        return (BY_ID(post.id),)
    lists = (PUBLISHED(), BY_AUTHOR(post.author_id), IN_PART(post.id // PER_PART))
    return BY_ID(post.id), *lists, *(TAGGED(tag) for tag in post.tags)


def tallied_in(post: Post) -> tuple[tuple[str, date], ...]:
    """The lists, and the day in them, that count this row."""
    if post.status != "published" or post.published_at is None:
        return ()
    day = post.published_at.astimezone(UTC).date()
    return ("posts", day), (f"author:{post.author_id}", day), *((f"tag:{tag}", day) for tag in post.tags)


def contributed_by(post: Post) -> tuple[Contribution, ...]:
    """What this row counts on the built-in boards."""
    if post.status != "published" or post.published_at is None:
        return ()
    return (contributions.of_post(post.author_id, post.published_at),)


class Posts(Table[Post]):
    key: ClassVar = BY_ID
    rows_sql: ClassVar = (
        "SELECT p.id, p.author_id, p.byline, p.slug, p.title, p.summary, p.status, p.published_at, p.created_at, "
        "p.updated_at, p.source_path, (SELECT GROUP_CONCAT(t.name ORDER BY t.name SEPARATOR '\\n') FROM posts_tags pt "
        "JOIN tags t ON t.id = pt.tag_id WHERE pt.post_id = p.id), p.version FROM posts p WHERE p.id IN %s"
    )

    def make(self, *columns: Any) -> Post:
        fields = list(columns)
        fields[-2] = tuple(fields[-2].split("\n")) if fields[-2] else ()
        return Post(*fields)

    async def published(self, id: int) -> Post:
        """The post, if readers may see it. Raises NotFound."""
        post = await self.one(id)
        if post.status != "published":
            raise NotFound(f"post {id} is {post.status}")
        return post

    async def locked(self, w: Write, ids: Sequence[int]) -> list[Post]:
        """The rows under lock, in the order of their ids, so that two writers cannot deadlock. Raises NotFound for one."""
        if not ids:
            return []
        held = await w.fetch("SELECT id FROM posts WHERE id IN %s ORDER BY id FOR UPDATE", tuple(ids))
        if not held and len(ids) == 1:
            raise NotFound(f"post {ids[0]}")
        # Read when all are held: tags are rows of other tables, and a statement that waits for a lock may see them as they were.
        rows = await w.fetch(self.rows_sql + " ORDER BY p.id", tuple(row[0] for row in held)) if held else ()
        return [self.make(*row) for row in rows]

    @answers(FRONT_PAGES)
    async def front(self, n: int) -> Page[Post]:
        """Page n (from 1) of the published posts, newest first. Beyond the last it has no items."""
        return await self._page(
            FRONT_PAGES(n), "posts", n,
            "SELECT id, (SELECT SUM(n) FROM tallies WHERE list = %s AND n > 0) FROM posts "
            "WHERE status = 'published' AND published_at < %s ORDER BY published_at DESC, id DESC LIMIT %s OFFSET %s",
        )  # fmt: skip

    @answers(AUTHOR_PAGES)
    async def by_author(self, author_id: int, n: int) -> Page[Post]:
        """Page n of one author's published posts."""
        return await self._page(
            AUTHOR_PAGES(author_id, n), f"author:{author_id}", n,
            "SELECT id, (SELECT SUM(n) FROM tallies WHERE list = %s AND n > 0) FROM posts WHERE author_id = %s "
            "AND status = 'published' AND published_at < %s ORDER BY published_at DESC, id DESC LIMIT %s OFFSET %s",
            author_id,
        )  # fmt: skip

    @answers(TAG_PAGES)
    async def tagged(self, tag: str, n: int) -> Page[Post]:
        """Page n of the published posts with a tag."""
        return await self._page(
            TAG_PAGES(tag, n), f"tag:{tag}", n,
            "SELECT pt.post_id, (SELECT SUM(n) FROM tallies WHERE list = %s AND n > 0) FROM tags t "
            "JOIN posts_tags pt ON pt.tag_id = t.id WHERE t.name = %s AND pt.published_at < %s "
            "ORDER BY pt.published_at DESC, pt.post_id DESC LIMIT %s OFFSET %s",
            tag,
        )  # fmt: skip

    @answers(MONTHS)
    async def months(self) -> list[tuple[date, int]]:
        """(first day of the month, number of published posts), newest first, in UTC."""

        async def load() -> tuple[tuple[str, int], ...]:
            counts: dict[str, int] = {}
            for day, n in await tallies.days(self.db, "posts"):
                counts[f"{day:%Y-%m}"] = counts.get(f"{day:%Y-%m}", 0) + n
            return tuple(counts.items())

        return [(date.fromisoformat(f"{month}-01"), n) for month, n in await self.items(MONTHS(), load)]

    @answers(OF_MONTH)
    async def of_month(self, month: date, *, after: int = 0) -> tuple[list[Post], int | None]:
        """A month's published posts, newest first, from the `after`-th on; and where the next part begins, if there is one."""
        start = datetime(month.year, month.month, 1, tzinfo=UTC)
        end = (start + timedelta(days=32)).replace(day=1)
        ids = await self.ids(
            OF_MONTH(f"{month:%Y-%m}", after),
            "SELECT id FROM posts WHERE status = 'published' AND published_at >= %s AND published_at < %s "
            "ORDER BY published_at DESC, id DESC LIMIT %s OFFSET %s",
            start, end, PER_MONTH + 1, after,
        )  # fmt: skip
        more = after + PER_MONTH if len(ids) > PER_MONTH else None
        return await self.many(ids[:PER_MONTH]), more

    async def managed(
        self, *, status: Status | None = None, author_id: int | None = None, before: int | None = None, most: int = 50
    ) -> list[Post]:
        """Posts of any status for manage pages, newest first, those with an id below `before`; read from MySQL."""
        where: list[str] = ["id < %s"]
        args: list[Any] = [before or 2**62]
        if status:
            where, args = ["status = %s", *where], [status, *args]
        if author_id:
            where, args = ["author_id = %s", *where], [author_id, *args]
        if status is None:
            where.append("status <> 'trashed'")
        rows = await self.db.fetch(
            f"SELECT id FROM posts WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT %s",  # noqa: S608 - literals from above
            *args,
            most,
        )
        return await self.fresh().many([row[0] for row in rows])

    async def _page(self, slot: Slot, tally: str, n: int, sql: str, *args: Any) -> Page[Post]:
        """`sql` selects (id, how many there are), and takes the name of the tally first."""

        async def load() -> tuple[int, ...]:
            # The newest need no walk through the days: on the first page list and count are one statement.
            spot = (
                await tallies.spot(self.db, tally, (n - 1) * PER_PAGE)
                if n > 1
                else tallies.Spot(0, tallies.FOR_EVER, 0)
            )
            rows = await self.db.fetch(sql, tally, *args, spot.before, PER_PAGE, spot.skip)
            return (int(rows[0][1] or 0) if rows else spot.total, *(row[0] for row in rows))

        count, *ids = await self.items(slot, load)
        return Page(tuple(await self.many(ids)), n, max(1, -(-count // PER_PAGE)), count)


def tags_in(text: str, *, most: int = 10) -> tuple[str, ...]:
    """The tags of a form's field: separated by commas, or by blanks where there is no comma; lower-case, each once, sorted."""
    parts = re.split(r"[,，、;\n]+" if re.search(r"[,，、;\n]", text) else r"\s+", text)
    return normal_tags(parts)[:most] if most else normal_tags(parts)


def normal_tags(names: Sequence[str]) -> tuple[str, ...]:
    """Tags as they are stored: no `#`, no slash, blanks joined by a hyphen, at most 40 characters."""
    plain = (re.sub(r"[\s/\\?#]+", "-", name.strip().lower().lstrip("#")).strip("-.")[:40] for name in names)
    return tuple(sorted({name for name in plain if name}))
