"""What becomes of files that are in the trash, or have had their time: step by step, and however often somebody is killed."""

import asyncio
import os
import random
import signal
import sys
from datetime import UTC, datetime, timedelta

import pytest

from commands.backup import connect
from content.storage import Missing
from jobs import files as duties
from models import Models
from models.check_files import check_files
from models.errors import Busy, NotFound
from models.file_clearing import BACKUP, KEPT, RELEASED_FOR
from settings import ROOT, Settings, environment
from tests.harness.people import People
from tests.models.uploading import resize, stored, upload

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def now() -> datetime:
    return datetime.now(UTC)


async def test_when_its_time_is_over_a_file_goes_from_all_lists(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob, expires=DAY)
    copy = await resize(models, file, "300x200", people.bob)
    kept, _ = await upload(models, people.bob, b"kept", expires=3 * DAY)
    assert await models.file_clearing.expire(now(), most=10) == 0
    assert len(await models.files.latest()) == 2

    assert await models.file_clearing.expire(now() + 2 * DAY, most=10) == 2
    assert await models.file_clearing.expire(now() + 2 * DAY, most=10) == 0
    assert [row.id for row in await models.files.latest()] == [kept.id]
    assert [row.status for row in await models.files.many([file.id, copy.id, kept.id])] == [
        "trashed",
        "trashed",
        "shown",
    ]
    assert await check_files(models.db, models.storage) == []


async def test_the_trash_is_emptied_after_a_day_and_the_bytes_an_hour_later(models: Models, people: People) -> None:
    clearing = models.file_clearing
    file, _ = await upload(models, people.bob)
    copy = await resize(models, file, "300x200", people.bob)
    await models.files.trash(file.id, by=people.bob)
    assert await clearing.purge(now() + KEPT - 60 * SECOND, most=10) == 0
    await models.files.restore(file.id, by=people.bob)
    assert await clearing.purge(now() + 2 * KEPT, most=10) == 0
    await models.files.trash(file.id, by=people.bob)
    assert await clearing.purge(now() + KEPT + SECOND, most=10) == 2
    assert await check_files(models.db, models.storage, deep=True) == []
    assert await models.indexing.check() == []
    assert await models.files.many([file.id, copy.id]) == []
    assert await models.files.usage(people.bob.id) == (0, 0)
    with pytest.raises(NotFound):
        await models.files.restore(file.id, by=people.bob)
    assert await clearing.collect(now() + RELEASED_FOR - 60 * SECOND, most=10) == 0
    assert len(await stored(models)) == 2

    assert await clearing.collect(now() + RELEASED_FOR + SECOND, most=10) == 2
    assert await stored(models) == []
    assert await models.db.fetch("SELECT * FROM blobs") == ()


async def test_bytes_that_another_file_needs_stay(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob)
    await upload(models, people.alice)
    await models.files.trash(file.id, by=people.bob)
    await models.file_clearing.purge(now() + KEPT + SECOND, most=10)

    assert await models.file_clearing.collect(now() + RELEASED_FOR + SECOND, most=10) == 0
    assert await stored(models) == [file.sha256]
    assert await check_files(models.db, models.storage) == []


async def test_bytes_that_are_sent_again_before_they_are_deleted_stay(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob)
    await models.files.trash(file.id, by=people.bob)
    await models.file_clearing.purge(now() + KEPT + SECOND, most=10)
    again, created = await upload(models, people.alice)

    assert created
    assert await models.file_clearing.collect(now() + RELEASED_FOR + SECOND, most=10) == 0
    assert await models.storage.digest(again.sha256) == again.sha256


