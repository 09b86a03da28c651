"""The mails that the site sent, or could not send."""

from typing import cast

from handlers.manage_lists import Did, ManageList
from models.errors import NotFound
from models.mailroom import ACTIONS, Action, Filter
from models.roles import OPERATOR


class ManageMails(ManageList):
    needs = OPERATOR
    filters = ("recipient", "state")
    actions = ACTIONS

    async def get(self) -> None:
        asked = self.asked()
        if asked.get("state", "failed") != "failed":
            raise NotFound("state")
        wanted = Filter(asked.get("recipient", "").strip(), "state" in asked)
        sheet = await self.app.models.mailroom.sheet(wanted, self.place())
        self.show("manage/mails.html", list=self.listing(sheet), mails=self.app.models.mails.enabled)

    async def act(self, action: str, ids: list[int]) -> Did:
        return Did(action, *await self.app.models.mailroom.act(cast(Action, action), ids, by=self.member()))

    async def undo(self, batch: int) -> Did:
        raise NotFound("a mail is not taken back")
