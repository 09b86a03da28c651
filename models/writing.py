"""How the words of posts change: written and edited, each in one transaction with its tags, tallies and revision."""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from content.markdown import TooLong, render
from content.slugs import slug
from content.terms import Posting
from models import audit, bodies, contributions, posts, revisions, tallies, terms
from models.base import Write
from models.errors import Invalid, Stale
from models.posts import Post, Posts, Status, normal_tags
from models.retrying import retried
from models.roles import EDITOR, require
from models.users import User

LONGEST_BODY = 500_000  # characters of Markdown


@dataclass(frozen=True, slots=True)
class Draft:
    """What an editor fills in. An empty summary is made from the body's beginning, a missing slug from the title; `tags` None:
    those that the post has."""

    title: str
    summary: str
    md: str
    tags: tuple[str, ...] | None
    slug: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """The words of a post: as they were written, as they are shown, and what they and the title are found by.

    `summary`: the given one, or the body's beginning.
    """

    md: str
    html: str
    summary: str
    found: dict[str, Posting]


class Writing:
    """The writes of `posts`, `posts_tags` and `tags`. All need EDITOR, decided inside the transaction."""

    def __init__(self, table: Posts) -> None:
        self.posts = table

    @retried
    async def create(self, draft: Draft, *, by: User, publish: bool = False) -> Post:
        """A new draft, or at once a published post. Raises Invalid, Forbidden."""
        draft, text = await _checked(draft)
        now = datetime.now(UTC)
        status: Status = "published" if publish else "draft"
        post = Post(
            0, by.id, None, draft.slug or slug(draft.title), draft.title, draft.summary, status, now if publish else None,
            now, now, None, draft.tags or (), 1,
        )  # fmt: skip
        async with self.posts.write() as w:
            await require(w, by.id, EDITOR)
            post = await insert(w, post, text)
            await revisions.keep(w, post, draft.md, by.id, typed_for=0)
            facts = {"title": post.title, "status": post.status}
            await audit.note(w, by.id, "post.create", f"post {post.id}", None, facts)
        return post

    @retried
    async def edit(self, id: int, draft: Draft, *, by: User, version: int | None = None) -> Post:
        """Change the words and tags. Raises Stale when the post is no longer at `version`; Invalid, Forbidden, NotFound."""
        draft, text = await _checked(draft)
        async with self.posts.write() as w:
            await require(w, by.id, EDITOR)
            old = await w.locked(self.posts.make, self.posts.rows_sql + " FOR UPDATE", (id,))
            if version is not None and version != old.version:
                raise Stale(old.version)
            words = replace(
                old, slug=draft.slug or slug(draft.title), title=draft.title, summary=draft.summary,
                tags=old.tags if draft.tags is None else draft.tags,
            )  # fmt: skip
            await revisions.keep_first(w, old)
            new = await update(w, old, words, text)
            await revisions.keep(w, new, draft.md, by.id)
            await audit.note(w, by.id, "post.edit", f"post {id}", old, new)
        return new


def read(title: str, summary: str, md: str) -> Text:
    """Takes a second for the longest: call it in a thread, before the transaction that would hold its locks. Raises TooLong."""
    rendered = render(md)
    summary = summary or rendered.excerpt
    return Text(md, rendered.html, summary, terms.of_text(title, summary, rendered.html))


async def insert(w: Write, post: Post, text: Text) -> Post:
    """A new row with its tags and tallies; a `post.id` of 0 becomes the next number."""
    numbered = bool(post.id)
    next_id = await w.insert(
        "INSERT INTO posts (id, author_id, byline, slug, title, summary, body_md, body_html, status, published_at, created_at, "
        "updated_at, source_path) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        post.id or None, post.author_id, post.byline, post.slug, post.title, post.summary, text.md, text.html, post.status,
        post.published_at, post.created_at, post.updated_at, post.source_path,
    )  # fmt: skip
    post = replace(post, id=post.id or next_id)
    await _tag(w, post)
    await tallies.change(w, Counter(), Counter(posts.tallied_in(post)))
    await contributions.change(w, Counter(), Counter(posts.contributed_by(post)))
    await terms.write_post(w, post, terms.labelled(post, text.found), new=not numbered)
    w.touch(*posts.shown_in(post), *bodies.shown_in(post.id))
    return post


