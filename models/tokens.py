"""API tokens: by one a member's program proves whom it speaks for. It is shown once, when it is made; its SHA-256 is kept."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, Literal

from cache import Cache, Key, Slot
from models import audit, sessions
from models.base import Table, Write
from models.database import Database
from models.errors import Busy, Forbidden, Invalid, NotFound
from models.retrying import retried
from models.roles import LOGIN, require
from models.sessions import Session, digest
from models.users import User

Scope = Literal["read", "write", "scores"]
READ: Final = "read"
WRITE: Final = "write"
SCORES: Final = "scores"
# What each lets a token do, of what its member may do; none leads to the account, to other tokens, or to the manage pages.
SCOPES: dict[Scope, str] = {
    READ: "See what its member sees when signed in.",
    WRITE: "Write, change, delete and vote.",
    SCORES: "Send scores to boards.",
}
MOST = 50  # tokens of a member
LONGEST_NAME = 60  # characters
LONGEST_LIFE = 3650  # days
USED_AGAIN = timedelta(hours=1)  # last_used_at moves at most once in this time
_KNOWN = 10_000  # tokens of which a process remembers when it last noted their use
_SECRET = re.compile(r"plz_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """`expires_at` is None for a token that lives until it is revoked."""

    token_sha256: bytes
    id: int
    user_id: int
    scopes: tuple[str, ...]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token as its owner sees it in the list, `last_used_at` exact to an hour; None when it never was."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


BY_SECRET = Key("token", Token, by=("token_sha256",), ttl=600)


def shown_in(token: Token) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in. A new key is not done until it is here."""
    return (BY_SECRET(token.token_sha256),)


class Tokens(Table[Token]):
    critical: ClassVar = True
    key: ClassVar = BY_SECRET
    rows_sql: ClassVar = "SELECT token_sha256, id, user_id, scopes, expires_at FROM tokens WHERE token_sha256 IN %s"

    def __init__(self, db: Database, cache: Cache) -> None:
        super().__init__(db, cache)
        self._noted: dict[int, datetime] = {}  # by id: when this process last noted the use

    def make(self, *columns: Any) -> Token:
        token_sha256, id, user_id, scopes, expires_at = columns
        return Token(token_sha256, id, user_id, tuple(scopes.split()), expires_at)

    async def by_secret(self, secret: str) -> Token | None:
        """The token, if it was made here, is not over, and has not been revoked."""
        token = await self.find(digest(secret)) if _SECRET.fullmatch(secret) else None
        return token if token and (token.expires_at is None or token.expires_at > datetime.now(UTC)) else None

    async def of_user(self, user_id: int) -> list[TokenFacts]:
        """All that may be used, the newest first, from MySQL."""
        rows = await self.db.fetch(
            "SELECT id, name, scopes, created_at, expires_at, last_used_at FROM tokens "
            "WHERE user_id = %s AND (expires_at IS NULL OR expires_at > %s) ORDER BY id DESC LIMIT %s",
            user_id, datetime.now(UTC), MOST,
        )  # fmt: skip
        return [
            TokenFacts(id, name, tuple(scopes.split()), created, expires, used)
            for id, name, scopes, created, expires, used in rows
        ]

    @retried
    async def create(
        self, name: str, scopes: Sequence[str], *, days: int | None, by: User, session: Session
    ) -> tuple[TokenFacts, str]:
        """A new token of `days` days, or without end; and its secret, which nobody can be told again.

        `session` is the one that asks: one that was ended a moment ago, for a new password say, leaves no token behind.
        Raises Invalid, Forbidden.
        """
        name, kept = _checked(name, scopes, days)
        secret, now = f"plz_{secrets.token_urlsafe(32)}", datetime.now(UTC)
        expires_at = now + timedelta(days=days) if days else None
        async with self.write() as w:
            await _alone(w, by.id)
            await require(w, by.id, LOGIN)
            if not await sessions.lives(w, session):
                raise Forbidden(f"session {session.id} has ended")
            if len(await w.fetch("SELECT id FROM tokens WHERE user_id = %s LIMIT %s", by.id, MOST)) >= MOST:
                raise Invalid({"form": "You have 50 tokens. Revoke one that you do not need first."})
            id = await w.insert(
                "INSERT INTO tokens (token_sha256, user_id, name, scopes, created_at, expires_at) "
                "VALUES (%s, %s, %s, %s, %s, %s)",
                digest(secret), by.id, name, " ".join(kept), now, expires_at,
            )  # fmt: skip
            facts = TokenFacts(id, name, kept, now, expires_at, None)
            w.touch(BY_SECRET(digest(secret)))
            told = {"name": name, "scopes": " ".join(kept), "expires_at": expires_at}
            await audit.note(w, by.id, "token.create", f"token {id}", None, told)
        return facts, secret

    async def used(self, token: Token) -> None:
        """Note the use, exact to an hour, once an hour in all processes; nothing waits for a MySQL that is away."""
        now = datetime.now(UTC)
        if self._noted.get(token.id, now - USED_AGAIN) > now - USED_AGAIN:
            return
        if len(self._noted) >= _KNOWN:
            self._noted.clear()
        self._noted[token.id] = now
        try:
            async with self.db.connection() as connection:
                await connection.execute(
                    "UPDATE tokens SET last_used_at = %s WHERE id = %s AND (last_used_at IS NULL OR last_used_at < %s)",
                    now, token.id, now - USED_AGAIN,
                )  # fmt: skip
        except Busy:
            self._noted.pop(token.id, None)

    @retried
    async def revoke(self, id: int, *, by: User) -> None:
        """End one of the member's own; twice is as once. Raises NotFound when it is not theirs."""
        async with self.write() as w:
            rows = await w.fetch("SELECT name FROM tokens WHERE id = %s AND user_id = %s FOR UPDATE", id, by.id)
            if rows:
                await _end(w, "id = %s", id)
                await audit.note(w, by.id, "token.revoke", f"token {id}", {"name": rows[0][0]}, None)
            elif not await audit.is_noted(w, by.id, "token.revoke", f"token {id}"):
                raise NotFound(f"token {id}")

    @retried
    async def end_expired(self, most: int = 1000) -> int:
        """Delete what nobody can use any more; how many there were, `most` at a time."""
        async with self.write() as w:
            return await _end(w, "expires_at < %s LIMIT %s", datetime.now(UTC), most)


