"""Posts that come from Markdown files: each file is one post, known again by its path."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, cast

from content.exports import Own
from content.slugs import slug as make_slug
from models import redirects, revisions
from models.base import Write
from models.posts import Post, Posts, Status, normal_tags
from models.retrying import retried
from models.users import User, Users
from models.writing import insert, read, update

Outcome = Literal["created", "changed", "same"]


@dataclass(frozen=True, slots=True)
class Imported:
    """One file. `author` is the first author's name, `byline` all of them when there are several; `aliases` are old paths.

    `own`: of a file that `plaza export` wrote; it decides what the file is known by, and makes the post what it was.
    """

    source_path: str
    title: str
    summary: str
    md: str
    tags: tuple[str, ...]
    author: str
    byline: str | None
    published_at: datetime
    aliases: tuple[str, ...]
    slug: str
    own: Own | None = None


class Imports:
    """What `plaza import` writes; it needs nobody's permission but that of who runs the command."""

    def __init__(self, posts: Posts, users: Users) -> None:
        self.posts, self.users = posts, users

    @retried
    async def post(self, file: Imported) -> Outcome:
        """Make or bring up to date the post of a file. The same file again changes nothing."""
        known = await self._known(file.own)
        author = await self._author(file.author, known)
        text = await asyncio.to_thread(read, file.title[:200], file.summary[:400], file.md)
        wanted = _wanted(file, author, text.summary)
        async with self.posts.write() as w:
            found = await w.fetch("SELECT id FROM posts WHERE source_path = %s FOR UPDATE", wanted.source_path)
            if not found and not known:
                post = await insert(w, await _numbered(w, wanted), text)
                outcome: Outcome = "created"
            else:
                sql = self.posts.rows_sql + " FOR UPDATE"
                old = await w.locked(self.posts.make, sql, (found[0][0] if found else known and known.id,))
                post = replace(
                    wanted, id=old.id, status=old.status, created_at=old.created_at, updated_at=old.updated_at,
                    version=old.version,
                )  # fmt: skip
                if (
                    wanted.status != old.status and file.own
                ):  # published or taken back since the export: its date goes with that
                    post = replace(post, published_at=old.published_at)
                body = await w.fetch("SELECT body_md, body_html FROM posts WHERE id = %s", old.id)
                if post == old and body[0] == (text.md, text.html):
                    outcome = "same"
                else:
                    await revisions.keep_first(w, old)
                    new = await update(w, old, post, text)
                    await revisions.keep(w, new, file.md, author.id)
                    outcome = "changed"
            for alias in sorted({redirects.normal(alias) for alias in file.aliases}):
                if len(alias) <= redirects.LONGEST:
                    await redirects.lead(w, alias, f"/blog/{post.id}-{post.slug}")
        return outcome

    async def _known(self, own: Own | None) -> Post | None:
        """The post that the file was exported from, if it was here: no other has its number and began in that moment."""
        post = await self.posts.fresh().find(own.number) if own else None
        return post if post and own and post.created_at == own.created else None

    async def _author(self, name: str, known: Post | None) -> User:
        """Who wrote the post before, if that is the name; else somebody without sign-in."""
        author = await self.users.find(known.author_id) if known else None
        return author if author and author.name == name else await self.users.import_author(name)


def _wanted(file: Imported, author: User, summary: str) -> Post:
    """The post that the file describes."""
    at = file.published_at
    post = Post(
        0, author.id, file.byline, (file.slug or make_slug(file.title))[:200], file.title[:200], summary, "published",
        at, at, at, file.source_path, normal_tags(file.tags), 1,
    )  # fmt: skip
    own = file.own
    if own is None:
        return post
    status = cast(Status, own.status)
    return replace(
        post, id=own.number, byline=own.byline, status=status, published_at=own.published, created_at=own.created,
        updated_at=own.updated, source_path=own.source,
    )  # fmt: skip


async def _numbered(w: Write, post: Post) -> Post:
    """With its own number, so that its address stays, unless another post has that."""
    taken = await w.fetch("SELECT id FROM posts WHERE id = %s FOR UPDATE", post.id) if post.id else ()
    return replace(post, id=0) if taken else post
