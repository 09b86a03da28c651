"""Sessions: a random 256-bit token in the visitor's cookie, and only its SHA-256 here."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar

from cache import Key, Slot
from models.base import Table, Write
from models.errors import NotFound
from models.retrying import retried

RENEW_AFTER = timedelta(days=1)  # a session's end moves at most once in this time


@dataclass(frozen=True, slots=True)
class Session:
    token_sha256: bytes
    id: int
    user_id: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A session as its owner sees it in the list, `seen_at` exact to an hour."""

    id: int
    created_at: datetime
    seen_at: datetime
    ip: IPv4Address | IPv6Address | None
    user_agent: str


BY_TOKEN = Key("session", Session, by=("token_sha256",), ttl=600)


def shown_in(session: Session) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in. A new key is not done until it is here."""
    return (BY_TOKEN(session.token_sha256),)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


class Sessions(Table[Session]):
    critical: ClassVar = True
    key: ClassVar = BY_TOKEN
    rows_sql: ClassVar = (
        "SELECT token_sha256, id, user_id, created_at, expires_at FROM sessions WHERE token_sha256 IN %s"
    )

    @retried
    async def start(self, user_id: int, *, days: int, ip: bytes | None, user_agent: str) -> str:
        """A new session of `days` days; its token, which is shown to the visitor alone."""
        token = secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        async with self.write() as w:
            await w.insert(
                "INSERT INTO sessions (token_sha256, user_id, created_at, expires_at, seen_at, ip, user_agent) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s)",
                digest(token), user_id, now, now + timedelta(days=days), now, ip, user_agent[:255],
            )  # fmt: skip
            w.touch(BY_TOKEN(digest(token)))
        return token

    async def by_token(self, token: str) -> Session | None:
        """The living session of a token."""
        session = await self.find(digest(token))
        return session if session and session.expires_at > datetime.now(UTC) else None

    @retried
    async def seen(self, session: Session, *, days: int, ip: bytes | None) -> bool:
        """Note a visit: where from and when, and move the session's end, at most once a day (`RENEW_AFTER`); whether it did."""
        now = datetime.now(UTC)
        if session.expires_at - now > timedelta(days=days) - RENEW_AFTER:
            return False
        async with self.write() as w:
            await w.execute(
                "UPDATE sessions SET seen_at = %s, ip = %s, expires_at = %s WHERE id = %s",
                now, ip, now + timedelta(days=days), session.id,
            )  # fmt: skip
            w.touch(*shown_in(session))
        return True

    async def of_user(self, user_id: int) -> list[SessionFacts]:
        """The newest 100 living sessions, from MySQL."""
        rows = await self.db.fetch(
            "SELECT id, created_at, seen_at, ip, user_agent FROM sessions WHERE user_id = %s AND expires_at > %s "
            "ORDER BY id DESC LIMIT 100",
            user_id, datetime.now(UTC),
        )  # fmt: skip
        return [
            SessionFacts(id, created, seen, ip_address(ip) if ip else None, agent)
            for id, created, seen, ip, agent in rows
        ]

    async def revoke(self, id: int, *, user_id: int) -> None:
        """End one session of the user's own. Raises NotFound when it is not theirs."""
        if not await self._end("id = %s AND user_id = %s", id, user_id):
            raise NotFound(f"session {id}")

    async def end(self, session: Session) -> None:
        """End this one, whether or not it still lives."""
        await self._end("id = %s", session.id)

    async def revoke_all(self, user_id: int, *, but: int = 0) -> int:
        """End all sessions of the user, but the one with this id; how many there were."""
        return await self._end("user_id = %s AND id <> %s", user_id, but)

    async def end_expired(self, most: int = 1000) -> int:
        """Delete what nobody can use any more; how many there were, `most` at a time."""
        return await self._end("expires_at < %s LIMIT %s", datetime.now(UTC), most)

    @retried
    async def _end(self, which: str, *args: object) -> int:
        """Delete the sessions of a condition, which is a literal of this file, and forget them."""
        async with self.write() as w:
            return await _end(w, which, *args)


async def lives(w: Write, session: Session) -> bool:
    """Whether it has not been ended, as this transaction sees it."""
    return bool(await w.fetch("SELECT id FROM sessions WHERE id = %s", session.id))


async def end_all(w: Write, user_ids: Sequence[int], *, but: int = 0) -> int:
    """End all sessions of some users, but the one with this id, in the transaction of what makes that necessary; how many there
    were."""
    return await _end(w, "user_id IN %s AND id <> %s", tuple(user_ids), but) if user_ids else 0


async def _end(w: Write, which: str, *args: object) -> int:
    sql = f"SELECT token_sha256, id, user_id, created_at, expires_at FROM sessions WHERE {which} FOR UPDATE"  # noqa: S608
    sessions = [Session(*row) for row in await w.fetch(sql, *args)]
    if sessions:
        await w.execute("DELETE FROM sessions WHERE id IN %s", tuple(session.id for session in sessions))
    for session in sessions:
        w.touch(*shown_in(session))
    return len(sessions)
