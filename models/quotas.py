"""The table `file_quotas`: what each member's files take."""

from typing import NamedTuple

from models.base import Write
from models.database import Connection, Database


class Usage(NamedTuple):
    """Those in the trash too, and resized copies."""

    bytes: int
    files: int


async def usage(db: Database | Connection, user_id: int) -> Usage:
    rows = await db.fetch("SELECT bytes, files FROM file_quotas WHERE user_id = %s", user_id)
    return Usage(*rows[0]) if rows else Usage(0, 0)


async def held(w: Write, user_id: int) -> Usage:
    """What it is now, and stays until the transaction ends: whoever adds or deletes files of a member does this first."""
    await w.execute(
        "INSERT INTO file_quotas (user_id, bytes, files) VALUES (%s, 0, 0) ON DUPLICATE KEY UPDATE user_id = user_id",
        user_id,
    )
    rows = await w.fetch("SELECT bytes, files FROM file_quotas WHERE user_id = %s FOR UPDATE", user_id)
    return Usage(*rows[0])


async def change(w: Write, user_id: int, bytes: int, files: int) -> None:
    await w.execute(
        "UPDATE file_quotas SET bytes = bytes + %s, files = files + %s WHERE user_id = %s", bytes, files, user_id
    )
