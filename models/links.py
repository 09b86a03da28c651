"""One-time links: a secret that does one thing once, before it ends. Only its SHA-256 is stored."""

import secrets
from datetime import UTC, datetime, timedelta

from models.base import Write
from models.database import Database
from models.errors import NotFound
from models.sessions import digest

ADMIN = "admin"
ADMIN_HOURS = 48


class Links:
    """The table `links`. Nothing of it is cached: a link is read once."""

    def __init__(self, db: Database) -> None:
        self.db = db

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

    async def good(self, token: str, purpose: str) -> bool:
        """Whether the link may still be used."""
        rows = await self.db.fetch(
            "SELECT 1 FROM links WHERE token_sha256 = %s AND purpose = %s AND expires_at > %s",
            digest(token), purpose, datetime.now(UTC),
        )  # fmt: skip
        return bool(rows)

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
