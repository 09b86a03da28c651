"""Comments under posts, with one level of replies."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from cache import Cache, Key, List, Scope, Slot
from models import audit, contributions, replies, tallies, terms
from models.asking import answers
from models.base import Page, Table, Write
from models.comment_rules import Said, Status, admitted, read
from models.contributions import Contribution
from models.database import Database
from models.errors import Forbidden, Invalid, NotFound
from models.mails import Mails
from models.retrying import retried
from models.roles import EDITOR, LOGIN, has, require
from models.users import User

PER_PART = 100  # threads on one part of a post's page
MOST_REPLIES = 1_000  # of all threads on one part
PER_PAGE = 10  # of the newest comments of the site
PER_FEED = 50  # of the newest comments of a post


@dataclass(frozen=True, slots=True)
class Comment:
    """`parent_id` is the comment that begins its thread; None for that one itself. `reason`: a moderator's, for its author."""

    id: int
    post_id: int
    parent_id: int | None
    author_id: int
    md: str
    html: str
    status: Status
    created_at: datetime
    version: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment and its replies, oldest first. A trashed comment stands, without its words, while it has replies."""

    comment: Comment
    replies: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Discussion:
    """One part of a post's threads, oldest first.

    `older`: whether there are threads before it; `more_after`: the id after which the next part begins.
    """

    threads: tuple[Thread, ...]
    count: int
    older: bool
    more_after: int | None


BY_ID = Key("comment", Comment, ttl=600)
OF_POST = Scope("comments.post", by=("post",))
EVERYWHERE = Scope("comments")
BY_AUTHOR = Scope("comments.author", by=("author",))
THREADS = List("comments.threads", by=("post", "after"), scopes=(OF_POST,), ttl=600)
LATEST_OF_POST = List("comments.post.latest", by=("post",), scopes=(OF_POST,), ttl=600)
NEWEST = List("comments.newest", by=("page",), scopes=(EVERYWHERE,), ttl=600)
LATEST_OF_AUTHOR = List("comments.author.latest", by=("author",), scopes=(BY_AUTHOR,), ttl=600)


def shown_in(comment: Comment) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in. A new key is not done until it is here."""
    return BY_ID(comment.id), OF_POST(comment.post_id), EVERYWHERE(), BY_AUTHOR(comment.author_id)


def tallied_in(comment: Comment) -> tuple[tuple[str, date], ...]:
    """The lists, and the day in them, that count this row."""
    if comment.status != "shown":
        return ()
    day = comment.created_at.astimezone(UTC).date()
    return ("comments", day), (f"comments:{comment.post_id}", day)


def contributed_by(comment: Comment) -> tuple[Contribution, ...]:
    """What this row counts on the built-in boards."""
    if comment.status != "shown":
        return ()
    return contributions.of_comment(comment.author_id, comment.post_id, comment.created_at)


# Of one part of a post's threads: how many comments the post has, the first comments, and the replies to all but the one that
# tells of a next part. A thread stays while its first comment, or a reply to it, is shown: a value with a LIMIT, and no EXISTS,
# which MariaDB may answer by reading all comments of the site. A STRAIGHT_JOIN, for it may begin with those, too.
_THREADS = (
    "WITH roots AS (SELECT c.id FROM comments c WHERE c.post_id = %s AND c.parent_id IS NULL AND c.id > %s AND "
    "(c.status = 'shown' OR (SELECT 1 FROM comments r WHERE r.parent_id = c.id AND r.status = 'shown' LIMIT 1) = 1) "
    "ORDER BY c.id LIMIT %s) "
    "SELECT 'count', CAST(COALESCE(SUM(n), 0) AS SIGNED) FROM tallies WHERE list = %s AND n > 0 "
    "UNION ALL SELECT 'root', id FROM roots "
    "UNION ALL (SELECT 'reply', r.id FROM (SELECT id FROM roots ORDER BY id LIMIT %s) part "
    "STRAIGHT_JOIN comments r ON r.parent_id = part.id AND r.status = 'shown' ORDER BY r.id LIMIT %s)"
)


