"""Accounts: the list that operators work from, one account with all that is known of it, and the roles it has."""

from typing import cast

from handlers.manage import ManagePage
from handlers.manage_lists import Did, ManageList
from models.auditing import Filter as AuditFilter
from models.errors import Invalid, NotFound
from models.people import ACTIONS, Action, Done, Filter
from models.roles import ADMINISTER, OPERATOR

STATES = {"active": True, "inactive": False}
LAST_CHANGES = 10  # lines of the log on an account's page


class ManageUsers(ManageList):
    needs = OPERATOR
    filters = ("name", "email", "role", "state")
    actions = ACTIONS

    async def get(self) -> None:
        models, asked = self.app.models, self.asked()
        if asked.get("state", "active") not in STATES:
            raise NotFound("state")
        wanted = Filter(
            asked.get("name", "").strip(), asked.get("email", "").strip(), self.query_number("role") or None,
            STATES.get(asked.get("state", "")),
        )  # fmt: skip
        sheet = await models.people.sheet(wanted, self.place())
        self.show(
            "manage/users.html", list=self.listing(sheet), roles=await models.rights.all(),
            logins=await models.people.logins([user.id for user in sheet.items]),
        )  # fmt: skip

    async def act(self, action: str, ids: list[int]) -> Did:
        return did(action, await self.app.models.people.act(cast(Action, action), ids, by=self.member()))

    async def undo(self, batch: int) -> Did:
        return did("undo", await self.app.models.people.undo(batch, by=self.member()))


class ManageUser(ManagePage):
    """One account. Its buttons are those of the list, which then offers to undo."""

    needs = OPERATOR

    async def get(self, id: str) -> None:
        await self.show_user(int(id))

    async def show_user(self, id: int, status: int = 200, errors: dict[str, str] | None = None, link: str = "") -> None:
        """The account's page, after a form on it was refused too; `link` is one for a new password, shown this once."""
        models = self.app.models
        person = await models.users.fresh().one(id)
        changes = await models.auditing.sheet(AuditFilter(target=f"user {id}"), most=LAST_CHANGES)
        actors = await models.users.by_ids([entry.actor_id for entry in changes.items if entry.actor_id])
        context = {
            "person": person, "roles": await models.rights.all(), "sessions": await models.sessions.of_user(id),
            "login": (await models.people.logins([id])).get(id), "changes": changes, "actors": actors,
            "notice": self.get_query_argument("done", ""), "mails": models.mails.enabled, "link": link,
        }  # fmt: skip
        if errors:
            self.show_wrong("manage/user.html", status, errors, **context)
        else:
            self.show("manage/user.html", **context)


class HandOutLink(ManageUser):
    """Where no mail is sent: a link for a new password, shown this once, to be given by hand."""

    async def get(self, id: str) -> None:
        self.redirect(self.reverse_url("manage_user", id))

    async def post(self, id: str) -> None:
        token = await self.app.models.addresses.hand_out(int(id), by=self.member())
        await self.show_user(int(id), link=f"{self.site.url}{self.reverse_url('reset')}?token={token}")


class SetRoles(ManageUser):
    """Which roles an account has: administrators alone say that."""

    needs = ADMINISTER

    async def get(self, id: str) -> None:
        self.redirect(self.reverse_url("manage_user", id))

    async def post(self, id: str) -> None:
        chosen = self.get_body_arguments("roles")
        if not all(text.isascii() and text.isdecimal() and len(text) <= 18 for text in chosen):
            raise NotFound("role")
        try:
            await self.app.models.rights.set_roles(int(id), [int(text) for text in chosen], by=self.member())
        except Invalid as error:
            await self.show_user(int(id), 422, {"form": next(iter(error.fields.values()))})
            return
        self.redirect(f"{self.reverse_url('manage_user', id)}?done=roles", status=303)


def did(action: str, done: Done) -> Did:
    return Did(action, len(done.users), len(done.left), done.batch)