async def end_all(w: Write, user_ids: Sequence[int], by: int | None) -> int:
    """End all tokens of some users whose rows are held, in the transaction of what makes that necessary; how many there were."""
    ended = 0
    for user_id in user_ids:
        if n := await _end(w, "user_id = %s", user_id):
            await audit.note(w, by, "token.revoke_all", f"user {user_id}", {"tokens": n}, {"tokens": 0})
            ended += n
    return ended


async def _alone(w: Write, user_id: int) -> None:
    """Wait until nothing else is under way that makes or ends this member's tokens."""
    await w.fetch("SELECT id FROM users WHERE id = %s FOR UPDATE", user_id)


async def _end(w: Write, which: str, *args: object) -> int:
    """Delete the tokens of a condition, which is a literal of this file, and forget them."""
    sql = f"SELECT token_sha256 FROM tokens WHERE {which} FOR UPDATE"  # noqa: S608
    found = tuple(row[0] for row in await w.fetch(sql, *args))
    if found:
        await w.execute("DELETE FROM tokens WHERE token_sha256 IN %s", found)
        w.touch(*map(BY_SECRET, found))
    return len(found)


def _checked(name: str, scopes: Sequence[str], days: int | None) -> tuple[str, tuple[Scope, ...]]:
    """(the name without signs that turn or hide text, the scopes in their order). Raises Invalid."""
    name = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    wrong: dict[str, str] = {}
    if not 1 <= len(name) <= LONGEST_NAME:
        wrong["name"] = "A token's name has 1 to 60 characters."
    if not scopes or not set(scopes) <= set(SCOPES):
        wrong["scopes"] = "Choose what the token may do: read, write, scores, or several of them."
    if days is not None and not 1 <= days <= LONGEST_LIFE:
        wrong["days"] = "A token lives for 1 to 3650 days, or without end."
    if wrong:
        raise Invalid(wrong)
    return name, tuple(scope for scope in SCOPES if scope in scopes)