async def test_bytes_that_are_sent_again_while_they_are_deleted_are_there_in_the_end(
    models: Models, other_models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who comes second waits for the lock of the first."""
    file, _ = await upload(models, people.bob)
    await models.files.trash(file.id, by=people.bob)
    await models.file_clearing.purge(now() + KEPT + SECOND, most=10)
    delete, deleting = models.storage.delete, asyncio.Event()

    async def slowly(sha256: bytes, *, within: float) -> None:
        deleting.set()
        await asyncio.sleep(0.3)
        await delete(sha256, within=within)

    monkeypatch.setattr(models.storage, "delete", slowly)
    collecting = asyncio.ensure_future(models.file_clearing.collect(now() + RELEASED_FOR + SECOND, most=10))
    await deleting.wait()
    again, created = await upload(other_models, people.alice)

    assert (await collecting, created) == (1, True)
    assert await models.storage.digest(again.sha256) == again.sha256
    assert await check_files(models.db, models.storage) == []


async def test_what_failed_between_two_steps_is_done_by_the_next_round(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = await upload(models, people.bob)
    await models.files.trash(file.id, by=people.bob)
    await models.file_clearing.purge(now() + KEPT + SECOND, most=10)

    async def fail(*_: object) -> None:
        raise Busy("as it may be")

    with monkeypatch.context() as patch:
        patch.setattr("models.blobs.delete", fail)
        with pytest.raises(Busy):
            await models.file_clearing.collect(now() + RELEASED_FOR + SECOND, most=10)
    with pytest.raises(Missing):
        await models.storage.digest(file.sha256)
    assert await check_files(models.db, models.storage) == []  # nothing needs it: it is not missing

    assert await models.file_clearing.collect(now() + RELEASED_FOR + SECOND, most=10) == 1
    assert await models.db.fetch("SELECT * FROM blobs") == ()


async def test_stored_bytes_that_nobody_knows_are_adopted_when_they_are_old_and_then_deleted(
    models: Models, people: People
) -> None:
    known, _ = await upload(models, people.bob)
    async with await models.storage.incoming() as incoming:
        await incoming.write(b"left")
        await incoming.finish()
        await models.storage.keep(incoming)
    assert await models.file_clearing.adopt(now()) == 0  # it may be somebody's whose transaction is under way
    assert await models.file_clearing.adopt(now() + 2 * RELEASED_FOR) == 1
    assert await models.file_clearing.adopt(now() + 2 * RELEASED_FOR) == 0
    assert await check_files(models.db, models.storage) == []

    assert await models.file_clearing.collect(now() + 4 * RELEASED_FOR, most=10) == 1
    assert await stored(models) == [known.sha256]


async def test_while_a_backup_is_made_nothing_is_deleted(models: Models, settings: Settings, people: People) -> None:
    file, _ = await upload(models, people.bob)
    await models.files.trash(file.id, by=people.bob)
    await models.file_clearing.purge(now() + KEPT + SECOND, most=10)
    later = now() + RELEASED_FOR + SECOND
    with connect(settings.mysql) as backup, backup.cursor() as cursor:
        cursor.execute(f"SELECT GET_LOCK({BACKUP}, 0)")
        assert await models.file_clearing.collect(later, most=10) == 0
        assert await stored(models) == [file.sha256]
        cursor.execute(f"DO RELEASE_LOCK({BACKUP})")  # the end of a connection releases it too, but a moment later

    assert await models.file_clearing.collect(later, most=10) == 1


async def test_each_is_decided_again_under_its_lock(models: Models, people: People) -> None:
    """As if it had been restored, prolonged or sent again after the worker had looked for what is due."""
    file, _ = await upload(models, people.bob, expires=DAY)
    clearing = models.file_clearing

    assert await clearing._expire(file.id, now()) == 0
    assert await clearing._purge(file.id, now() + 2 * KEPT) == 0
    assert await clearing._collect(file.sha256, now() + 2 * RELEASED_FOR) == 0
    assert await clearing._purge(99, now()) == 0
    assert await models.files.named(file.stored_name) == file
    assert await models.storage.digest(file.sha256) == file.sha256


async def test_the_worker_does_all_of_this(models: Models, people: People) -> None:
    file, _ = await upload(models, people.bob, expires=DAY)
    async with models.db.connection() as connection:
        await connection.execute("UPDATE files SET expires_at = expires_at - INTERVAL 2 DAY")
    await duties.end_files(models)
    assert [row.status for row in await models.files.many([file.id])] == ["trashed"]
    async with models.db.connection() as connection:
        await connection.execute("UPDATE files SET trashed_at = trashed_at - INTERVAL 2 DAY")
    await duties.clear_files(models)
    assert await models.files.fresh().many([file.id]) == []
    async with models.db.connection() as connection:
        await connection.execute("UPDATE blobs SET released_at = released_at - INTERVAL 2 HOUR")
    async with await models.storage.incoming() as incoming:
        await duties.clear_files(models)
        assert incoming.path.exists()
    await duties.adopt_leftovers(models)

    assert await stored(models) == []


BUSY = """
import asyncio, random, sys
from datetime import UTC, datetime, timedelta
from models import connected
from settings import load
from tests.harness.people import find
from tests.models.uploading import resize, upload

async def main():
    async with connected(load()) as models:
        people = await find(models)
        clearing = models.file_clearing
        print("begun", flush=True)
        while True:
            later = datetime.now(UTC) + timedelta(days=2)
            by = random.choice((people.bob, people.alice))
            file, _ = await upload(models, by, str(random.randrange(6)).encode())
            await resize(models, file, f"{random.randrange(1, 4)}x1", by, b"c%d" % random.randrange(4))
            if random.random() < 0.6:
                await models.files.trash(file.id, by=by)
                await asyncio.gather(
                    clearing.purge(later, most=3), clearing.collect(later + timedelta(hours=2), most=3),
                    upload(models, by, str(random.randrange(6)).encode()),
                )

asyncio.run(main())
"""


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.long)])
async def test_whoever_is_killed_at_any_moment_no_row_is_without_its_bytes(
    models: Models, settings: Settings, rounds: int
) -> None:
    chosen = environment(
        {
            name: str(value)
            for name in ("var", "mysql_url", "redis_url", "namespace")
            if (value := getattr(settings, name))
        }
    )
    for _ in range(rounds):
        both = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", BUSY, cwd=ROOT, env=chosen, stdout=asyncio.subprocess.PIPE
            )
            for _ in range(2)
        ]
        for one in both:
            assert one.stdout
            assert await asyncio.wait_for(one.stdout.readline(), 30) == b"begun\n"
        await asyncio.sleep(random.uniform(0.2, 0.8))
        for one in both:
            assert one.returncode is None
            os.kill(one.pid, signal.SIGKILL)
            await one.wait()
        await asyncio.sleep(0.1)  # MySQL rolls back what they had begun

        assert await check_files(models.db, models.storage, deep=True) == []
    assert await models.db.fetch("SELECT COUNT(*) > 0 FROM files") == ((1,),)
    await models.storage.sweep(timedelta(0))
    assert list((settings.var / "files" / "incoming").iterdir()) == []
