"""What is done to posts as a whole: published, scheduled, taken back, trashed, restored; one or many at once, and undone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, cast

from models import audit, batches
from models.batches import Changed
from models.errors import Invalid, NotFound
from models.posts import Post, Posts, Status
from models.retrying import retried
from models.roles import EDITOR, require
from models.users import User
from models.writing import update

Action = Literal["publish", "unpublish", "trash", "restore"]
ACTIONS: tuple[Action, ...] = ("publish", "unpublish", "trash", "restore")
MOST_AT_ONCE = 100  # posts in one transaction
KIND = "posts"


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did: the posts as they are now, those that it did not apply to, and the batch that undoes it (or 0)."""

    posts: tuple[Post, ...]
    left: tuple[int, ...]
    batch: int


class Publishing:
    """All need EDITOR, decided inside the transaction."""

    def __init__(self, table: Posts) -> None:
        self.posts = table

    async def publish(self, id: int, *, by: User) -> Post:
        """Show it to readers now; what was published before keeps its date. Raises Invalid, Forbidden, NotFound."""
        return await self._one("publish", id, by)

    async def unpublish(self, id: int, *, by: User) -> Post:
        """Make it a draft again; it keeps the date it had."""
        return await self._one("unpublish", id, by)

    async def trash(self, id: int, *, by: User) -> Post:
        return await self._one("trash", id, by)

    async def restore(self, id: int, *, by: User) -> Post:
        """Out of the trash, as a draft."""
        return await self._one("restore", id, by)

    @retried
    async def schedule(self, id: int, at: datetime, *, by: User) -> Post:
        """Publish it by itself at that moment, which must be to come. Raises Invalid, Forbidden, NotFound."""
        if at <= datetime.now(UTC):
            raise Invalid({"at": "Choose a moment that is still to come."})
        async with self.posts.write() as w:
            await require(w, by.id, EDITOR)
            (old,) = await self.posts.locked(w, (id,))
            if old.status not in ("draft", "scheduled"):
                raise Invalid({"at": "Only a draft can be scheduled."})
            new = await update(w, old, replace(old, status="scheduled", published_at=at.astimezone(UTC)))
            await audit.note(w, by.id, "post.schedule", f"post {id}", old, new)
        return new

    @retried
    async def act(self, action: Action, ids: Sequence[int], *, by: User) -> Done:
        """The same for many posts, in one transaction; those that it does not apply to stay as they are."""
        if len(ids) > MOST_AT_ONCE:
            raise Invalid({"ids": "At most 100 at once."})
        async with self.posts.write() as w:
            await require(w, by.id, EDITOR)
            changed, done, left = [], [], []
            for old in await self.posts.locked(w, sorted(set(ids))):
                new = _step(old, action)
                if new is None:
                    left.append(old.id)
                    continue
                new = await update(w, old, new)
                await audit.note(w, by.id, f"post.{action}", f"post {old.id}", old, new)
                changed.append(Changed(old.id, new.version, _state(old)))
                done.append(new)
            batch = await batches.remember(w, KIND, by.id, changed)
        return Done(tuple(done), tuple(left), batch)

    @retried
    async def undo(self, batch: int, *, by: User) -> Done:
        """Make the posts of a batch what they were, but those that have changed since. Raises NotFound, Forbidden."""
        async with self.posts.write() as w:
            await require(w, by.id, EDITOR)
            rows = {row.id: row for row in await batches.take_back(w, batch, KIND, by.id)}
            done, left = [], []
            for old in await self.posts.locked(w, sorted(rows)):
                if old.version != rows[old.id].version:
                    left.append(old.id)
                    continue
                new = await update(w, old, _back(old, rows[old.id].was))
                await audit.note(w, by.id, "post.undo", f"post {old.id}", old, new)
                done.append(new)
        return Done(tuple(done), tuple(left), 0)

    @retried
    async def publish_due(self, now: datetime, *, most: int = 50) -> int:
        """Publish what was scheduled until now; how many. Exactly once: each row is decided under its own lock."""
        sql = "SELECT id FROM posts WHERE status = 'scheduled' AND published_at <= %s LIMIT 1"
        if not await self.posts.db.fetch(sql, now):
            return 0  # as nearly always: without a transaction
        async with self.posts.write() as w:
            due = await w.fetch(
                "SELECT id FROM posts WHERE status = 'scheduled' AND published_at <= %s ORDER BY published_at LIMIT %s "
                "FOR UPDATE SKIP LOCKED",
                now, most,
            )  # fmt: skip
            for old in await self.posts.locked(w, sorted(row[0] for row in due)):
                new = await update(w, old, replace(old, status="published"))
                await audit.note(w, None, "post.publish", f"post {old.id}", old, new)
        return len(due)

    async def _one(self, action: Action, id: int, by: User) -> Post:
        done = await self.act(action, (id,), by=by)
        if done.left:
            post = await self.posts.fresh().one(id)
            if post.status == _GOAL.get(action):
                return post  # twice is as once
            raise Invalid({"status": _REFUSED[action]})
        if not done.posts:
            raise NotFound(f"post {id}")
        return done.posts[0]


_GOAL: dict[Action, Status] = {"publish": "published", "unpublish": "draft", "trash": "trashed"}
_REFUSED: dict[Action, str] = {
    "publish": "A post in the trash is restored before it is published.",
    "unpublish": "Only a published or scheduled post can become a draft again.",
    "restore": "This post is not in the trash.",
}


def _step(post: Post, action: Action) -> Post | None:
    """The post after the action; None when it does not apply."""
    now = datetime.now(UTC)
    match action, post.status:
        case "publish", "draft" | "scheduled":
            # A date to come was a plan; one that has passed is when readers first saw it.
            shown_at = post.published_at if post.published_at and post.published_at <= now else now
            return replace(post, status="published", published_at=shown_at)
        case "unpublish", "published" | "scheduled":
            return replace(post, status="draft", published_at=None if post.status == "scheduled" else post.published_at)
        case "trash", "draft" | "scheduled" | "published":
            return replace(post, status="trashed")
        case "restore", "trashed":
            return replace(post, status="draft")
    return None


def _state(post: Post) -> str:
    return f"{post.status} {post.published_at.isoformat() if post.published_at else ''}"


def _back(post: Post, state: str) -> Post:
    status, _, at = state.partition(" ")
    return replace(post, status=cast(Status, status), published_at=datetime.fromisoformat(at) if at else None)
