"""What crawlers may find: all published posts in parts by id, each part remembered until one of its own posts changes."""

from typing import Any, NamedTuple

from models.asking import answers
from models.posts import PART_CHANGED, PARTS, PER_PART, SITEMAP, Posts


class Place(NamedTuple):
    """A post as a sitemap names it; `changed` in seconds since the epoch."""

    id: int
    slug: str
    changed: int


class Sitemaps:
    """Walks of `posts` along the index `sitemap`, which holds all that they need: no row is read."""

    def __init__(self, table: Posts) -> None:
        self.posts = table

    @answers(PARTS)
    async def parts(self) -> list[tuple[int, int]]:
        """(number, last change in seconds since the epoch) of each part that has a published post.

        A change of one post makes only its own part be asked about again.
        """

        async def load() -> tuple[tuple[int, int], ...]:
            found: list[tuple[int, int]] = []
            n = await self._next(0)
            while n is not None:  # an imported post may have any number: gaps are jumped over
                found.append((n, await self._changed(n)))
                n = await self._next(n + 1)
            return tuple(found)

        return [(n, at) for n, at in await self.posts.items(PARTS(), load)]

    @answers(SITEMAP)
    async def part(self, n: int) -> list[Place]:
        """The published posts of part n, the oldest number first."""

        async def load() -> tuple[Any, ...]:
            return await self.posts.db.fetch(
                "SELECT id, slug, CAST(FLOOR(UNIX_TIMESTAMP(updated_at)) AS SIGNED) FROM posts FORCE INDEX (sitemap) "
                "WHERE status = 'published' AND id >= %s AND id < %s ORDER BY id",
                n * PER_PART, (n + 1) * PER_PART,
            )  # fmt: skip

        return [Place(*row) for row in await self.posts.items(SITEMAP(n), load)]

    async def _next(self, n: int) -> int | None:
        """The first part from n on that has a post."""
        rows = await self.posts.db.fetch(
            "SELECT id FROM posts FORCE INDEX (sitemap) WHERE status = 'published' AND id >= %s ORDER BY id LIMIT 1",
            n * PER_PART,
        )
        return int(rows[0][0]) // PER_PART if rows else None

    @answers(PART_CHANGED)
    async def _changed(self, n: int) -> int:
        """When a post of the part last changed; 0 when it has none."""

        async def load() -> tuple[int]:
            rows = await self.posts.db.fetch(
                "SELECT CAST(FLOOR(UNIX_TIMESTAMP(MAX(updated_at))) AS SIGNED) FROM posts FORCE INDEX (sitemap) "
                "WHERE status = 'published' AND id >= %s AND id < %s",
                n * PER_PART, (n + 1) * PER_PART,
            )  # fmt: skip
            return (rows[0][0] or 0,)

        (changed,) = await self.posts.items(PART_CHANGED(n), load)
        return int(changed)
