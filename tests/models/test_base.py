"""What every table does alike, on a real MySQL and a real Redis."""

import asyncio
import time
from typing import Any

import pytest
from pymysql.err import IntegrityError

from cache import records
from models import Models
from models import base as models_base
from models.base import HOLD
from models.errors import Busy, NotFound
from tests.harness.counting import Counted
from tests.models.conftest import BY_ID, Thing, Things


@pytest.fixture
def choices() -> dict[str, Any]:
    """200 connections at one moment take their time on a busy machine."""
    return {"redis_timeout": 10.0, "mysql_timeout": 30.0}


async def test_rows_come_in_the_order_asked_for_with_one_redis_trip_and_one_select(
    things: Things, counted: Counted
) -> None:
    for code in "abcde":
        await things.add(code)
    counted.clear()
    await things.many((5, 1, 9, 3))
    cold = len(counted.selects)
    counted.clear()

    assert [thing.id for thing in await things.many((5, 1, 9, 3, 1))] == [5, 1, 3, 1]
    assert cold == 1
    assert (counted.commands, counted.statements) == (["MGET"], [])


async def test_200_concurrent_misses_are_one_select(things: Things, counted: Counted) -> None:
    thing = await things.add("a")
    counted.clear()
    async with things.db.transaction() as connection:  # nobody can read the table until this ends
        await connection.execute("LOCK TABLES things WRITE")
        asked = [asyncio.create_task(things.one(thing.id)) for _ in range(200)]
        while not counted.selects:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await connection.execute("UNLOCK TABLES")
        await connection.commit()

    assert set(await asyncio.gather(*asked)) == {thing}
    assert len(counted.selects) == 1


async def test_a_write_costs_two_trips_to_redis_and_no_sql_of_its_own(things: Things, counted: Counted) -> None:
    await things.add("a")
    counted.clear()
    await things.rename((1, "b"))

    assert counted.commands == ["EVALSHA", "EVALSHA"]
    assert [sql.split()[0] for sql in counted.statements] == ["SELECT", "UPDATE"]


async def test_a_write_puts_a_tombstone_before_it_commits_and_takes_it_away_after(
    things: Things, models: Models
) -> None:
    thing = await things.add("a")
    name = models.cache.link.full(BY_ID(thing.id).name)
    seen: list[Any] = []

    async with things.write() as w:
        await w.execute("UPDATE things SET code = 'b', version = 2 WHERE id = %s", thing.id)
        w.touch(BY_ID(thing.id))
        commit = w._connection.commit

        async def watched_commit() -> None:
            seen.append((await models.redis.get(name), await models.redis.pttl(name)))
            await commit()

        w._connection.commit = watched_commit  # type: ignore[method-assign]

    assert records.kind(seen[0][0]) == records.TOMBSTONE
    assert (HOLD - 1) * 1000 < seen[0][1] <= HOLD * 1000
    assert HOLD > models_base.TRANSACTION_SECONDS
    assert await models.redis.get(name) is None
    assert (await things.one(thing.id)).code == "b"


async def test_what_is_rolled_back_is_never_seen(things: Things, others_things: Things) -> None:
    thing = await things.add("a")
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the transaction is the thing
        async with things.write() as w:
            await w.execute("UPDATE things SET code = 'b' WHERE id = %s", thing.id)
            w.touch(BY_ID(thing.id))
            assert (await others_things.one(thing.id)).code == "a"
            raise ZeroDivisionError

    assert (await others_things.fresh().one(thing.id)).code == "a"
    assert (await things.one(thing.id)).code == "a"


async def test_a_write_that_was_cancelled_is_rolled_back_and_its_locks_are_gone(things: Things) -> None:
    thing = await things.add("a")
    inside = asyncio.Event()

    async def write() -> None:
        async with things.write() as w:
            await w.execute("UPDATE things SET code = 'b' WHERE id = %s", thing.id)
            w.touch(BY_ID(thing.id))
            inside.set()
            await asyncio.sleep(60)

    writer = asyncio.create_task(write())
    await inside.wait()
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await things.rename((thing.id, "c"))

    assert (await things.one(thing.id)).code == "c"


