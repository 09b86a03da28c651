"""What operators do to accounts: activated, deactivated, signed out; one or many at once, and undone. And their list of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Literal

from models import audit, batches, sessions, sheets, tokens, users
from models.base import Write
from models.batches import Changed
from models.errors import Forbidden, Invalid, NotFound
from models.retrying import retried
from models.rights import alone, bits_of, still_administered
from models.roles import OPERATOR, has, require
from models.sheets import Order, Place, Sheet, Walk
from models.users import User, Users

Action = Literal["activate", "deactivate", "signout"]
ACTIONS: tuple[Action, ...] = ("activate", "deactivate", "signout")
MOST_AT_ONCE = 100  # accounts in one transaction
KIND = "users"
NEWEST, BY_NAME, BY_EMAIL = Order("users"), Order("users", "name", False), Order("users", "email", False)
# The users of a role; MariaDB and MySQL merge this into the walk of roles_users' own index.
OF_ROLE = Order("(SELECT user_id AS id, role_id FROM roles_users) held")
FEW = 1_000  # accounts that one filter leaves, so few that the others look at all of them
# How each filter finds its accounts, in the order in which one is walked; the others look at what it brings.
_INDEXED = {
    "name": (BY_NAME, "name LIKE %s", "by_name"),
    "email": (BY_EMAIL, "email LIKE %s", "email"),
    "role": (OF_ROLE, "role_id = %s", ""),
    "active": (NEWEST, "active = %s", "managed"),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which accounts; "" and None do not matter. `name` and `email` are how those begin."""

    name: str = ""
    email: str = ""
    role_id: int | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """How often somebody signed in, when last, and from where."""

    count: int
    last_at: datetime
    last_ip: IPv4Address | IPv6Address | None


@dataclass(frozen=True, slots=True)
class Done:
    """The accounts as they are now, those that the action did not apply to, and the batch that undoes it (or 0)."""

    users: tuple[User, ...]
    left: tuple[int, ...]
    batch: int


