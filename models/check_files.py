"""`plaza check` of the files: what is stored against what the tables say is stored, and the tables against each other."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from content.storage import Kept, Missing, Storage
from models.check import snapshot
from models.database import Connection, Database

AT_ONCE = 5_000  # rows
SHOWN = 10  # of what is wrong in the same way
UNDER_WAY = timedelta(minutes=1)  # bytes that are so young may have their row in a moment

# A sentence, and the SQL that finds what it is about.
_WRONG = {
    "stored bytes whose count of files is wrong": """
        SELECT HEX(b.sha256) FROM blobs b LEFT JOIN (SELECT sha256, COUNT(*) n FROM files GROUP BY sha256) f
        ON f.sha256 = b.sha256 WHERE b.holds <> COALESCE(f.n, 0) OR (b.holds = 0) <> (b.released_at IS NOT NULL)""",
    "files whose bytes no row knows, or whose size is another": """
        SELECT f.id FROM files f LEFT JOIN blobs b ON b.sha256 = f.sha256 AND b.size = f.size WHERE b.sha256 IS NULL""",
    "files without an owner": "SELECT f.id FROM files f LEFT JOIN users u ON u.id = f.owner_id WHERE u.id IS NULL",
    "resized copies without an original": """
        SELECT f.id FROM files f LEFT JOIN files p ON p.id = f.parent_id AND p.parent_id IS NULL AND p.owner_id = f.owner_id
        WHERE f.parent_id IS NOT NULL AND p.id IS NULL""",
    "resized copies that are shown, or end, otherwise than their original": """
        SELECT f.id FROM files f JOIN files p ON p.id = f.parent_id
        WHERE f.status = 'shown' AND NOT (p.status = 'shown' AND p.expires_at <=> f.expires_at)""",
    "files whose key or date does not fit their status": """
        SELECT id FROM files WHERE NOT (original <=> IF(status = 'shown' AND parent_id IS NULL, sha256, NULL))
        OR (status = 'trashed') <> (trashed_at IS NOT NULL)""",
    "members whose quota is wrong": """
        SELECT w.user_id FROM (
            SELECT user_id, bytes, files FROM file_quotas
            UNION ALL SELECT owner_id, -SUM(size), -COUNT(*) FROM files GROUP BY owner_id
        ) w GROUP BY w.user_id HAVING SUM(w.bytes) <> 0 OR SUM(w.files) <> 0""",
}


async def check_files(db: Database, storage: Storage, *, deep: bool = False) -> list[str]:
    """One sentence for each disagreement; empty when all agrees. It may run while the site serves. `deep`: reads all that is
    stored."""
    found = list[str]()
    async with snapshot(db) as connection:
        for sentence, sql in _WRONG.items():
            found += _told(sentence, [str(row[0]) for row in await connection.fetch(f"{sql} LIMIT {SHOWN + 1}")])
        missing, resized, unknown = await _compared(connection, storage)
    # The folder is read later than the snapshot: what it has beyond it may have come since.
    known = await db.fetch("SELECT sha256 FROM blobs WHERE sha256 IN %s", tuple(unknown)) if unknown else ()
    left = [sha256 for sha256 in unknown if (sha256,) not in known]
    found += _told("files whose bytes are missing", missing)
    found += _told("stored bytes of another size than was sent", [sha256.hex() for sha256 in resized])
    found += _told("stored bytes that no row knows (the worker deletes them)", [sha256.hex() for sha256 in left])
    return found + (await _damaged(storage) if deep else [])


async def _compared(connection: Connection, storage: Storage) -> tuple[list[str], list[bytes], list[bytes]]:
    """(ids of files without bytes, bytes of a wrong size, bytes without a row), a few of each: both lists are walked in the
    order of the SHA-256, side by side, so neither is ever whole in memory."""
    missing, resized, unknown = list[str](), list[bytes](), list[bytes]()
    stored = aiter(storage.everything())
    there: Kept | None = await anext(stored, None)
    young = datetime.now(UTC) - UNDER_WAY
    async for sha256, size, holds in _rows(connection):
        while there and there.sha256 < sha256:
            if there.since < young and len(unknown) <= SHOWN:
                unknown.append(there.sha256)
            there = await anext(stored, None)
        if there and there.sha256 == sha256:
            if there.size != size and len(resized) <= SHOWN:
                resized.append(sha256)
            there = await anext(stored, None)
        elif holds and len(missing) <= SHOWN:  # what nothing needs may have been deleted since
            sql = "SELECT id FROM files WHERE sha256 = %s ORDER BY id LIMIT %s"
            missing += [str(row[0]) for row in await connection.fetch(sql, sha256, SHOWN + 1)]
    while there and len(unknown) <= SHOWN:
        if there.since < young:
            unknown.append(there.sha256)
        there = await anext(stored, None)
    return missing, resized, unknown


async def _rows(connection: Connection) -> AsyncIterator[tuple[bytes, int, int]]:
    last = b""
    while rows := await connection.fetch(
        "SELECT sha256, size, holds FROM blobs WHERE sha256 > %s ORDER BY sha256 LIMIT %s", last, AT_ONCE
    ):
        for sha256, size, holds in rows:
            yield sha256, size, holds
        last = rows[-1][0]


async def _damaged(storage: Storage) -> list[str]:
    found = list[str]()
    async for kept in storage.everything():
        try:
            if await storage.digest(kept.sha256) != kept.sha256 and len(found) <= SHOWN:
                found.append(kept.sha256.hex())
        except Missing:
            continue  # deleted meanwhile
    return _told("stored bytes that have changed", found)


def _told(sentence: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [f"{sentence}: {', '.join(names[:SHOWN]).lower()}{' and more' if len(names) > SHOWN else ''}"]
