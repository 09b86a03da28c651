"""Rows that search does not know, or knows by older rules, are read for it; and a sample is read again to see that it agrees."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from models import file_rows, polls, terms
from models.comments import Comments
from models.database import Connection
from models.files import Files
from models.polls import Polls
from models.posts import Posts
from models.retrying import retried
from models.terms import COMMENT, FILE, POLL, POST, READ

WALK = 1_000  # rows looked at in one SELECT
TOGETHER = 25  # rows in one transaction,
MOST_TEXT = 300_000  # or as many as have so many bytes of HTML
SAMPLE = 100  # posts, polls and files that a check reads again: the newest, and as many spread over all
Tell = Callable[[int, int], None]  # hears (how far, of how much)


class Searched(NamedTuple):
    """A table that search knows, as `terms.kind`: which of its rows readers see, and about how many bytes one has to be read.
    `known`: which rows it knows, if not all."""

    kind: int
    table: str
    shown: str
    size: str
    known: str = "TRUE"


_TABLES = (
    Searched(POST, "posts", "status = 'published'", "LENGTH(body_html)"),
    Searched(COMMENT, "comments", "status = 'shown'", "LENGTH(body_html)"),
    Searched(POLL, "polls", "status IN ('open', 'closed')", "LENGTH(question)"),
    Searched(FILE, "files", "status = 'shown'", "LENGTH(name)", "parent_id IS NULL"),
)
# No text is read in a walk: a column that is large is fetched from its own pages, for every row.
_WALKS = {
    one.kind: f"SELECT r.id, t.row_id IS NULL FROM {one.table} r LEFT JOIN terms t ON t.kind = {one.kind} AND t.term = %s "  # noqa: S608
    f"AND t.row_id = r.id WHERE r.id > %s AND {one.known} ORDER BY r.id LIMIT %s"
    for one in _TABLES
}
_SIZES = {one.kind: f"SELECT id, {one.size} FROM {one.table} WHERE id IN %s ORDER BY id" for one in _TABLES}  # noqa: S608
_ENDS = f"SELECT {', '.join(f'(SELECT MAX(id) FROM {one.table})' for one in _TABLES)}"  # noqa: S608
# Each row has the label READ: with it, whole tables are compared without reading a text.
_CHECKS = {
    f"{one.table} that search does not know; run plaza reindex": f"""
        SELECT r.id FROM {one.table} r LEFT JOIN terms t ON t.kind = {one.kind} AND t.term = %s AND t.row_id = r.id
        WHERE t.row_id IS NULL AND {one.known} LIMIT 11"""  # noqa: S608
    for one in _TABLES
} | {
    f"search terms of {one.table} that are gone, or are shown otherwise": f"""
        SELECT t.row_id FROM terms t LEFT JOIN (SELECT id, {one.shown} AS shown FROM {one.table} WHERE {one.known}) r
        ON r.id = t.row_id WHERE t.kind = {one.kind} AND t.term = %s AND (r.id IS NULL OR t.shown <> r.shown) LIMIT 11"""  # noqa: S608
    for one in _TABLES
}


class Indexing:
    """Writes `terms` for rows whose own writes did not; nothing else changes, and cached searches follow within their time."""

    def __init__(self, posts: Posts, comments: Comments, polls: Polls, files: Files) -> None:
        self.posts, self.comments, self.polls, self.files, self.db = posts, comments, polls, files, posts.db
        self._read = {POST: self._posts, COMMENT: self._comments, POLL: self._polls, FILE: self._files}
        self._walked = dict.fromkeys(self._read, 0)

    async def index(self, *, everything: bool = False, tell: Tell = lambda done, of: None) -> int:
        """Read what search does not know, or `everything`; how many rows. What was stopped goes on when it is called again.

        Rows that this process has walked past are not looked at again, unless `everything` is: their writes bring their terms.
        """
        count, before = 0, 0
        (ends,) = await self.db.fetch(_ENDS)
        whole = sum(end or 0 for end in ends)
        for (kind, read), end in zip(self._read.items(), ends, strict=True):
            last = 0 if everything else self._walked[kind]
            while rows := await self.db.fetch(_WALKS[kind], READ, last, WALK):
                wanted = tuple(id for id, unknown in rows if unknown or everything)
                for ids in _groups(await self.db.fetch(_SIZES[kind], wanted) if wanted else ()):
                    await read(ids)
                    count += len(ids)
                    tell(before + ids[-1], whole)
                last = self._walked[kind] = rows[-1][0]
                tell(before + last, whole)
            before += end or 0
        return count

    @retried
    async def _posts(self, ids: Sequence[int]) -> None:
        async with self.posts.write() as w:
            rows = await self.posts.locked(w, ids)
            bodies = dict(await w.fetch("SELECT id, body_html FROM posts WHERE id IN %s", tuple(ids)))
            for post in rows:
                await terms.write_post(w, post, await asyncio.to_thread(terms.of_post, post, bodies[post.id]))

    @retried
    async def _comments(self, ids: Sequence[int]) -> None:
        async with self.comments.write() as w:
            for row in await w.fetch(self.comments.rows_sql + " ORDER BY id FOR UPDATE", tuple(ids)):
                comment = self.comments.make(*row)
                found = await asyncio.to_thread(terms.of_comment, comment.author_id, comment.html)
                shown = comment.status == "shown"
                await terms.write(w, terms.COMMENT, comment.id, found, shown=shown, at=comment.created_at)

    @retried
    async def _polls(self, ids: Sequence[int]) -> None:
        async with self.polls.write() as w:
            for poll in await self.polls.locked(w, ids):
                await polls.write_terms(w, poll)

    @retried
    async def _files(self, ids: Sequence[int]) -> None:
        async with self.files.write() as w:
            for row in await w.fetch(self.files.rows_sql + " ORDER BY id FOR UPDATE", tuple(ids)):
                await file_rows.write_terms(w, self.files.make(*row))

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
        found = []
        for kind, table, word, words in (
            (POST, "posts", "post", self._of_post),
            (POLL, "polls", "poll", self._of_poll),
            (FILE, "files", "file", self._of_file),
        ):
            sql = f"SELECT id FROM {table} ORDER BY id DESC LIMIT %s"  # noqa: S608 - a literal from above
            newest = [row[0] for row in await connection.fetch(sql, SAMPLE)]
            ids = {*newest, *range(1, newest[0], max(1, newest[0] // SAMPLE))} if newest else ()
            for id in sorted(ids):
                known = await connection.fetch(
                    "SELECT term, weight, places FROM terms WHERE kind = %s AND row_id = %s", kind, id
                )
                wanted = await words(connection, id) if any(term == READ for term, _, _ in known) else None
                kept: dict[str, Any] = {term: (weight, places) for term, weight, places in known}
                if wanted is not None and kept != wanted:
                    found.append(f"search terms of {word} {id} are not those of its words; run plaza reindex --all")
        return found

    async def _of_post(self, connection: Connection, id: int) -> Any:
        """What it should be found by; None for none."""
        rows = await connection.fetch(self.posts.rows_sql, (id,))
        html = await connection.fetch("SELECT body_html FROM posts WHERE id = %s", id)
        return await asyncio.to_thread(terms.of_post, self.posts.make(*rows[0]), html[0][0]) if rows else None

    async def _of_poll(self, connection: Connection, id: int) -> Any:
        rows = await connection.fetch(self.polls.rows_sql, (id,))
        return polls.words(self.polls.make(*rows[0])) if rows else None

    async def _of_file(self, connection: Connection, id: int) -> Any:
        rows = await connection.fetch(self.files.rows_sql, (id,))
        return file_rows.words(self.files.make(*rows[0])) if rows else None


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
