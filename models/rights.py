"""Who may do what: roles made and changed, given and taken. Only administrators; the last of them cannot be removed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pymysql.err import IntegrityError

from models import audit, links, roles, users
from models.base import Write
from models.errors import Invalid, NotFound, Taken
from models.retrying import retried
from models.roles import ADMINISTER, EDITOR, LOGIN, OPERATOR, SEEDED, Role, Roles, require
from models.users import User, Users

SEEDED_NAMES = frozenset(name for name, _, _ in SEEDED)
LONGEST = {"name": 40, "description": 200}  # characters


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the form of a role says. `permissions`: any of LOGIN, EDITOR, OPERATOR together, or ADMINISTER alone."""

    name: str
    permissions: int
    description: str


class Rights:
    """All need ADMINISTER, decided inside the transaction, under the lock of `alone`."""

    def __init__(self, roles: Roles, users: Users) -> None:
        self.roles, self.users = roles, users

    async def all(self) -> list[Role]:
        """Every role, the weakest first, from MySQL."""
        rows = await self.roles.db.fetch(
            "SELECT id, name, permissions, description FROM roles ORDER BY permissions, id"
        )
        return [Role(*row) for row in rows]

    async def held(self) -> set[int]:
        """The roles that somebody has: those cannot be deleted."""
        found = await self.roles.db.fetch(
            "SELECT id FROM roles r WHERE EXISTS (SELECT 1 FROM roles_users ru WHERE ru.role_id = r.id)"
        )
        return {row[0] for row in found}

    @retried
    async def create(self, wanted: Wanted, *, by: User) -> Role:
        """A new role. Raises Invalid, Taken, Forbidden."""
        wanted = _checked(wanted)
        async with self.roles.write() as w:
            await alone(w)
            await require(w, by.id, ADMINISTER)
            try:
                id = await w.insert(
                    "INSERT INTO roles (name, permissions, description) VALUES (%s, %s, %s)",
                    wanted.name, wanted.permissions, wanted.description,
                )  # fmt: skip
            except IntegrityError:
                raise Taken({"name": "There is a role of this name."}) from None
            role = Role(id, wanted.name, wanted.permissions, wanted.description)
            w.touch(*roles.shown_in(role))
            await audit.note(w, by.id, "role.create", f"role {id}", None, role)
        return role

    @retried
    async def edit(self, id: int, wanted: Wanted, *, by: User) -> Role:
        """Other bits and words; a name that the code knows stays. Raises Invalid, Taken, Forbidden, NotFound."""
        wanted = _checked(wanted)
        async with self.roles.write() as w:
            await alone(w)
            await require(w, by.id, ADMINISTER)
            old = await self._locked(w, id)
            if old.name in SEEDED_NAMES and wanted.name != old.name:
                raise Invalid({"name": "Plaza knows this role by its name."})
            if old.name == "admin" and wanted.permissions != ADMINISTER:
                raise Invalid({"permissions": "This role is that of the administrators."})
            if old.name == "member" and wanted.permissions & ~LOGIN:
                raise Invalid({"permissions": "Everybody who registers gets this role."})
            new = replace(old, name=wanted.name, permissions=wanted.permissions, description=wanted.description)
            try:
                await w.execute(
                    "UPDATE roles SET name = %s, permissions = %s, description = %s WHERE id = %s",
                    new.name, new.permissions, new.description, id,
                )  # fmt: skip
            except IntegrityError:
                raise Taken({"name": "There is a role of this name."}) from None
            await still_administered(w)
            w.touch(*roles.shown_in(old), *roles.shown_in(new))
            await audit.note(w, by.id, "role.edit", f"role {id}", old, new)
        return new

    @retried
    async def delete(self, id: int, *, by: User) -> None:
        """A role that nobody has, and that the code does not know. Raises Invalid, Forbidden, NotFound."""
        async with self.roles.write() as w:
            await alone(w)
            await require(w, by.id, ADMINISTER)
            old = await self._locked(w, id)
            if old.name in SEEDED_NAMES:
                raise Invalid({"form": "Plaza knows this role by its name."})
            if await w.fetch("SELECT 1 FROM roles_users WHERE role_id = %s LIMIT 1", id):
                raise Invalid({"form": "Somebody has this role. Take it from everybody first."})
            await w.execute("DELETE FROM roles WHERE id = %s", id)
            w.touch(*roles.shown_in(old))
            await audit.note(w, by.id, "role.delete", f"role {id}", old, None)

    @retried
    async def set_roles(self, user_id: int, role_ids: Sequence[int], *, by: User) -> User:
        """Give a user exactly these roles. Raises Invalid when nobody would administer the site, Forbidden, NotFound."""
        wanted = tuple(sorted(set(role_ids)))
        async with self.users.write() as w:
            await alone(w)
            await require(w, by.id, ADMINISTER)
            old = await w.locked(self.users.make, self.users.rows_sql + " FOR UPDATE", (user_id,))
            if old.email.startswith("imported:"):
                raise Invalid({"roles": "Nobody can sign in as the author of imported posts."})
            if wanted == old.roles:
                return old
            known = {row[0] for row in await w.fetch("SELECT id FROM roles")}
            if not known.issuperset(wanted):
                raise NotFound("role")
            # A link for a new password, handed out by an operator to a member, must not lead into an administrator's account.
            await links.end_all(w, user_id, links.RESET)
            await w.execute("DELETE FROM roles_users WHERE user_id = %s", user_id)
            for id in wanted:
                await w.execute("INSERT INTO roles_users (user_id, role_id) VALUES (%s, %s)", user_id, id)
            await still_administered(w)
            await w.execute("UPDATE users SET version = version + 1 WHERE id = %s", user_id)
            new = replace(old, roles=wanted, version=old.version + 1)
            w.touch(*users.shown_in(old), *users.shown_in(new))
            await audit.note(w, by.id, "user.roles", f"user {user_id}", {"roles": old.roles}, {"roles": new.roles})
        return new

    async def _locked(self, w: Write, id: int) -> Role:
        return await w.locked(Role, "SELECT id, name, permissions, description FROM roles WHERE id = %s FOR UPDATE", id)


