"""Roles and the permission bits they carry; a user's bits are the OR of its roles'."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from cache import Key, Slot
from models.base import Table, Write
from models.database import Connection
from models.errors import Forbidden
from models.retrying import retried

LOGIN, EDITOR, OPERATOR, ADMINISTER = 0x01, 0x02, 0x04, 0xFF
PERMISSIONS = {"LOGIN": LOGIN, "EDITOR": EDITOR, "OPERATOR": OPERATOR, "ADMINISTER": ADMINISTER}

# Name, bits, what it is for. Seeded find-or-create by `Roles.seed`; the names are known to the code, the bits belong to the site.
SEEDED = (
    ("member", LOGIN, "comment, vote, upload, submit scores"),
    ("editor", LOGIN | EDITOR, "write and edit posts and polls, delete comments"),
    ("operator", LOGIN | EDITOR | OPERATOR, "also comments, files and the state of users"),
    ("admin", ADMINISTER, "everything, roles and settings too"),
)


# The bits of the user with an id; none for who is not active. For a write's own transaction: alone, or with what else it asks.
BITS = (
    "SELECT COALESCE(BIT_OR(r.permissions), 0) FROM users u JOIN roles_users ru ON ru.user_id = u.id "
    "JOIN roles r ON r.id = ru.role_id WHERE u.id = %s AND u.active = 1"
)


@dataclass(frozen=True, slots=True)
class Role:
    id: int
    name: str
    permissions: int
    description: str


BY_ID = Key("role", Role, ttl=600)


def shown_in(role: Role) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in. A new key is not done until it is here."""
    return (BY_ID(role.id),)


def has(bits: int, permission: int) -> bool:
    """Whether all bits of `permission` are there."""
    return bits & permission == permission


class Roles(Table[Role]):
    critical: ClassVar = True
    key: ClassVar = BY_ID
    rows_sql: ClassVar = "SELECT id, name, permissions, description FROM roles WHERE id IN %s"

    async def bits(self, role_ids: tuple[int, ...]) -> int:
        """The OR of the roles' permissions; 0 for none."""
        bits = 0
        for role in await self.many(role_ids):
            bits |= role.permissions
        return bits

    async def are_there(self) -> bool:
        """Whether MySQL answers and its tables have been made; for /readyz, so straight from MySQL. Raises Busy."""
        return bool(await self.db.fetch("SELECT id FROM roles LIMIT 1"))

    @retried
    async def seed(self) -> None:
        """Make the roles that the code knows by name, where they are missing. May be run at any time."""
        async with self.write() as w:
            for name, permissions, description in SEEDED:
                await w.execute(
                    "INSERT INTO roles (name, permissions, description) VALUES (%s, %s, %s) "
                    "ON DUPLICATE KEY UPDATE name = VALUES(name)",
                    name, permissions, description,
                )  # fmt: skip
            for role in await w.fetch("SELECT id, name, permissions, description FROM roles"):
                w.touch(*shown_in(Role(*role)))


async def require(w: Write | Connection, user_id: int, permission: int) -> int:
    """The user's bits, decided inside the transaction that they are for. Raises Forbidden when `permission` is not in them."""
    ((bits,),) = await w.fetch(BITS, user_id)
    return allowed(int(bits), user_id, permission)


def allowed(bits: int, user_id: int, permission: int) -> int:
    """The bits, as a statement with `BITS` has found them. Raises Forbidden when `permission` is not in them."""
    if not has(bits, permission):
        raise Forbidden(f"user {user_id} lacks permission {permission:#04x}")
    return bits


async def who_has(w: Write | Connection, user_ids: Collection[int], permission: int) -> set[int]:
    """Those of the users that have the permission, decided inside the transaction that it is for."""
    if not user_ids:
        return set()
    rows = await w.fetch(
        "SELECT u.id, BIT_OR(r.permissions) FROM users u JOIN roles_users ru ON ru.user_id = u.id "
        "JOIN roles r ON r.id = ru.role_id WHERE u.id IN %s AND u.active = 1 GROUP BY u.id",
        tuple(user_ids),
    )
    return {id for id, bits in rows if has(int(bits), permission)}
