"""What one press of a button changed, and the ten minutes in which it can be taken back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.base import Write
from models.database import Database
from models.errors import NotFound
from models.retrying import retried

UNDO_FOR = timedelta(minutes=10)


KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Changed:
    """One row of a batch: its version after the change, and its status before."""

    id: int
    version: int
    was: str


async def remember(w: Write, kind: str, actor_id: int, rows: Sequence[Changed]) -> int:
    """Keep what a change of many rows did, in its own transaction; the id by which it is undone. 0 when nothing changed."""
    if not rows:
        return 0
    entries = json.dumps([[row.id, row.version, row.was] for row in rows])
    return await w.insert(
        "INSERT INTO batches (actor_id, at, kind, entries) VALUES (%s, %s, %s, %s)",
        actor_id, datetime.now(UTC), kind, entries,
    )  # fmt: skip


async def take_back(w: Write, id: int, kind: str, actor_id: int) -> list[Changed]:
    """The rows of a batch, once: the caller makes each what it was, unless it has changed since.

    Raises NotFound when the batch is another's, of another kind, older than ten minutes, or has been undone.
    """
    rows = await w.fetch(
        "SELECT entries FROM batches WHERE id = %s AND kind = %s AND actor_id = %s AND at > %s AND undone_at IS NULL FOR UPDATE",
        id, kind, actor_id, datetime.now(UTC) - UNDO_FOR,
    )  # fmt: skip
    if not rows:
        raise NotFound(f"batch {id}")
    await w.execute("UPDATE batches SET undone_at = %s WHERE id = %s", datetime.now(UTC), id)
    return [Changed(*entry) for entry in json.loads(rows[0][0])]


@retried
async def end_old(db: Database) -> None:
    """Forget what can long not be undone any more."""
    async with db.connection() as connection:
        await connection.execute("DELETE FROM batches WHERE at < %s LIMIT 1000", datetime.now(UTC) - KEPT)
