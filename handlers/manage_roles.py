"""Roles: their bits and words, new ones, and the end of those that nobody has."""

from handlers.manage import ManagePage
from models.errors import Invalid, NotFound, Taken
from models.rights import SEEDED_NAMES, Wanted
from models.roles import ADMINISTER, PERMISSIONS, Role


class _Roles(ManagePage):
    needs = ADMINISTER

    def wanted(self) -> Wanted:
        """What the form says. ADMINISTER is all bits, so it goes over the others."""
        bits = 0
        for name in self.get_body_arguments("permissions"):
            bits |= PERMISSIONS.get(name, 0)
        return Wanted(self.get_body_argument("name", ""), bits, self.get_body_argument("description", ""))

    async def show_roles(
        self, status: int = 200, errors: dict[str, str] | None = None, wanted: Wanted | None = None
    ) -> None:
        models = self.app.models
        context = {
            "roles": await models.rights.all(), "held": await models.rights.held(), "known": SEEDED_NAMES,
            "wanted": wanted, "notice": self.get_query_argument("done", ""),
        }  # fmt: skip
        if errors:
            self.show_wrong("manage/roles.html", status, errors, **context)
        else:
            self.show("manage/roles.html", **context)


class ManageRoles(_Roles):
    async def get(self) -> None:
        await self.show_roles()

    async def post(self) -> None:
        """A new role."""
        wanted = self.wanted()
        try:
            await self.app.models.rights.create(wanted, by=self.member())
        except Invalid as error:
            await self.show_roles(409 if isinstance(error, Taken) else 422, error.fields, wanted)
            return
        self.redirect(f"{self.reverse_url('manage_roles')}?done=created", status=303)


class ManageRole(_Roles):
    """One role."""

    async def get(self, id: str) -> None:
        role = await self.role(int(id))
        self.show("manage/role.html", role=role, wanted=role, known=SEEDED_NAMES)

    async def post(self, id: str) -> None:
        wanted = self.wanted()
        try:
            await self.app.models.rights.edit(int(id), wanted, by=self.member())
        except Invalid as error:
            status = 409 if isinstance(error, Taken) else 422
            role = await self.role(int(id))
            self.show_wrong("manage/role.html", status, error.fields, role=role, wanted=wanted, known=SEEDED_NAMES)
            return
        self.redirect(f"{self.reverse_url('manage_roles')}?done=saved", status=303)

    async def role(self, id: int) -> Role:
        for role in await self.app.models.rights.all():
            if role.id == id:
                return role
        raise NotFound(f"role {id}")


class DeleteRole(_Roles):
    async def get(self, id: str) -> None:
        self.redirect(self.reverse_url("manage_role", id))

    async def post(self, id: str) -> None:
        try:
            await self.app.models.rights.delete(int(id), by=self.member())
        except Invalid as error:
            await self.show_roles(422, error.fields)
            return
        self.redirect(f"{self.reverse_url('manage_roles')}?done=deleted", status=303)
