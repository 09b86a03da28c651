"""One-time links: a secret that does one thing once, before it ends. Only its SHA-256 is stored."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.base import Write
from models.database import Connection, Database
from models.errors import NotFound
from models.retrying import retried
from models.sessions import digest

ADMIN = "admin"
ADMIN_HOURS = 48
# What links in mails are for, and the hours that they live.
RESET, CONFIRM, CHANGE = "reset", "confirm", "change"
HOURS = {RESET: 1, CONFIRM: 72, CHANGE: 24}


@dataclass(frozen=True, slots=True)
class Link:
    """Whom a link is for, and (`data`) the address that it was sent to."""

    purpose: str
    user_id: int
    data: str


_FIND = "SELECT purpose, user_id, data FROM links WHERE token_sha256 = %s AND purpose IN %s AND expires_at > %s"


class Links:
    """The table `links`. Nothing of it is cached: a link is read once."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @retried
    async def invite_admin(self) -> str:
        """A token that makes whoever registers with it an administrator, once, within 48 hours. Earlier ones end."""
        token = secrets.token_urlsafe(32)
        async with self.db.transaction() as connection:
            await connection.execute("DELETE FROM links WHERE purpose = %s", ADMIN)
            await connection.execute(
                "INSERT INTO links (token_sha256, purpose, expires_at) VALUES (%s, %s, %s)",
                digest(token), ADMIN, datetime.now(UTC) + timedelta(hours=ADMIN_HOURS),
            )  # fmt: skip
            await connection.commit()
        return token

    @retried
    async def make(self, purpose: str, user_id: int, data: str) -> str:
        """A token for a mail to `data`. Earlier ones live on: their mails may still be under way."""
        async with self.db.connection() as connection:
            return await add(connection, purpose, user_id, data)

    async def find(self, token: str, *purposes: str) -> Link | None:
        """The link, unspent, if it is for one of the purposes and may still be used."""
        rows = await self.db.fetch(_FIND, digest(token), purposes, datetime.now(UTC))
        return Link(*rows[0]) if rows else None

    async def good(self, token: str, purpose: str) -> bool:
        """Whether the link may still be used."""
        rows = await self.db.fetch(
            "SELECT 1 FROM links WHERE token_sha256 = %s AND purpose = %s AND expires_at > %s",
            digest(token), purpose, datetime.now(UTC),
        )  # fmt: skip
        return bool(rows)

    @retried
    async def end_expired(self) -> None:
        """Delete the links that have run out."""
        async with self.db.connection() as connection:
            await connection.execute("DELETE FROM links WHERE expires_at < %s LIMIT 1000", datetime.now(UTC))


async def use(w: Write, token: str, purpose: str) -> None:
    """Spend the link, in the transaction of what it allows. Raises NotFound when it is spent, over, or was never made."""
    spent = await w.execute(
        "DELETE FROM links WHERE token_sha256 = %s AND purpose = %s AND expires_at > %s",
        digest(token), purpose, datetime.now(UTC),
    )  # fmt: skip
    if not spent:
        raise NotFound("link")


async def add(w: Write | Connection, purpose: str, user_id: int, data: str) -> str:
    """A link that lives as long as its purpose says; its token."""
    token = secrets.token_urlsafe(32)
    await w.execute(
        "INSERT INTO links (token_sha256, purpose, user_id, data, expires_at) VALUES (%s, %s, %s, %s, %s)",
        digest(token), purpose, user_id, data, datetime.now(UTC) + timedelta(hours=HOURS[purpose]),
    )  # fmt: skip
    return token


async def spend(w: Write, token: str, *purposes: str) -> Link:
    """Use up a link of a mail, in the transaction of what it proves. Raises NotFound as `use` does."""
    found = await w.fetch(_FIND + " FOR UPDATE", digest(token), purposes, datetime.now(UTC))
    if not found:
        raise NotFound("link")
    await w.execute("DELETE FROM links WHERE token_sha256 = %s", digest(token))
    return Link(*found[0])


async def end_all(w: Write, user_id: int, *purposes: str) -> None:
    """End what was sent to a member for these purposes: it is done, or no longer true."""
    await w.execute("DELETE FROM links WHERE user_id = %s AND purpose IN %s", user_id, purposes)
