"""The bodies of posts: two wide columns of the table `posts`, remembered on their own so that lists stay light."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from cache import Key, Slot
from models.base import Table


@dataclass(frozen=True, slots=True)
class Body:
    """`md` is what the author wrote; `html` is what readers get: rendered and sanitised at write time."""

    post_id: int
    md: str
    html: str
    version: int


BY_POST = Key("post.body", Body, by=("post_id",), ttl=600)


def shown_in(post_id: int) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in. A new key is not done until it is here."""
    return (BY_POST(post_id),)


class Bodies(Table[Body]):
    key: ClassVar = BY_POST
    rows_sql: ClassVar = "SELECT id, body_md, body_html, version FROM posts WHERE id IN %s"

    async def beginnings(self, ids: Sequence[int], most: int) -> dict[int, str]:
        """At most `most` characters of each body's HTML, straight from MySQL; the last tag may be cut."""
        if not ids:
            return {}
        rows = await self.db.fetch("SELECT id, LEFT(body_html, %s) FROM posts WHERE id IN %s", most, tuple(ids))
        return dict(rows)
