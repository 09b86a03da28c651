"""The queue of comments: what waits for a moderator, what is shown, what is in the trash; by key, by button, many at once."""

from typing import cast

from handlers.manage_lists import Did, ManageList
from models.moderation import ACTIONS, STATUSES, Action, Done, Filter
from models.search import MOST_FOUND


class ManageComments(ManageList):
    filters = ("status", "author", "post", "q")
    actions = ACTIONS

    async def get(self) -> None:
        models, wanted = self.app.models, await self.wanted()
        sheet = await models.moderation.sheet(wanted, self.place())
        people = await models.users.by_ids([*(comment.author_id for comment in sheet.items), wanted.author_id or 0])
        posts = await models.posts.many([*{comment.post_id for comment in sheet.items}, wanted.post_id or 0])
        self.show(
            "manage/comments.html", list=self.listing(sheet), people=people, posts={post.id: post for post in posts},
            author_id=wanted.author_id, post_id=wanted.post_id,
        )  # fmt: skip

    async def wanted(self) -> Filter:
        """The filters of the address. Raises NotFound for a status that does not exist."""
        statuses, words = self.asked_status(STATUSES, Filter().statuses), self.asked().get("q", "").strip()
        found = await self.app.models.search.comments(words, shown_only=False, per_page=MOST_FOUND) if words else None
        return Filter(
            statuses,
            self.query_number("author") or None,
            self.query_number("post") or None,
            found.ids if found else None,
        )

    async def act(self, action: str, ids: list[int]) -> Did:
        reason = self.get_body_argument("reason", "")
        return did(
            action, await self.app.models.moderation.act(cast(Action, action), ids, by=self.member(), reason=reason)
        )

    async def undo(self, batch: int) -> Did:
        return did("undo", await self.app.models.moderation.undo(batch, by=self.member()))


def did(action: str, done: Done) -> Did:
    return Did(action, len(done.comments), len(done.left), done.batch)
