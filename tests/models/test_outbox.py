"""The outbox: what a write could not make forgotten is forgotten all the same, by whoever lives."""

import asyncio
from typing import Any

import pytest

from cache import records
from jobs.outbox import sweep
from models import Models
from models import base as models_base
from models import outbox as models_outbox
from models.errors import Busy
from tests.harness.people import People
from tests.harness.wires import Wire
from tests.models.conftest import BY_ID, Thing, Things


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"redis_timeout": 0.5}


async def kept(models: Models) -> int:
    """How many rows wait."""
    count: int = (await models.db.fetch("SELECT COUNT(*) FROM outbox"))[0][0]
    return count


async def until_up(models: Models) -> None:
    async with asyncio.timeout(30):
        while not models.cache.link.up:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


class Critical(Things):
    critical = True


async def test_a_write_that_redis_has_confirmed_leaves_nothing(things: Things, models: Models) -> None:
    before = await kept(models)
    await things.add("a")

    assert await kept(models) == before


async def test_a_critical_write_leaves_a_row_that_the_worker_takes_off_when_it_is_two_seconds_old(
    things: Things, models: Models
) -> None:
    await models.outbox.sweep(0)
    await Critical(models.db, models.cache).add("a")
    assert await kept(models) == 1
    await sweep(models)
    assert await kept(models) == 1

    async with models.db.connection() as connection:
        await connection.execute("UPDATE outbox SET at = at - INTERVAL 3 SECOND")
    await sweep(models)

    assert await kept(models) == 0


async def test_what_a_critical_writer_that_was_killed_has_left_is_forgotten_by_the_worker(
    things: Things, others_things: Things, models: Models
) -> None:
    """Between COMMIT and `end`; and Redis has lost the tombstone, so that a reader could fill before the COMMIT."""
    thing = await things.add("a")
    name = models.cache.link.full(BY_ID(thing.id).name)
    await others_things.one(thing.id)
    old = await models.redis.get(name)
    async with models.db.transaction() as connection:
        await connection.execute("UPDATE things SET code = 'b', version = 2 WHERE id = %s", thing.id)
        await models_outbox.keep(connection, models.cache.writer(), [BY_ID(thing.id)])
        await connection.commit()
    await models.redis.set(name, old or b"")
    assert (await others_things.one(thing.id)).code == "a"
    await models.outbox.sweep(0)

    assert await others_things.one(thing.id) == Thing(thing.id, "b", 2)


async def test_sessions_users_and_roles_are_critical(models: Models, people: People) -> None:
    await models.outbox.sweep(0)
    for write in (
        models.sessions.start(people.bob.id, days=1, ip=None, user_agent=""),
        models.users.rename(people.bob.id, "Robert"),
        models.roles.seed(),
    ):
        before = await kept(models)
        await write
        assert await kept(models) == before + 1


async def test_a_write_without_redis_succeeds_and_its_row_is_there_before_it_is_committed(
    redis_wire: Wire, things: Things, models: Models
) -> None:
    thing = await things.add("a")
    await things.one(thing.id)
    before = await kept(models)
    await redis_wire.cut()
    await things.rename((thing.id, "b"))

    assert await kept(models) == before + 1
    assert (await things.one(thing.id)).code == "b"


async def test_after_an_outage_a_process_replays_the_outbox_of_all_before_it_believes_redis(
    redis_wire: Wire, things: Things, models: Models
) -> None:
    thing = await things.add("a")
    await things.one(thing.id)
    await redis_wire.cut()
    async with models.db.transaction() as connection:  # another process, which could not reach Redis either
        await connection.execute("UPDATE things SET code = 'b', version = 2 WHERE id = %s", thing.id)
        await models_outbox.keep(connection, b"w" * 16, [BY_ID(thing.id)])
        await connection.commit()
    assert (await things.one(thing.id)).code == "b"
    assert not models.cache.link.up
    await redis_wire.mend()
    await until_up(models)

    assert (await things.one(thing.id)).code == "b"
    assert await kept(models) > 0  # deleting is the worker's


