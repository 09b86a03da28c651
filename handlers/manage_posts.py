"""The list of posts that editors work from, and what can be done to one post or many."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

from handlers.manage import ManagePage
from handlers.manage_lists import Did, ManageList
from models.errors import Invalid, NotFound
from models.managing import Sort, Wanted
from models.posts import STATUSES, Status
from models.publishing import ACTIONS, Action, Done
from models.search import MOST_FOUND

SORTS: tuple[Sort, ...] = ("changed", "published")


class ManageBlogs(ManageList):
    filters = ("status", "q", "author", "tag", "from", "to", "sort")
    actions = ACTIONS

    async def get(self) -> None:
        wanted, cut = self.wanted(), False
        if words := self.asked().get("q", ""):
            found = await self.app.models.search.posts(words, shown_only=False, per_page=MOST_FOUND)
            wanted, cut = replace(wanted, among=found.ids), found.count > len(found.ids) or not found.whole
        sheet = await self.app.models.managed_posts.sheet(wanted, self.place())
        listing = self.listing(sheet)
        self.show(
            "manage/blogs.html", list=listing, authors=await self.authors(sheet.items),
            filtered=bool(set(listing.filters) - {"status", "sort"}), cut=cut,
        )  # fmt: skip

    def wanted(self) -> Wanted:
        """The filters of the address. Raises NotFound for a status or sort that does not exist."""
        asked = self.asked()
        status, sort = asked.get("status"), asked.get("sort", "changed")
        if (status and status not in STATUSES) or sort not in SORTS:
            raise NotFound(f"status {status} sort {sort}")
        until = self.day(asked.get("to", ""))
        return Wanted(
            cast(Status | None, status), asked.get("author", "").strip(), asked.get("tag", "").strip(),
            self.day(asked.get("from", "")), until + timedelta(days=1) if until else None, sort,
        )  # fmt: skip

    async def act(self, action: str, ids: list[int]) -> Did:
        return did(action, await self.app.models.publishing.act(cast(Action, action), ids, by=self.member()))

    async def undo(self, batch: int) -> Did:
        return did("undo", await self.app.models.publishing.undo(batch, by=self.member()))


class ActOnPost(ManagePage):
    """publish, unpublish, trash or restore, by a button of the editor; the list then offers to undo it."""

    async def post(self, id: str, action: str) -> None:
        done = await self.app.models.publishing.act(cast(Action, action), [int(id)], by=self.member())
        if done.left:
            raise Invalid({"status": "This post is not in a state for that any more."})
        query = f"done={action}&n={len(done.posts)}&batch={done.batch}"
        self.redirect(f"{self.reverse_url('manage_blogs')}?{query}", status=303)


def did(action: str, done: Done) -> Did:
    return Did(action, len(done.posts), len(done.left), done.batch)