class Comments(Table[Comment]):
    key: ClassVar = BY_ID
    rows_sql: ClassVar = (
        "SELECT id, post_id, parent_id, author_id, body_md, body_html, status, created_at, version, reason "
        "FROM comments WHERE id IN %s"
    )

    def __init__(self, db: Database, cache: Cache, mails: Mails) -> None:
        super().__init__(db, cache)
        self.mails = mails

    @answers(THREADS)
    async def discussion(self, post_id: int, *, after: int = 0) -> Discussion:
        """The threads of a post whose first comment's id is above `after`."""

        async def load() -> tuple[Any, ...]:
            found = await self.db.fetch(
                _THREADS, post_id, after, PER_PART + 1, f"comments:{post_id}", PER_PART, MOST_REPLIES
            )
            roots, replies = (tuple(sorted(id for what, id in found if what == name)) for name in ("root", "reply"))
            return sum(n for what, n in found if what == "count"), roots, replies

        count, roots, replies = await self.items(THREADS(post_id, after), load)
        rows = await self.many((*roots[:PER_PART], *replies))
        below = defaultdict[int | None, list[Comment]](list)
        for row in rows:
            below[row.parent_id].append(row)
        threads = tuple(Thread(row, tuple(below[row.id])) for row in below[None])
        return Discussion(threads, count, after > 0, roots[PER_PART - 1] if len(roots) > PER_PART else None)

    @answers(NEWEST)
    async def newest(self, n: int) -> Page[Comment]:
        """Page n of all shown comments of the site, newest first."""

        async def load() -> tuple[int, ...]:
            spot = await tallies.spot(self.db, "comments", (n - 1) * PER_PAGE)
            rows = await self.db.fetch(
                "SELECT id FROM comments WHERE status = 'shown' AND created_at < %s ORDER BY created_at DESC, id DESC "
                "LIMIT %s OFFSET %s",
                spot.before, PER_PAGE, spot.skip,
            )  # fmt: skip
            return (spot.total, *(row[0] for row in rows))

        count, *ids = await self.items(NEWEST(n), load)
        return Page(tuple(await self.many(ids)), n, max(1, -(-count // PER_PAGE)), count)

    @answers(LATEST_OF_POST)
    async def latest_under(self, post_id: int) -> list[Comment]:
        """The fifty newest shown comments of a post, replies among them, newest first."""
        return await self.all(
            LATEST_OF_POST(post_id),
            "SELECT id FROM comments WHERE post_id = %s AND status = 'shown' ORDER BY id DESC LIMIT %s",
            post_id, PER_FEED,
        )  # fmt: skip

    @answers(LATEST_OF_AUTHOR)
    async def latest_of(self, author_id: int) -> list[Comment]:
        """The ten latest shown comments of a member, for the member's page."""
        return await self.all(
            LATEST_OF_AUTHOR(author_id),
            "SELECT id FROM comments WHERE author_id = %s AND status = 'shown' ORDER BY id DESC LIMIT 10",
            author_id,
        )

    async def mine(self, author_id: int, *, before: int | None = None, most: int = 50) -> list[Comment]:
        """A member's own comments, newest first, those with an id below `before`; read from MySQL.

        What was deleted is not among them, but for what a moderator took away with a reason.
        """
        rows = await self.db.fetch(
            "SELECT id FROM comments WHERE author_id = %s AND (status <> 'trashed' OR reason <> '') AND id < %s "
            "ORDER BY id DESC LIMIT %s",
            author_id, before or 2**62, most,
        )  # fmt: skip
        return await self.fresh().many([row[0] for row in rows])

    @retried
    async def create(self, post_id: int, md: str, *, by: User, parent_id: int | None = None) -> Comment:
        """A comment under a published post, or a reply (to a reply: beside it); it may be held for a moderator (`admitted`).

        Raises Invalid, Forbidden, NotFound.
        """
        said = await read(md, by.id)
        async with self.write() as w:
            status = await admitted(w, by.id, post_id)
            root = await self._root(w, post_id, parent_id) if parent_id is not None else None
            comment = Comment(0, post_id, root, by.id, said.md, said.html, status, datetime.now(UTC), 1)
            comment = await self._insert(w, comment, said)
            if root is not None and status == "shown":
                await replies.tell(w, self.mails, comment.id, author_id=by.id, root_id=root, answered_id=parent_id)
        return comment

    @retried
    async def place(self, post_id: int, md: str, *, by: User, at: datetime, parent_id: int | None = None) -> Comment:
        """A comment with a date of its own, for demo content and imports. Raises Invalid."""
        said = await read(md, by.id)
        async with self.write() as w:
            comment = Comment(0, post_id, parent_id, by.id, said.md, said.html, "shown", at, 1)
            return await self._insert(w, comment, said)

    @retried
    async def edit(self, id: int, md: str, *, by: User) -> Comment:
        """New words by the author. Raises Invalid, Forbidden, NotFound."""
        said = await read(md, by.id)
        async with self.write() as w:
            old = await self._locked(w, id)
            bits = await require(w, by.id, LOGIN)
            if old.status == "trashed":
                raise NotFound(f"comment {id}")
            if not may(by, bits, old)[0]:
                raise Forbidden(f"comment {id} is not user {by.id}'s")
            new = replace(old, md=said.md, html=said.html, version=old.version + 1)
            await change(w, [(old, new)])
            if new.html != old.html:
                shown = new.status == "shown"
                await terms.write(w, terms.COMMENT, id, said.found, shown=shown, at=new.created_at)
            await audit.note(w, by.id, "comment.edit", f"comment {id}", {"md": old.md}, {"md": new.md})
        return new

    @retried
    async def trash(self, id: int, *, by: User) -> Comment:
        """Take it out of sight; by its author, editors and operators. Twice is as once. Raises Forbidden, NotFound."""
        async with self.write() as w:
            old = await self._locked(w, id)
            bits = await require(w, by.id, LOGIN)
            if not may(by, bits, old)[1]:
                raise Forbidden(f"comment {id} is not user {by.id}'s")
            new = replace(old, status="trashed", reason="", version=old.version + 1)
            if old.status != "trashed":
                await change(w, [(old, new)])
                was, became = {"status": old.status}, {"status": new.status}
                await audit.note(w, by.id, "comment.trash", f"comment {id}", was, became)
        return new

    async def _insert(self, w: Write, comment: Comment, said: Said) -> Comment:
        id = await w.insert(
            "INSERT INTO comments (post_id, parent_id, author_id, body_md, body_html, status, created_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            comment.post_id, comment.parent_id, comment.author_id, comment.md, comment.html, comment.status,
            comment.created_at,
        )  # fmt: skip
        comment = replace(comment, id=id)
        await tallies.change(w, Counter(), Counter(tallied_in(comment)))
        await contributions.change(w, Counter(), Counter(contributed_by(comment)))
        shown = comment.status == "shown"
        await terms.write(w, terms.COMMENT, id, said.found, shown=shown, at=comment.created_at, new=True)
        w.touch(*shown_in(comment))
        return comment

    async def _root(self, w: Write, post_id: int, parent_id: int) -> int:
        """The comment that begins the thread of `parent_id`, which must be shown and under the same post."""
        rows = await w.fetch(
            "SELECT id, parent_id FROM comments WHERE id = %s AND post_id = %s AND status = 'shown'", parent_id, post_id
        )
        if not rows:
            raise Invalid({"parent_id": "The comment you answer has been deleted."})
        return int(rows[0][1] or rows[0][0])

    async def _locked(self, w: Write, id: int) -> Comment:
        return await w.locked(self.make, self.rows_sql + " FOR UPDATE", (id,))


async def change(w: Write, changes: Sequence[tuple[Comment, Comment]]) -> None:
    """Make rows that the caller has locked be what they shall be, one version on; tallies and slots follow.

    What words are found by follows their status; the terms of new words are the caller's.
    """
    before, after = Counter[tuple[str, date]](), Counter[tuple[str, date]]()
    counted, counts = Counter[Contribution](), Counter[Contribution]()
    for old, new in changes:
        await w.execute(
            "UPDATE comments SET body_md = %s, body_html = %s, status = %s, reason = %s, version = version + 1 WHERE id = %s",
            new.md, new.html, new.status, new.reason, new.id,
        )  # fmt: skip
        if new.status != old.status:
            await terms.show(w, terms.COMMENT, new.id, new.status == "shown")
        before.update(tallied_in(old))
        after.update(tallied_in(new))
        counted.update(contributed_by(old))
        counts.update(contributed_by(new))
        w.touch(*shown_in(old), *shown_in(new))
    await tallies.change(w, before, after)  # once for all of them: one order of locks
    await contributions.change(w, counted, counts)


def may(user: User, bits: int, comment: Comment) -> tuple[bool, bool]:
    """Whether the user may (edit, delete) the comment."""
    own = comment.author_id == user.id and has(bits, LOGIN)
    return own, own or has(bits, EDITOR)
