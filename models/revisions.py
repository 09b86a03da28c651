"""What a post said after each save, and what an editor has typed since: nothing that was written is lost."""

from dataclasses import dataclass
from datetime import UTC, datetime

from models.base import Write
from models.database import Database
from models.errors import NotFound
from models.posts import Post
from models.retrying import retried


@dataclass(frozen=True, slots=True)
class Revision:
    """`md` is empty in lists. `tags` as they stand in the form: joined by commas."""

    id: int
    post_id: int
    author_id: int
    at: datetime
    version: int
    title: str
    summary: str
    tags: str
    md: str


@dataclass(frozen=True, slots=True)
class Autosave:
    """What one editor typed into the form of one post (0: a new one) and has not saved; it began at `base_version`."""

    post_id: int
    at: datetime
    base_version: int
    title: str
    summary: str
    tags: str
    md: str


class Revisions:
    """The tables `revisions` and `autosaves`. Editors alone read them, so nothing is cached."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def of_post(self, post_id: int, *, before: int | None = None, most: int = 50) -> list[Revision]:
        """Newest first, without their bodies."""
        rows = await self.db.fetch(
            "SELECT id, post_id, author_id, at, version, title, summary, tags, '' FROM revisions "
            "WHERE post_id = %s AND id < %s ORDER BY id DESC LIMIT %s",
            post_id, before or 2**62, most,
        )  # fmt: skip
        return [Revision(*row) for row in rows]

    async def one(self, id: int) -> Revision:
        """Raises NotFound."""
        rows = await self.db.fetch(
            "SELECT id, post_id, author_id, at, version, title, summary, tags, body_md FROM revisions WHERE id = %s", id
        )
        if not rows:
            raise NotFound(f"revision {id}")
        return Revision(*rows[0])

    async def before(self, revision: Revision) -> Revision | None:
        """The revision that this one changed; None for the first."""
        rows = await self.db.fetch(
            "SELECT id, post_id, author_id, at, version, title, summary, tags, body_md FROM revisions "
            "WHERE post_id = %s AND id < %s ORDER BY id DESC LIMIT 1",
            revision.post_id, revision.id,
        )  # fmt: skip
        return Revision(*rows[0]) if rows else None

    async def since(self, post_id: int, version: int) -> list[Revision]:
        """The saves that the post has had after it was at `version`, newest first, without their bodies."""
        return [revision for revision in await self.of_post(post_id) if revision.version > version]

    async def at_version(self, post_id: int, version: int) -> Revision | None:
        """The post's words when it was at `version`; None for a post that was not edited yet then."""
        rows = await self.db.fetch(
            "SELECT id, post_id, author_id, at, version, title, summary, tags, body_md FROM revisions "
            "WHERE post_id = %s AND version <= %s ORDER BY id DESC LIMIT 1",
            post_id, version,
        )  # fmt: skip
        return Revision(*rows[0]) if rows else None

    @retried
    async def autosave(self, user_id: int, typed: Autosave) -> None:
        """Keep what is in the form now, in place of what was kept before."""
        async with self.db.connection() as connection:
            await connection.execute(
                "INSERT INTO autosaves (user_id, post_id, at, base_version, title, summary, tags, body_md) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE at = VALUES(at), "
                "base_version = VALUES(base_version), title = VALUES(title), summary = VALUES(summary), tags = VALUES(tags), "
                "body_md = VALUES(body_md)",
                user_id, typed.post_id, typed.at, typed.base_version, typed.title, typed.summary, typed.tags, typed.md,
            )  # fmt: skip

    async def typed(self, user_id: int, post_id: int) -> Autosave | None:
        """What this editor has typed for this post and not saved."""
        rows = await self.db.fetch(
            "SELECT post_id, at, base_version, title, summary, tags, body_md FROM autosaves WHERE user_id = %s AND post_id = %s",
            user_id, post_id,
        )  # fmt: skip
        return Autosave(*rows[0]) if rows else None

    @retried
    async def discard(self, user_id: int, post_id: int) -> None:
        """Forget what was typed: it has been saved, or is not wanted."""
        async with self.db.connection() as connection:
            await connection.execute("DELETE FROM autosaves WHERE user_id = %s AND post_id = %s", user_id, post_id)


async def keep_first(w: Write, post: Post) -> None:
    """The words of a post that has no revision yet (an imported one), before they are changed; under the lock of its row."""
    await w.execute(
        "INSERT INTO revisions (post_id, author_id, at, version, title, summary, tags, body_md) "
        "SELECT p.id, p.author_id, p.updated_at, p.version, p.title, p.summary, %s, p.body_md FROM posts p "
        "WHERE p.id = %s AND NOT EXISTS (SELECT 1 FROM revisions r WHERE r.post_id = p.id)",
        ", ".join(post.tags), post.id,
    )  # fmt: skip


async def keep(w: Write, post: Post, md: str, author_id: int, *, typed_for: int | None = None) -> None:
    """The post's words after this save, in the save's own transaction; what the author had autosaved for it is done with.

    `typed_for`: the post that the autosave was kept under, 0 for one that is new.
    """
    await w.insert(
        "INSERT INTO revisions (post_id, author_id, at, version, title, summary, tags, body_md) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        post.id, author_id, datetime.now(UTC), post.version, post.title, post.summary, ", ".join(post.tags), md,
    )  # fmt: skip
    await w.execute(
        "DELETE FROM autosaves WHERE user_id = %s AND post_id = %s",
        author_id,
        post.id if typed_for is None else typed_for,
    )
