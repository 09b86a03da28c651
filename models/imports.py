"""Posts that come from Markdown files: each file is one post, known again by its path."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from content.markdown import render
from content.slugs import slug as make_slug
from models import redirects
from models.posts import Post, Posts, normal_tags
from models.users import Users
from models.writing import insert, update

Outcome = Literal["created", "changed", "same"]


@dataclass(frozen=True, slots=True)
class Imported:
    """One file. `author` is the first author's name, `byline` all of them when there are several; `aliases` are old paths."""

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


class Imports:
    """What `plaza import` writes; it needs nobody's permission but that of who runs the command."""

    def __init__(self, posts: Posts, users: Users) -> None:
        self.posts, self.users = posts, users

    async def post(self, file: Imported) -> Outcome:
        """Make or bring up to date the published post of a file. The same file again changes nothing."""
        author = await self.users.import_author(file.author)
        rendered = await asyncio.to_thread(render, file.md)
        wanted = Post(
            0, author.id, file.byline, (file.slug or make_slug(file.title))[:200], file.title[:200],
            (file.summary or rendered.excerpt)[:400], "published", file.published_at, file.published_at, file.published_at,
            file.source_path, normal_tags(file.tags), 1,
        )  # fmt: skip
        async with self.posts.write() as w:
            found = await w.fetch("SELECT id FROM posts WHERE source_path = %s FOR UPDATE", file.source_path)
            if not found:
                post = await insert(w, wanted, file.md, rendered.html)
                outcome: Outcome = "created"
            else:
                sql = self.posts.rows_sql + " FOR UPDATE"
                old = await w.locked(self.posts.make, sql, (found[0][0],))
                post = replace(
                    wanted, id=old.id, status=old.status, created_at=old.created_at, updated_at=old.updated_at,
                    version=old.version,
                )  # fmt: skip
                body = await w.fetch("SELECT body_md, body_html FROM posts WHERE id = %s", old.id)
                if post == old and body[0] == (file.md, rendered.html):
                    outcome = "same"
                else:
                    await update(w, old, post, file.md, rendered)
                    outcome = "changed"
            for alias in sorted({redirects.normal(alias) for alias in file.aliases}):
                if len(alias) <= redirects.LONGEST:
                    await redirects.lead(w, alias, f"/blog/{post.id}-{post.slug}")
        return outcome
