"""The files of the site as operators look for them: by kind, owner and words of the name; taken away, and given back."""

from typing import cast, get_args

from content.kinds import Kind
from handlers.manage_lists import Did, ManageList
from models.errors import NotFound
from models.file_managing import ACTIONS, Action, Done, Filter
from models.file_rows import Status
from models.roles import OPERATOR
from models.search import MOST_FOUND

KINDS: tuple[Kind, ...] = get_args(Kind)
STATUSES: tuple[Status, ...] = get_args(Status)


class ManageFiles(ManageList):
    needs = OPERATOR
    filters = ("status", "kind", "owner", "q")
    actions = ACTIONS

    async def get(self) -> None:
        models, owner_id = self.app.models, await self.asked_member("owner")
        sheet = await models.file_managing.sheet(await self._wanted(owner_id), self.place())
        people = await models.users.by_ids([*(file.owner_id for file in sheet.items), owner_id or 0])
        self.show("manage/files.html", list=self.listing(sheet), people=people, owner_id=owner_id)

    async def _wanted(self, owner_id: int | None) -> Filter:
        """The filters of the address. Raises NotFound for a status or kind that does not exist."""
        asked = self.asked()
        status, kind, words = asked.get("status", "shown"), asked.get("kind", ""), asked.get("q", "").strip()
        if status not in STATUSES or kind not in ("", *KINDS):
            raise NotFound(f"status {status}, kind {kind}")
        found = await self.app.models.search.files(words, shown_only=False, per_page=MOST_FOUND) if words else None
        chosen = next((known for known in KINDS if known == kind), None)
        return Filter("trashed" if status == "trashed" else "shown", chosen, owner_id, found.ids if found else None)

    async def act(self, action: str, ids: list[int]) -> Did:
        done = await self.app.models.file_managing.act(cast(Action, action), ids, by=self.member())
        return did(action, done)

    async def undo(self, batch: int) -> Did:
        return did("undo", await self.app.models.file_managing.undo(batch, by=self.member()))


def did(action: str, done: Done) -> Did:
    return Did(action, len(done.files), len(done.left), done.batch)
