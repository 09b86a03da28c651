"""The table `terms`: which words each post, comment, poll and file is found by; written in the row's own transaction."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

from content.marking import plain
from content.terms import VERSION, Posting, fold_name, postings
from models.base import Write
from models.posts import Post

POST, COMMENT, POLL, FILE = 1, 2, 3, 4  # the column `kind`
READ = f"={VERSION}"  # a label of every row that has been read by the present rules
AT_ONCE = 500  # rows in one INSERT
_BETWEEN_NAMES = re.compile(r",|、|和| and | & ")
_EPOCH = date(1970, 1, 1).toordinal()


def tag_label(tag: str) -> str:
    return f"#{tag}"


def author_label(author: int | str) -> str:
    """An author by id, or by a name in a byline."""
    return f"@{author}" if isinstance(author, int) else f"@{fold_name(author)}"


def of_post(post: Post, html: str) -> dict[str, Posting]:
    """What a post is found by. Long for a long body: call it in a thread."""
    return labelled(post, of_text(post.title, post.summary, html))


def of_text(title: str, summary: str, html: str) -> dict[str, Posting]:
    """What the words of a post are found by: the part of `of_post` that is long, and needs no row."""
    return postings(title, (summary, plain(html)))


def labelled(post: Post, words: dict[str, Posting]) -> dict[str, Posting]:
    """What a post is found by that has these words: its authors and tags with them."""
    names = _BETWEEN_NAMES.split(post.byline) if post.byline else []
    return words | postings("", (), (READ, *map(author_label, (post.author_id, *names)), *map(tag_label, post.tags)))


def of_comment(author_id: int, html: str) -> dict[str, Posting]:
    return of_words(author_id, "", plain(html))


def of_words(author_id: int, title: str, *texts: str) -> dict[str, Posting]:
    """What a row is found by that is plain words: what stands in the title comes first."""
    return postings(title, texts, (READ, author_label(author_id)))


async def write_post(w: Write, post: Post, found: Mapping[str, Posting], *, new: bool = False) -> None:
    """Make the terms of a post be these, and shown as the row is."""
    shown, at = post.status == "published", post.published_at or post.created_at
    await write(w, POST, post.id, found, shown=shown, at=at, new=new)


async def follow_post(w: Write, post: Post) -> None:
    """The words are as they were; who may see the post, or its date, has changed."""
    await w.execute(
        "UPDATE terms SET shown = %s, day = %s WHERE kind = %s AND row_id = %s",
        post.status == "published", _day(post.published_at or post.created_at), POST, post.id,
    )  # fmt: skip


async def show(w: Write, kind: int, id: int, shown: bool) -> None:
    """The words are as they were; who may see the row has changed."""
    await w.execute("UPDATE terms SET shown = %s WHERE kind = %s AND row_id = %s", shown, kind, id)


async def delete(w: Write, kind: int, id: int) -> None:
    """The row is gone."""
    await w.execute("DELETE FROM terms WHERE kind = %s AND row_id = %s", kind, id)


async def write(
    w: Write, kind: int, id: int, found: Mapping[str, Posting], *, shown: bool, at: datetime, new: bool = False
) -> None:
    """Make the terms of a row be these. `new`: MySQL has just given it its id, so there are none to be replaced.

    The caller has just written the row, or holds its lock.
    """
    if not new:
        await delete(w, kind, id)
    day = _day(at)
    rows = [(kind, term, id, shown, weight, day, places) for term, (weight, places) in sorted(found.items())]
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        marks = ", ".join(["%s"] * len(part))
        await w.execute(
            f"INSERT INTO terms (kind, term, row_id, shown, weight, day, places) VALUES {marks}",  # noqa: S608 - marks alone
            *part,
        )


def _day(at: datetime) -> int:
    return at.astimezone(UTC).date().toordinal() - _EPOCH