async def test_when_the_commit_fails_the_rows_are_forgotten_as_if_it_had_not(
    things: Things, others_things: Things, models: Models
) -> None:
    thing = await things.add("a")
    with pytest.raises(Busy):  # noqa: PT012 - the transaction is the thing
        async with things.write() as w:
            await w.execute("UPDATE things SET code = 'b', version = 2 WHERE id = %s", thing.id)
            w.touch(BY_ID(thing.id))
            commit = w._connection.commit

            async def commit_and_lose_the_answer() -> None:
                await models.redis.delete(models.cache.link.full(BY_ID(thing.id).name))  # Redis has lost the tombstone
                assert (await others_things.one(thing.id)).code == "a"
                await commit()
                raise Busy("the connection broke after COMMIT was sent")

            w._connection.commit = commit_and_lose_the_answer  # type: ignore[method-assign]

    assert (await others_things.one(thing.id)).code == "b"


async def test_a_unique_value_that_moved_from_one_row_to_another_leads_to_the_new_one(
    things: Things, others_things: Things
) -> None:
    one, two = await things.add("a"), await things.add("b")
    assert await others_things.by_code("a") == one
    assert await others_things.by_code("b") == two
    await things.rename((one.id, None), (two.id, "a"))

    assert await others_things.by_code("a") == Thing(two.id, "a", 2)
    assert await others_things.by_code("b") is None


async def test_an_index_entry_that_is_older_than_its_row_is_not_believed(things: Things, models: Models) -> None:
    """As when a fill of the entry slipped in: here it is put there by hand (races R12, R13)."""
    one, two = await things.add("a"), await things.add("b")
    await things.rename((one.id, None), (two.id, "a"))
    name = models.cache.link.full("thing.code:a")
    await models.redis.set(name, records.encode_row(models_base.Pointer(one.id)))

    assert await things.by_code("a") == Thing(two.id, "a", 2)
    assert await models.redis.get(name) is None  # both are read again by whoever comes next
    assert await models.redis.get(models.cache.link.full(BY_ID(one.id).name)) is None


async def test_an_index_entry_whose_row_is_gone_is_not_believed_and_not_kept(things: Things, models: Models) -> None:
    name = models.cache.link.full("thing.code:a")
    await models.redis.set(name, records.encode_row(models_base.Pointer(99)))

    assert await things.by_code("a") is None
    assert await models.redis.get(name) is None


async def test_a_list_shows_what_was_just_added_in_every_process(things: Things, others_things: Things) -> None:
    for n, code in enumerate("abc", 1):
        await things.add(code)
        assert len(await others_things.every()) == len(await things.every()) == n


async def test_a_writer_and_many_readers_never_see_an_older_row_after_a_newer_one(
    things: Things, others_things: Things
) -> None:
    thing = await things.add("0")
    done = asyncio.Event()

    async def read(table: Things) -> None:
        last = 0
        while not done.is_set():
            version = (await table.one(thing.id)).version
            assert version >= last
            last = version

    readers = [asyncio.create_task(read(table)) for table in (things, others_things) for _ in range(5)]
    for n in range(12):
        await things.rename((thing.id, str(n + 1)))
        assert (await others_things.one(thing.id)).version == n + 2
    done.set()
    await asyncio.gather(*readers)


async def test_a_transaction_that_takes_too_long_is_given_up(things: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models_base, "TRANSACTION_SECONDS", 0.1)
    with pytest.raises(Busy):  # noqa: PT012 - the transaction is the thing
        async with things.write() as w:
            await w.insert("INSERT INTO things (code) VALUES ('a')")
            await asyncio.sleep(60)

    assert await things.fresh().every() == []


async def test_what_is_not_there_is_not_found(things: Things) -> None:
    with pytest.raises(NotFound):
        await things.one(99)
    with pytest.raises(NotFound):
        await things.rename((99, "x"))


async def test_a_refused_statement_leaves_the_connection_well(things: Things) -> None:
    await things.add("a")
    async with things.db.transaction() as connection:
        with pytest.raises(IntegrityError):
            await connection.insert("INSERT INTO things (code) VALUES ('a')")
        await connection.insert("INSERT INTO things (code) VALUES ('b')")
        await connection.commit()

    assert [thing.code for thing in await things.fresh().every()] == ["a", "b"]


async def test_a_process_that_stood_still_before_its_commit_gives_up(
    things: Things, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tombstones may have ended meanwhile."""
    thing = await things.add("a")
    clock = time.clock_gettime
    with pytest.raises(Busy):  # noqa: PT012 - the transaction is the thing
        async with things.write() as w:
            await w.execute("UPDATE things SET code = 'b' WHERE id = %s", thing.id)
            w.touch(BY_ID(thing.id))
            monkeypatch.setattr(time, "clock_gettime", lambda which: clock(which) + 9)

    assert (await things.one(thing.id)).code == "a"