async def update(w: Write, old: Post, new: Post, text: Text | None = None) -> Post:
    """The row as it shall be, under a lock that the caller holds; what follows from it follows. Answers the new version.

    A change of words comes with `text`.
    """
    new = replace(new, updated_at=datetime.now(UTC), version=old.version + 1)
    body, words = (", body_md = %s, body_html = %s", (text.md, text.html)) if text else ("", ())
    await w.execute(
        f"UPDATE posts SET version = version + 1, author_id = %s, byline = %s, slug = %s, title = %s{body}, "  # noqa: S608
        "summary = %s, status = %s, published_at = %s, updated_at = %s WHERE id = %s",
        new.author_id, new.byline, new.slug, new.title, *words, new.summary, new.status, new.published_at, new.updated_at, new.id,
    )  # fmt: skip
    if (old.tags, old.status, old.published_at) != (new.tags, new.status, new.published_at):
        await _tag(w, new)
    elif new.tags:
        await w.execute("UPDATE posts_tags SET updated_at = %s WHERE post_id = %s", new.updated_at, new.id)
    if text:
        await terms.write_post(w, new, terms.labelled(new, text.found))
    elif (old.status, old.published_at) != (new.status, new.published_at):
        await terms.follow_post(w, new)
    await tallies.change(w, Counter(posts.tallied_in(old)), Counter(posts.tallied_in(new)))
    await contributions.change(w, Counter(posts.contributed_by(old)), Counter(posts.contributed_by(new)))
    w.touch(*posts.shown_in(old), *posts.shown_in(new), *bodies.shown_in(new.id))
    return new


async def _tag(w: Write, post: Post) -> None:
    """Make the post's tags be those of the row; a tag that is new is made."""
    await w.execute("DELETE FROM posts_tags WHERE post_id = %s", post.id)
    shown_at = post.published_at if post.status == "published" else None
    for name in post.tags:  # sorted: one order of locks for all writers
        await w.execute("INSERT INTO tags (name) VALUES (%s) ON DUPLICATE KEY UPDATE name = name", name)
        await w.execute(
            "INSERT INTO posts_tags (post_id, tag_id, published_at, status, updated_at) "
            "SELECT %s, id, %s, %s, %s FROM tags WHERE name = %s",
            post.id, shown_at, post.status, post.updated_at, name,
        )  # fmt: skip


async def _checked(draft: Draft) -> tuple[Draft, Text]:
    """The draft with its blanks filled, and its text read in a thread. Raises Invalid with all that is wrong."""
    tags = None if draft.tags is None else normal_tags(draft.tags)
    draft = replace(draft, title=draft.title.strip(), summary=draft.summary.strip(), tags=tags)
    wrong: dict[str, str] = {}
    if not draft.title:
        wrong["title"] = "A post needs a title."
    elif len(draft.title) > 200:
        wrong["title"] = "A title has at most 200 characters."
    if len(draft.summary) > 400:
        wrong["summary"] = "A summary has at most 400 characters."
    if not draft.md.strip():
        wrong["body"] = "A post needs some text."
    elif len(draft.md) > LONGEST_BODY:
        wrong["body"] = "A post has at most 500,000 characters."
    if tags and len(tags) > 10:
        wrong["tags"] = "A post has at most 10 tags."
    if wrong:
        raise Invalid(wrong)
    try:
        text = await asyncio.to_thread(read, draft.title, draft.summary, draft.md)
    except TooLong as error:
        raise Invalid({"body": str(error)}) from None
    return replace(draft, summary=text.summary), text