async def alone(w: Write) -> None:
    """Wait until no other transaction changes rights: all roles under lock, before anything is decided.

    Else two administrators who remove each other at one moment would each see the other still there.
    """
    await w.fetch("SELECT id FROM roles ORDER BY id FOR UPDATE")


async def still_administered(w: Write) -> None:
    """Raises Invalid when nobody active is an administrator any more; the caller's transaction then rolls back."""
    left = await w.fetch(
        "SELECT 1 FROM roles r JOIN roles_users ru ON ru.role_id = r.id JOIN users u ON u.id = ru.user_id "
        "WHERE r.permissions = 255 AND u.active = 1 LIMIT 1"
    )
    if not left:
        raise Invalid({"form": "Somebody must remain who administers the site."})


async def bits_of(w: Write, user_ids: Sequence[int]) -> dict[int, int]:
    """Each user's bits, active or not; 0 for who has no role."""
    if not user_ids:
        return {}
    rows = await w.fetch(
        "SELECT ru.user_id, BIT_OR(r.permissions) FROM roles_users ru JOIN roles r ON r.id = ru.role_id "
        "WHERE ru.user_id IN %s GROUP BY ru.user_id",
        tuple(user_ids),
    )
    return {**dict.fromkeys(user_ids, 0), **{id: int(bits) for id, bits in rows}}


def _checked(wanted: Wanted) -> Wanted:
    wanted = replace(wanted, name=" ".join(wanted.name.split()), description=" ".join(wanted.description.split()))
    wrong: dict[str, str] = {}
    if not wanted.name:
        wrong["name"] = "A role needs a name."
    elif len(wanted.name) > LONGEST["name"]:
        wrong["name"] = "A role's name has at most 40 characters."
    if len(wanted.description) > LONGEST["description"]:
        wrong["description"] = "A description has at most 200 characters."
    # One role with all bits is an administrator; no others, so that a sum of roles never becomes one unseen.
    if wanted.permissions != ADMINISTER and wanted.permissions & ~(LOGIN | EDITOR | OPERATOR):
        wrong["permissions"] = "Choose some of the permissions."
    if wrong:
        raise Invalid(wrong)
    return wanted
