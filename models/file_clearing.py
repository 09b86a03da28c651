"""What becomes of files whose time is over, of those in the trash, and of bytes that nothing needs any more.

shown -> trashed   when its time is over; `Files.trash` otherwise
      -> no row    KEPT after that: until then it can be restored. Its bytes are released
      -> no bytes  RELEASED_FOR after that: who reads or copies them has had that long

Each arrow is a transaction of its own. Who is killed between two steps leaves what the next round finds.
"""

from collections import Counter
from datetime import datetime, timedelta

from content.storage import Storage
from models import blobs, file_rows, quotas
from models.counts import COUNTS
from models.errors import NotFound
from models.file_rows import File
from models.files import Files
from models.retrying import retried

KEPT = timedelta(days=1)  # in the trash
RELEASED_FOR = timedelta(hours=1)
YOUNG = timedelta(hours=1)  # stored bytes without a row may be of a transaction that is under way
AT_ONCE = 1_000  # stored files of which MySQL is asked
DELETED_WITHIN = 3.0  # s; a deletion that begins so soon has ended before the lock of its row does

# A backup that is being made holds this: it copies what its snapshot knows, and that may take longer than RELEASED_FOR.
BACKUP = "CONCAT('backup ', MD5(DATABASE()))"
COUNTS.update({"files.expired": 0, "files.purged": 0, "files.deleted": 0, "files.adopted": 0})


class FileClearing:
    """For the worker; each method says how many it has done, of at most `most`."""

    def __init__(self, table: Files, storage: Storage) -> None:
        self.files, self.storage, self.db = table, storage, table.db

    async def expire(self, now: datetime, *, most: int) -> int:
        """Trash what has had its time: nobody has seen it since then, and now the lists forget it."""
        sql = "SELECT id FROM files WHERE status = 'shown' AND expires_at <= %s ORDER BY expires_at, id LIMIT %s"
        due = await self.db.fetch(sql, now, most)
        for (id,) in due:
            COUNTS["files.expired"] += await self._expire(id, now)
        return len(due)

    async def purge(self, now: datetime, *, most: int) -> int:
        """Delete the rows of what has been in the trash for long enough."""
        sql = "SELECT id FROM files WHERE trashed_at < %s ORDER BY trashed_at, id LIMIT %s"
        due = await self.db.fetch(sql, now - KEPT, most)
        for (id,) in due:
            COUNTS["files.purged"] += await self._purge(id, now)
        return len(due)

    async def collect(self, now: datetime, *, most: int) -> int:
        """Delete the bytes that nothing has needed for long enough; none while a backup is being made."""
        ((backup,),) = await self.db.fetch(f"SELECT IS_USED_LOCK({BACKUP})")
        if backup:
            return 0
        sql = "SELECT sha256 FROM blobs WHERE released_at < %s ORDER BY released_at LIMIT %s"
        due = await self.db.fetch(sql, now - RELEASED_FOR, most)
        for (sha256,) in due:
            COUNTS["files.deleted"] += await self._collect(sha256, now)
        return len(due)

    async def adopt(self, now: datetime) -> int:
        """Release the stored bytes that no row knows: an upload failed when they were in place. Looks at all that is stored."""
        known, count = list[tuple[bytes, int]](), 0
        async for kept in self.storage.everything():
            if kept.since < now - YOUNG:
                known.append((kept.sha256, kept.size))
            if len(known) == AT_ONCE:
                count += await self._adopt(known, now)
                known = []
        count += await self._adopt(known, now)
        COUNTS["files.adopted"] += count
        return count

    @retried
    async def _expire(self, id: int, now: datetime) -> int:
        async with self.files.write() as w:
            file = await file_rows.locked(w, id)
            if file.status != "shown" or file.expires_at is None or file.expires_at > now:
                return 0  # it went with its original, or its owner has sent it again
            await file_rows.set_status(w, file, "trashed", None)
        return 1

    @retried
    async def _purge(self, id: int, now: datetime) -> int:
        async with self.files.write() as w:
            owners = await w.fetch("SELECT owner_id FROM files WHERE id = %s AND trashed_at < %s", id, now - KEPT)
            if not owners:
                return 0  # it went with its original, or has been restored
            await quotas.held(w, owners[0][0])
            try:
                file = await w.locked(
                    File, f"{file_rows.SELECT} WHERE id = %s AND trashed_at < %s FOR UPDATE", id, now - KEPT
                )
            except NotFound:
                return 0
            rows = (file, *await file_rows.copies(w, file))
            await file_rows.delete(w, rows)
            await quotas.change(w, file.owner_id, -sum(row.size for row in rows), -len(rows))
            await blobs.release(w, Counter(row.sha256 for row in rows))
        return len(rows)

    @retried
    async def _collect(self, sha256: bytes, now: datetime) -> int:
        async with self.files.write() as w:
            if not await blobs.unheld(w, sha256, now - RELEASED_FOR):
                return 0  # somebody has sent the same bytes
            await self.storage.delete(sha256, within=DELETED_WITHIN)
            await blobs.delete(w, sha256)
        return 1

    @retried
    async def _adopt(self, stored: list[tuple[bytes, int]], now: datetime) -> int:
        async with self.files.write() as w:
            return await blobs.adopt(w, stored, now)
