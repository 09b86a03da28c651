"""Members: who they are, what they may do, and what proves it."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from pymysql.err import IntegrityError

from cache import Cache, Index, Key, List, Scope, Slot
from cache.slots import Value
from models import audit, links, tallies
from models.asking import answers
from models.base import Page, Table, Write
from models.database import Database
from models.errors import NotFound, Taken
from models.retrying import retried
from models.roles import LOGIN, OPERATOR, Roles, require

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class User:
    """A member, or the author of imported posts, who has an address that nobody can sign in with (`imported:<name>`)."""

    id: int
    email: str
    name: str
    image: str
    active: bool
    created_at: datetime
    confirmed_at: datetime | None
    roles: tuple[int, ...]
    version: int


BY_ID = Key("user", User, ttl=600)
BY_EMAIL = Index("user.email", by=("email",), ttl=600)
EVERYONE = Scope("users")
PAGES = List("users.page", by=("page",), scopes=(EVERYONE,), ttl=600)


def shown_in(user: User) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in. A new key is not done until it is here."""
    return BY_ID(user.id), BY_EMAIL(user.email), EVERYONE()


class Users(Table[User]):
    critical: ClassVar = True
    key: ClassVar = BY_ID
    rows_sql: ClassVar = (
        "SELECT u.id, u.email, u.name, u.image, u.active, u.created_at, u.confirmed_at, "
        "(SELECT GROUP_CONCAT(ru.role_id ORDER BY ru.role_id) FROM roles_users ru WHERE ru.user_id = u.id), u.version "
        "FROM users u WHERE u.id IN %s"
    )

    def __init__(self, db: Database, cache: Cache, roles: Roles) -> None:
        super().__init__(db, cache)
        self.roles = roles

    def make(self, *columns: Any) -> User:
        return _made(*columns)

    async def by_id(self, id: int) -> User:
        """Raises NotFound."""
        return await self.one(id)

    async def by_ids(self, ids: Sequence[int]) -> dict[int, User]:
        """Those of the users that there are, by id; for a page that shows many rows of few authors."""
        return {user.id: user for user in await self.many(tuple(dict.fromkeys(ids)))}

    @answers(BY_EMAIL)
    async def by_email(self, email: str) -> User | None:
        email = email.strip().lower()
        return await self.by_index(
            BY_EMAIL(email), lambda user: user.email == email, "SELECT id FROM users WHERE email = %s", email
        )

    async def bits(self, user: User | None) -> int:
        """The permissions of a user; 0 for a visitor, for nobody's roles, and for who was deactivated."""
        return await self.roles.bits(user.roles) if user and user.active else 0

    async def page(self, n: int, *, by: User) -> Page[User]:
        """All users, newest first. Raises Forbidden unless `by` is an operator: addresses are nobody else's business."""
        async with self.db.transaction() as connection:
            await require(connection, by.id, OPERATOR)
        count, *ids = await self._numbers(n)
        return Page(tuple(await self.many(ids)), n, max(1, -(-count // PER_PAGE)), count)

    @answers(PAGES)
    async def _numbers(self, n: int) -> tuple[int, ...]:
        """How many there are, and the ids of page n."""

        async def load() -> tuple[int, ...]:
            spot = await tallies.spot(self.db, "users", (n - 1) * PER_PAGE)
            rows = await self.db.fetch(
                "SELECT id FROM users WHERE created_at < %s ORDER BY created_at DESC, id DESC LIMIT %s OFFSET %s",
                spot.before, PER_PAGE, spot.skip,
            )  # fmt: skip
            return (spot.total, *(row[0] for row in rows))

        return await self.items(PAGES(n), load)

    @retried
    async def register(
        self,
        name: str,
        email: str,
        password_hash: str | None,
        *,
        role: str = "member",
        active: bool = True,
        invite: str = "",
        also: Callable[[Write, User], Awaitable[None]] | None = None,
    ) -> User:
        """A new account. `invite` is a link that is spent with it; raises NotFound when it has been. Raises Taken.

        `also`: what else belongs to the same transaction.
        """
        email = email.strip().lower()
        now = datetime.now(UTC)
        async with self.write() as w:
            if invite:
                await links.use(w, invite, role)
            try:
                id = await w.insert(
                    "INSERT INTO users (email, name, password_hash, created_at, active) VALUES (%s, %s, %s, %s, %s)",
                    email, name, password_hash, now, active,
                )  # fmt: skip
            except IntegrityError:
                raise Taken(
                    {"email": "There is an account with this address. Sign in, or use another address."}
                ) from None
            await self._give(w, id, role)
            await tallies.change(w, Counter(), Counter({("users", _day(now)): 1}))
            user = await self._locked(w, id)
            if invite:
                await audit.note(w, id, "user.roles", f"user {id}", {"roles": ()}, {"roles": user.roles})
            if also:
                await also(w, user)
            w.touch(*shown_in(user))
        return user

    async def import_author(self, name: str) -> User:
        """The user without sign-in who wrote imported posts under this name; made where there is none."""
        email = f"imported:{name.strip().lower()}"[:254]
        known = await self.by_email(email)
        if known:
            return known
        try:
            return await self.register(name[:200], email, None, role="")
        except Taken:
            rows = await self.db.fetch("SELECT id FROM users WHERE email = %s", email)
            return await self.one(rows[0][0])

    async def rename(self, id: int, name: str) -> User:
        """Raises NotFound."""
        return await self._update(id, "UPDATE users SET name = %s, version = version + 1 WHERE id = %s", name, id)

    @retried
    async def set_image(self, id: int, image: str, *, by: User) -> User:
        """The picture beside the name, an address, or "" for none: one's own, or as an operator anybody's. Twice is as once.

        Raises Forbidden, NotFound.
        """
        async with self.write() as w:
            await require(w, by.id, LOGIN if by.id == id else OPERATOR)
            old = await self._locked(w, id)
            if old.image == image:
                return old
            await w.execute("UPDATE users SET image = %s, version = version + 1 WHERE id = %s", image, id)
            new = await self._locked(w, id)
            w.touch(*shown_in(old), *shown_in(new))
            await audit.note(w, by.id, "user.image", f"user {id}", {"image": old.image}, {"image": image})
        return new

    @retried
    async def set_password(self, id: int, password_hash: str) -> User:
        """Links for another one, sent before, end. Ending the sessions is the caller's to decide. Raises NotFound."""
        async with self.write() as w:
            old = await self._locked(w, id)
            await w.execute(
                "UPDATE users SET password_hash = %s, version = version + 1 WHERE id = %s", password_hash, id
            )
            await links.end_all(w, id, links.RESET)
            new = await self._locked(w, id)
            w.touch(*shown_in(old), *shown_in(new))
        return new

    async def set_active(self, id: int, active: bool) -> User:
        """A user who is not active has no permissions and cannot sign in. Raises NotFound."""
        return await self._update(id, "UPDATE users SET active = %s, version = version + 1 WHERE id = %s", active, id)

    @retried
    async def grant(self, id: int, role: str) -> User:
        """Give a role by name. Raises NotFound for an unknown user or role."""
        async with self.write() as w:
            w.touch(*shown_in(await self._locked(w, id)))
            await self._give(w, id, role)
            await w.execute("UPDATE users SET version = version + 1 WHERE id = %s", id)
            return await self._locked(w, id)

    async def password_hash(self, email: str) -> tuple[int, str | None] | None:
        """(id, argon2id hash) of an account, active or not; straight from MySQL: secrets are never cached."""
        rows = await self.db.fetch("SELECT id, password_hash FROM users WHERE email = %s", email.strip().lower())
        return (rows[0][0], rows[0][1]) if rows else None

    @retried
    async def note_login(self, id: int, ip: bytes | None) -> None:
        """Count a sign-in, and remember when and from where (4 or 16 bytes). Kept out of the cached row."""
        async with self.write() as w:
            await w.execute(
                "INSERT INTO logins (user_id, count, last_at, last_ip) VALUES (%s, 1, %s, %s) "
                "ON DUPLICATE KEY UPDATE count = count + 1, last_at = VALUES(last_at), last_ip = VALUES(last_ip)",
                id, datetime.now(UTC), ip,
            )  # fmt: skip

    async def any_admin(self) -> bool:
        """Whether somebody can administer the site."""
        rows = await self.db.fetch(
            "SELECT 1 FROM roles r JOIN roles_users ru ON ru.role_id = r.id JOIN users u ON u.id = ru.user_id "
            "WHERE r.permissions = 255 AND u.active = 1 LIMIT 1"
        )
        return bool(rows)

    async def _give(self, w: Write, user_id: int, role: str) -> None:
        if not role:
            return
        found = await w.fetch("SELECT id FROM roles WHERE name = %s", role)
        if not found:
            raise NotFound(f"role {role}")
        await w.execute(
            "INSERT INTO roles_users (user_id, role_id) VALUES (%s, %s) ON DUPLICATE KEY UPDATE role_id = role_id",
            user_id,
            found[0][0],
        )

    @retried
    async def _update(self, id: Value, sql: str, *args: Any) -> User:
        async with self.write() as w:
            old = await self._locked(w, id)
            await w.execute(sql, *args)
            new = await self._locked(w, id)
            w.touch(*shown_in(old), *shown_in(new))
        return new

    async def _locked(self, w: Write, id: Value) -> User:
        return await _locked(w, id)


async def part_with(w: Write, id: int, stored_name: str, by_id: int | None) -> None:
    """Whose picture is this file has none any more: in the transaction that takes the file away."""
    ending = f"/{stored_name}"
    seen = await w.fetch("SELECT image FROM users WHERE id = %s", id)
    if not seen or not seen[0][0].endswith(ending):
        return
    old = await _locked(w, id)
    if not old.image.endswith(ending):
        return
    await w.execute("UPDATE users SET image = '', version = version + 1 WHERE id = %s", id)
    w.touch(*shown_in(old))
    await audit.note(w, by_id, "user.image", f"user {id}", {"image": old.image}, {"image": ""})


async def _locked(w: Write, id: Value) -> User:
    return await w.locked(_made, Users.rows_sql + " FOR UPDATE", (id,))


def _made(*columns: Any) -> User:
    id, email, name, image, active, created_at, confirmed_at, roles, version = columns
    role_ids = tuple(int(id) for id in roles.split(",")) if roles else ()
    return User(id, email, name, image, bool(active), created_at, confirmed_at, role_ids, version)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
