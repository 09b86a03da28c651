"""What becomes of a new comment: its words as they are shown, and whether they are shown at once."""

import asyncio
from typing import Literal

from content.markdown import TooLong, render_comment
from models.base import Write
from models.errors import Invalid
from models.roles import EDITOR, has

LONGEST = 10_000  # characters of Markdown
Status = Literal["shown", "held", "trashed"]


async def first_status(w: Write, author_id: int, bits: int) -> Status:
    """held, when the site holds first comments and none of this member's has been shown yet; editors are known."""
    if has(bits, EDITOR):
        return "shown"
    holds = await w.fetch("SELECT 1 FROM site WHERE name = 'hold_first_comments' AND value = '1'")
    if holds and not await w.fetch(
        "SELECT 1 FROM comments WHERE author_id = %s AND status = 'shown' LIMIT 1", author_id
    ):
        return "held"
    return "shown"


async def rendered(md: str) -> str:
    """The HTML of a comment's Markdown. Raises Invalid."""
    if not md.strip():
        raise Invalid({"body": "A comment needs some text."})
    if len(md) > LONGEST:
        raise Invalid({"body": "A comment has at most 10,000 characters."})
    try:
        return await asyncio.to_thread(render_comment, md)
    except TooLong as error:
        raise Invalid({"body": str(error)}) from None
