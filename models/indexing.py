"""Rows that search does not know, or knows by older rules, are read for it; and a sample is read again to see that it agrees."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from models import terms
from models.comments import Comments
from models.database import Connection
from models.posts import Posts
from models.retrying import retried
from models.terms import COMMENT, POST, READ

WALK = 1_000  # rows looked at in one SELECT
TOGETHER = 25  # rows in one transaction,
MOST_TEXT = 300_000  # or as many as have so many bytes of HTML
SAMPLE = 100  # posts that a check reads again: the newest, and as many spread over all
Tell = Callable[[int, int], None]  # hears (how far, of how much)

# No text is read in a walk: a column that is large is fetched from its own pages, for every row.
_WALKS = {
    POST: "SELECT r.id, t.row_id IS NULL FROM posts r LEFT JOIN terms t ON t.kind = 1 AND t.term = %s AND t.row_id = r.id "
    "WHERE r.id > %s ORDER BY r.id LIMIT %s",
    COMMENT: "SELECT r.id, t.row_id IS NULL FROM comments r LEFT JOIN terms t ON t.kind = 2 AND t.term = %s "
    "AND t.row_id = r.id WHERE r.id > %s ORDER BY r.id LIMIT %s",
}
_SIZES = {
    POST: "SELECT id, LENGTH(body_html) FROM posts WHERE id IN %s ORDER BY id",
    COMMENT: "SELECT id, LENGTH(body_html) FROM comments WHERE id IN %s ORDER BY id",
}
# Each row has the label READ: with it, whole tables are compared without reading a text.
_CHECKS = {
    "posts that search does not know; run plaza reindex": """
        SELECT p.id FROM posts p LEFT JOIN terms t ON t.kind = 1 AND t.term = %s AND t.row_id = p.id
        WHERE t.row_id IS NULL LIMIT 11""",
    "comments that search does not know; run plaza reindex": """
        SELECT c.id FROM comments c LEFT JOIN terms t ON t.kind = 2 AND t.term = %s AND t.row_id = c.id
        WHERE t.row_id IS NULL LIMIT 11""",
    "search terms of posts that are gone, or are shown otherwise": """
        SELECT t.row_id FROM terms t LEFT JOIN posts p ON p.id = t.row_id WHERE t.kind = 1 AND t.term = %s
        AND (p.id IS NULL OR t.shown <> (p.status = 'published')) LIMIT 11""",
    "search terms of comments that are gone, or are shown otherwise": """
        SELECT t.row_id FROM terms t LEFT JOIN comments c ON c.id = t.row_id WHERE t.kind = 2 AND t.term = %s
        AND (c.id IS NULL OR t.shown <> (c.status = 'shown')) LIMIT 11""",
}


class Indexing:
    """Writes `terms` for rows whose own writes did not; nothing else changes, and cached searches follow within their time."""

    def __init__(self, posts: Posts, comments: Comments) -> None:
        self.posts, self.comments, self.db = posts, comments, posts.db
        self._walked = {POST: 0, COMMENT: 0}

    async def index(self, *, everything: bool = False, tell: Tell = lambda done, of: None) -> int:
        """Read what search does not know, or `everything`; how many rows. What was stopped goes on when it is called again.

        Rows that this process has walked past are not looked at again, unless `everything` is: their writes bring their terms.
        """
        count = 0
        (ends,) = await self.db.fetch("SELECT (SELECT MAX(id) FROM posts), (SELECT MAX(id) FROM comments)")
        whole = sum(end or 0 for end in ends)
        for kind, before in ((POST, 0), (COMMENT, ends[0] or 0)):
            last = 0 if everything else self._walked[kind]
            while rows := await self.db.fetch(_WALKS[kind], READ, last, WALK):
                wanted = tuple(id for id, unknown in rows if unknown or everything)
                for ids in _groups(await self.db.fetch(_SIZES[kind], wanted) if wanted else ()):
                    await (self._posts(ids) if kind == POST else self._comments(ids))
                    count += len(ids)
                    tell(before + ids[-1], whole)
                last = self._walked[kind] = rows[-1][0]
                tell(before + last, whole)
        return count

    @retried
    async def _posts(self, ids: Sequence[int]) -> None:
        async with self.posts.write() as w:
            rows = await w.fetch(self.posts.rows_sql + " ORDER BY p.id FOR UPDATE", tuple(ids))
            bodies = dict(await w.fetch("SELECT id, body_html FROM posts WHERE id IN %s", tuple(ids)))
            for row in rows:
                post = self.posts.make(*row)
                await terms.write_post(w, post, bodies[post.id])

    @retried
    async def _comments(self, ids: Sequence[int]) -> None:
        async with self.comments.write() as w:
            for row in await w.fetch(self.comments.rows_sql + " ORDER BY id FOR UPDATE", tuple(ids)):
                comment = self.comments.make(*row)
                await terms.write_comment(
                    w, comment.id, comment.author_id, comment.html, shown=comment.status == "shown", at=comment.created_at
                )  # fmt: skip

    async def check(self) -> list[str]:
        """One sentence for each disagreement between the texts and what search knows of them; texts by a sample."""
        async with self.db.connection(seconds=600) as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            await connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            try:
                found = []
                for sentence, sql in _CHECKS.items():
                    ids = [str(row[0]) for row in await connection.fetch(sql, READ)]
                    if ids:
                        found.append(f"{sentence}: {', '.join(ids[:10])}{' and more' if len(ids) > 10 else ''}")
                return found + await self._sampled(connection)
            finally:
                await connection.rollback()

    async def _sampled(self, connection: Connection) -> list[str]:
        newest = [row[0] for row in await connection.fetch("SELECT id FROM posts ORDER BY id DESC LIMIT %s", SAMPLE)]
        if not newest:
            return []
        step = max(1, newest[0] // SAMPLE)
        ids = {*newest, *range(1, newest[0], step)}
        found = []
        for id in sorted(ids):
            rows = await connection.fetch(self.posts.rows_sql, (id,))
            known = await connection.fetch(
                "SELECT term, weight, places FROM terms WHERE kind = %s AND row_id = %s", POST, id
            )
            if rows and any(term == READ for term, _, _ in known):
                html = (await connection.fetch("SELECT body_html FROM posts WHERE id = %s", id))[0][0]
                wanted = await asyncio.to_thread(terms.of_post, self.posts.make(*rows[0]), html)
                kept: dict[str, Any] = {term: (weight, places) for term, weight, places in known}
                if kept != wanted:
                    found.append(f"search terms of post {id} are not those of its words; run plaza reindex --all")
        return found


def _groups(rows: Sequence[tuple[Any, ...]]) -> Iterator[list[int]]:
    """The ids of (id, size) in parts that one transaction can take."""
    part: list[int] = []
    size = 0
    for id, own in rows:
        if part and (len(part) == TOGETHER or size + own > MOST_TEXT):
            yield part
            part, size = [], 0
        part.append(id)
        size += own
    if part:
        yield part
