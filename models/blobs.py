"""The table `blobs`: the stored bytes, and how many rows of `files` need each."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from content.storage import Incoming, Storage
from models.base import Write


async def hold(w: Write, storage: Storage, incoming: Incoming) -> None:
    """One file more needs these bytes. They are stored under the lock of their row, so that nobody deletes them meanwhile."""
    await w.execute(
        "INSERT INTO blobs (sha256, size, holds) VALUES (%s, %s, 1) "
        "ON DUPLICATE KEY UPDATE size = VALUES(size), holds = holds + 1, released_at = NULL",
        incoming.sha256, incoming.size,
    )  # fmt: skip
    await storage.keep(incoming)


async def release(w: Write, holds: Mapping[bytes, int]) -> None:
    """So many files of each need the bytes no more."""
    for sha256, n in sorted(holds.items()):  # one order for all, so that two cannot deadlock
        await w.execute(
            "UPDATE blobs SET holds = holds - %s, released_at = IF(holds = 0, %s, NULL) WHERE sha256 = %s",
            n, datetime.now(UTC), sha256,
        )  # fmt: skip


async def unheld(w: Write, sha256: bytes, since: datetime) -> bool:
    """Whether nothing has needed the bytes since then; so it stays until the transaction ends."""
    sql = "SELECT size FROM blobs WHERE sha256 = %s AND holds = 0 AND released_at < %s FOR UPDATE"
    return bool(await w.fetch(sql, sha256, since))


async def delete(w: Write, sha256: bytes) -> None:
    await w.execute("DELETE FROM blobs WHERE sha256 = %s", sha256)


async def adopt(w: Write, stored: Sequence[tuple[bytes, int]], now: datetime) -> int:
    """Rows for those stored bytes, by SHA-256 and size, that have none: nothing needs them. How many."""
    sql = "SELECT sha256 FROM blobs WHERE sha256 IN %s"
    known = {row[0] for row in await w.fetch(sql, tuple(sha256 for sha256, _ in stored))} if stored else set()
    new = [(sha256, size, 0, now) for sha256, size in stored if sha256 not in known]
    for row in new:
        await w.execute(
            "INSERT INTO blobs (sha256, size, holds, released_at) VALUES %s ON DUPLICATE KEY UPDATE sha256 = VALUES(sha256)",
            row,
        )
    return len(new)
