"""Take out of sight the files whose time is over, and delete for good what nothing needs any more."""

from datetime import UTC, datetime, timedelta

from models import Models

AT_ONCE = 100  # files, each in a transaction of its own
CUT_OFF = timedelta(minutes=1)  # what was being written so long ago, by a process that is gone, is deleted


async def end_files(models: Models) -> None:
    while await models.file_clearing.expire(datetime.now(UTC), most=AT_ONCE) == AT_ONCE:
        pass


async def clear_files(models: Models) -> None:
    """From the trash, then from the storage; and what killed processes were writing."""
    while await models.file_clearing.purge(datetime.now(UTC), most=AT_ONCE) == AT_ONCE:
        pass
    while await models.file_clearing.collect(datetime.now(UTC), most=AT_ONCE) == AT_ONCE:
        pass
    await models.storage.sweep(CUT_OFF)


async def adopt_leftovers(models: Models) -> None:
    """Bytes whose upload was killed between their storing and its COMMIT."""
    await models.file_clearing.adopt(datetime.now(UTC))
