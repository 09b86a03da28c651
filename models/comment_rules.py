"""What becomes of a new comment: its words as they are shown and found, and whether they are shown at once."""

import asyncio
from typing import Literal, NamedTuple

from content.markdown import TooLong, render_comment
from content.terms import Posting
from models import terms
from models.base import Write
from models.errors import Invalid, NotFound
from models.roles import BITS, EDITOR, LOGIN, allowed, has

LONGEST = 10_000  # characters of Markdown
Status = Literal["shown", "held", "trashed"]


async def admitted(w: Write, author_id: int, post_id: int) -> Status:
    """What a member's comment under a post begins as, decided inside its transaction. Raises Forbidden, NotFound.

    held, when the site holds first comments and none of this member's has been shown yet; editors are known. The post is not
    locked: one that is taken back at this moment has had its last comment a moment before, and those who comment on a post and
    who edits it need not wait for each other.
    """
    ((bits, published, holds),) = await w.fetch(
        f"SELECT ({BITS}), EXISTS (SELECT 1 FROM posts WHERE id = %s AND status = 'published'), "  # noqa: S608 - a literal
        "EXISTS (SELECT 1 FROM site WHERE name = 'hold_first_comments' AND value = '1')",
        author_id, post_id,
    )  # fmt: skip
    bits = allowed(int(bits), author_id, LOGIN)
    if not published:
        raise NotFound(f"post {post_id}")
    if not holds or has(bits, EDITOR):
        return "shown"
    known = await w.fetch("SELECT 1 FROM comments WHERE author_id = %s AND status = 'shown' LIMIT 1", author_id)
    return "shown" if known else "held"


class Said(NamedTuple):
    """The words of a comment: as they were typed, as they are shown, and what they are found by."""

    md: str
    html: str
    found: dict[str, Posting]


async def read(md: str, author_id: int) -> Said:
    """What somebody says. Before the transaction, which would hold its locks for as long as a thread takes. Raises Invalid."""
    if not md.strip():
        raise Invalid({"body": "A comment needs some text."})
    if len(md) > LONGEST:
        raise Invalid({"body": "A comment has at most 10,000 characters."})
    try:
        return await asyncio.to_thread(_read, md, author_id)
    except TooLong as error:
        raise Invalid({"body": str(error)}) from None


def _read(md: str, author_id: int) -> Said:
    html = render_comment(md)
    return Said(md.strip(), html, terms.of_comment(author_id, html))