class People:
    """All need OPERATOR, decided inside the transaction; nobody can act on who has a permission that they lack themselves."""

    def __init__(self, table: Users) -> None:
        self.users = table

    @retried
    async def act(self, action: Action, ids: Sequence[int], *, by: User) -> Done:
        """The same for many accounts, in one transaction. Who is signed out or deactivated has no session and no token any more.

        Raises Forbidden when all of them are out of reach (oneself cannot be deactivated), NotFound, Invalid.
        """
        if len(ids) > MOST_AT_ONCE:
            raise Invalid({"ids": "At most 100 at once."})
        async with self.users.write() as w:
            found, out_of_reach = await self._reached(w, ids, by)
            if action == "deactivate" and by.id in [user.id for user in found]:
                found, out_of_reach = [user for user in found if user.id != by.id], [*out_of_reach, by.id]
            if out_of_reach and not found:
                raise Forbidden(f"users {out_of_reach} are out of reach for user {by.id}")
            if action == "signout":
                await sessions.end_all(w, [user.id for user in found])
                await tokens.end_all(w, [user.id for user in found], by.id)
                for user in found:
                    await audit.note(w, by.id, "user.signout", f"user {user.id}")
                return Done(tuple(found), tuple(out_of_reach), 0)
            stay = [user.id for user in found if user.active == (action == "activate")]
            pairs = [(user, _switched(user)) for user in found if user.id not in stay]
            await self._change(w, f"user.{action}", pairs, by)
            changed = [Changed(new.id, new.version, str(int(old.active))) for old, new in pairs]
            batch = await batches.remember(w, KIND, by.id, changed)
        return Done(tuple(new for _, new in pairs), (*out_of_reach, *stay), batch)

    @retried
    async def undo(self, batch: int, *, by: User) -> Done:
        """Make the accounts of a batch what they were, but those that changed since; sessions and tokens that ended stay so."""
        async with self.users.write() as w:
            await require(w, by.id, OPERATOR)
            rows = {row.id: row for row in await batches.take_back(w, batch, KIND, by.id)}
            found, left = await self._reached(w, list(rows), by)
            same = [user for user in found if user.version == rows[user.id].version and user.id != by.id]
            pairs = [(user, _switched(user)) for user in same]
            await self._change(w, "user.undo", pairs, by)
        done = {new.id for _, new in pairs}
        return Done(tuple(new for _, new in pairs), (*left, *(user.id for user in found if user.id not in done)), 0)

    async def sheet(self, wanted: Filter, place: Place | None = None, *, most: int = sheets.PER_SHEET) -> Sheet[User]:
        """Some accounts, the newest first; where the beginning of a name or address is given, in its order.

        The count is None where only reading all of them would give it.
        """
        order, walk, rest = await self._walk(wanted)

        async def keep(ids: Sequence[int]) -> set[int]:
            where = " AND ".join(sql for sql, _ in rest)
            args = [arg for _, arg in rest]
            sql = f"SELECT id FROM users u WHERE id IN %s AND {where}"  # noqa: S608 - literals from below
            return {row[0] for row in await self.users.db.fetch(sql, tuple(ids), *args)}

        found = await sheets.sheet(self.users.db, order, (walk,), place=place, most=most, keep=keep if rest else None)
        total = None if rest else await sheets.count(self.users.db, order, (walk,))
        return found.of(await self.users.fresh().many(found.items), count=total)

    async def logins(self, ids: Sequence[int]) -> dict[int, Login]:
        """The sign-ins of those who ever did, by id."""
        if not ids:
            return {}
        rows = await self.users.db.fetch(
            "SELECT user_id, count, last_at, last_ip FROM logins WHERE user_id IN %s", tuple(ids)
        )
        return {id: Login(count, at, ip_address(ip) if ip else None) for id, count, at, ip in rows}

    async def _walk(self, wanted: Filter) -> tuple[Order, Walk, list[tuple[str, Any]]]:
        """The order and the index to walk, and (SQL, value) of what else a row must be that this index does not say."""
        given = _conditions(wanted)
        if not given:
            return NEWEST, Walk(), []
        first = next(name for name in _INDEXED if name in given)
        for name in given if len(given) > 1 else ():
            if not await self._few(name, given[name][1]):
                continue
            order = _INDEXED[first][0] if first in ("name", "email") else NEWEST
            where = " AND ".join(sql for sql, _ in given.values())
            return order, Walk(where, tuple(value for _, value in given.values()), _INDEXED[name][2]), []
        order, sql, index = _INDEXED[first]
        value = given.pop(first)[1]
        return order, Walk(sql, (value,), index), list(given.values())

    async def _few(self, name: str, value: Any) -> bool:
        """Whether one filter alone leaves at most FEW accounts."""
        table, where = _INDEXED[name][0].table, _INDEXED[name][1]
        sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} WHERE {where} LIMIT %s) some"  # noqa: S608 - literals from above
        return bool((await self.users.db.fetch(sql, value, FEW + 1))[0][0] <= FEW)

    async def _reached(self, w: Write, ids: Sequence[int], by: User) -> tuple[list[User], list[int]]:
        """(the accounts under lock, in the order of their ids; those that have a permission which `by` lacks)."""
        await alone(w)  # first: what is decided below must not change meanwhile
        bits = await require(w, by.id, OPERATOR)
        ids = tuple(sorted(set(ids)))
        rows = await w.fetch(self.users.rows_sql + " ORDER BY u.id FOR UPDATE", ids) if ids else ()
        if not rows and len(ids) == 1:
            raise NotFound(f"user {ids[0]}")
        theirs = await bits_of(w, [row[0] for row in rows])
        found = [self.users.make(*row) for row in rows if has(bits, theirs[row[0]])]
        return found, [row[0] for row in rows if not has(bits, theirs[row[0]])]

    async def _change(self, w: Write, action: str, pairs: Sequence[tuple[User, User]], by: User) -> None:
        for old, new in pairs:
            await w.execute("UPDATE users SET active = %s, version = version + 1 WHERE id = %s", new.active, new.id)
            w.touch(*users.shown_in(old), *users.shown_in(new))
            await audit.note(w, by.id, action, f"user {new.id}", {"active": old.active}, {"active": new.active})
        gone = [new.id for _, new in pairs if not new.active]
        await sessions.end_all(w, gone)
        await tokens.end_all(w, gone, by.id)
        if gone:
            await still_administered(w)


def _switched(user: User) -> User:
    return replace(user, active=not user.active, version=user.version + 1)


def _conditions(wanted: Filter) -> dict[str, tuple[str, Any]]:
    """(SQL, value) of each filter that is set, as a condition on a row of `users`."""
    given: dict[str, tuple[str, Any]] = {}
    if wanted.name:
        given["name"] = ("name LIKE %s", _beginning(wanted.name))
    if wanted.email:
        given["email"] = ("email LIKE %s", _beginning(wanted.email.lower()))
    if wanted.role_id is not None:
        given["role"] = ("id IN (SELECT user_id FROM roles_users WHERE role_id = %s)", wanted.role_id)
    if wanted.active is not None:
        given["active"] = ("active = %s", int(wanted.active))
    return given


def _beginning(text: str) -> str:
    """The LIKE pattern of what begins so."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