async def test_when_redis_goes_away_between_begin_and_end_the_row_is_there_before_the_write_returns(
    redis_wire: Wire, things: Things, models: Models
) -> None:
    thing = await things.add("a")
    before = await kept(models)
    async with things.write() as w:
        await w.execute("UPDATE things SET code = 'b', version = 2 WHERE id = %s", thing.id)
        w.touch(BY_ID(thing.id))
        commit = w._connection.commit

        async def commit_and_cut() -> None:
            await commit()
            await redis_wire.cut()

        w._connection.commit = commit_and_cut  # type: ignore[method-assign]

    assert await kept(models) == before + 1


async def test_when_mysql_goes_away_too_the_process_remembers_what_it_owes(
    redis_wire: Wire, mysql_wire: Wire, things: Things, others_things: Things, models: Models
) -> None:
    thing = await things.add("a")
    async with things.write() as w:
        await w.execute("UPDATE things SET code = 'b', version = 2 WHERE id = %s", thing.id)
        w.touch(BY_ID(thing.id))
        commit = w._connection.commit

        async def commit_and_cut_all() -> None:
            await commit()
            await redis_wire.cut()
            await mysql_wire.cut()

        w._connection.commit = commit_and_cut_all  # type: ignore[method-assign]

    await redis_wire.mend()
    for _ in range(3):
        assert not await models.cache.link.recover_now()  # what others owe is in MySQL, which does not answer
    await mysql_wire.mend()
    async with asyncio.timeout(30):
        while not await models.cache.link.recover_now():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    name = models.cache.link.full(BY_ID(thing.id).name)
    standing: Any = await models.redis.get(name)
    assert records.kind(standing) != records.TOMBSTONE
    assert (await things.one(thing.id)).code == "b"


async def test_what_is_rolled_back_leaves_no_row(things: Things, models: Models) -> None:
    before = await kept(models)
    critical = Critical(models.db, models.cache)
    with pytest.raises(Busy):  # noqa: PT012 - the transaction is the thing
        async with critical.write() as w:
            w.touch(BY_ID(1))

            async def refused() -> None:
                raise Busy("no")

            w._connection.commit = refused  # type: ignore[method-assign]

    assert await kept(models) == before


async def test_two_workers_share_the_rows(things: Things, models: Models, other_models: Models) -> None:
    await models.outbox.sweep(0)
    for n in range(5):
        await Critical(models.db, models.cache).add(str(n))
    counts = await asyncio.gather(models.outbox.sweep(0), other_models.outbox.sweep(0))

    assert sum(counts) <= 5
    assert await kept(models) == 0


async def test_while_redis_is_away_the_rows_stay(redis_wire: Wire, things: Things, models: Models) -> None:
    await models.outbox.sweep(0)
    await Critical(models.db, models.cache).add("a")
    await redis_wire.cut()
    with pytest.raises(Busy):
        await models.outbox.sweep(0)

    assert await kept(models) == 1


async def test_rows_of_long_ago_are_done_together(things: Things, models: Models) -> None:
    await models.outbox.sweep(0)
    critical = Critical(models.db, models.cache)
    for n in range(20):
        await critical.add(str(n))
    async with models.db.connection() as connection:
        await connection.execute("UPDATE outbox SET at = at - INTERVAL 1 HOUR")
    trips = models.cache.link.counts["trips"]
    await models.outbox.replay()

    assert models.cache.link.counts["trips"] == trips + 1
    assert models_outbox.SETTLED > models_base.HOLD


async def test_of_very_many_names_redis_is_told_a_part_at_a_time(
    things: Things, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its answer would be late, each time again, and nobody would ever believe it any more."""
    await models.outbox.sweep(0)
    names = "\n".join(f"session:{n}" for n in range(25)).encode()
    async with models.db.connection() as connection:
        for n in range(2):
            sql = "INSERT INTO outbox (writer, names, at) VALUES (%s, %s, NOW(6) - INTERVAL 1 HOUR)"
            await connection.execute(sql, bytes(16), names.replace(b":", b":%d-" % n))
    monkeypatch.setattr(models_outbox, "NAMES_AT_ONCE", 20)
    trips = models.cache.link.counts["trips"]
    await models.outbox.replay()

    assert models.cache.link.counts["trips"] == trips + 3
