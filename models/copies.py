"""Whom a copy of a site knows, read through once from beginning to end: whoever recorded the original has to find them here."""

from collections.abc import AsyncIterator
from typing import Any

from models.database import Database

PART = 1000  # rows at a time


async def addresses(db: Database) -> AsyncIterator[tuple[int, str]]:
    """(id, mail address) of each member who could sign in."""
    sql = "SELECT id, email FROM users WHERE id > %s AND email NOT LIKE 'imported:%%' ORDER BY id LIMIT %s"
    async for id, email in _all(db, sql):
        yield id, email


async def sessions(db: Database) -> AsyncIterator[tuple[int, int, bytes]]:
    """(id, member's id, SHA-256 of the token) of each session, whether or not it has run out since."""
    async for row in _all(db, "SELECT id, user_id, token_sha256 FROM sessions WHERE id > %s ORDER BY id LIMIT %s"):
        yield row


async def tokens(db: Database) -> AsyncIterator[tuple[int, int, bytes, tuple[str, ...]]]:
    """(id, member's id, SHA-256 of the secret, scopes) of each API token."""
    sql = "SELECT id, user_id, token_sha256, scopes FROM tokens WHERE id > %s ORDER BY id LIMIT %s"
    async for id, user_id, digest, scopes in _all(db, sql):
        yield id, user_id, digest, tuple(scopes.split())


async def _all(db: Database, sql: str) -> AsyncIterator[Any]:
    after = 0
    while rows := await db.fetch(sql, after, PART):
        for row in rows:
            yield row
        after = rows[-1][0]
