"""The table `blobs`: the stored bytes, how many files need each, and what becomes of those that nothing needs."""

from collections.abc import Mapping
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
