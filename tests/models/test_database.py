"""MySQL slow, away, interrupted: always told truthfully, and no connection is used after something went wrong on it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pymysql.constants import FIELD_TYPE

from models import Models, database
from models.database import Connection
from models.errors import Busy, Deadlock
from tests.harness.wires import Wire


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"mysql_pool": 1, "mysql_timeout": 0.5}


@pytest.fixture(autouse=True)
def all_agrees_in_the_end() -> None:
    """Not here: these tests break connections and write nothing."""


async def test_the_connection_of_a_cancelled_query_is_discarded(models: Models) -> None:
    before = await models.db.fetch("SELECT CONNECTION_ID()")
    asked = asyncio.create_task(models.db.fetch("SELECT 'not yours', SLEEP(0.3)"))
    await asyncio.sleep(0.1)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)

    assert await models.db.fetch("SELECT 42") == ((42,),)
    assert await models.db.fetch("SELECT CONNECTION_ID()") != before


async def test_the_connection_of_an_answer_that_could_not_be_read_to_its_end_is_discarded(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiomysql itself closes a connection whose query was cancelled, but not this one: the next would get the rest."""

    def picky(text: str) -> int:
        if text == "13":
            raise ValueError("not today")
        return int(text)

    monkeypatch.setitem(database._CONVERT, FIELD_TYPE.LONG, picky)
    monkeypatch.setitem(database._CONVERT, FIELD_TYPE.LONGLONG, picky)
    before = await models.db.fetch("SELECT CONNECTION_ID()")
    with pytest.raises(ValueError, match="not today"):
        await models.db.fetch("SELECT 13 UNION ALL SELECT 666 UNION ALL SELECT 667")

    assert await models.db.fetch("SELECT 42") == ((42,),)
    async with asyncio.timeout(60):
        while await models.db.fetch(  # noqa: ASYNC110 - MySQL tells nobody
            "SELECT id FROM information_schema.processlist WHERE id = %s", before[0][0]
        ):
            await asyncio.sleep(0.01)


async def test_a_query_that_takes_too_long_is_busy_and_its_connection_discarded(models: Models) -> None:
    with pytest.raises(Busy):
        await models.db.fetch("SELECT SLEEP(2)")

    assert await models.db.fetch("SELECT 42") == ((42,),)


async def test_a_statement_of_ours_that_is_wrong_is_not_told_as_busy(models: Models) -> None:
    with pytest.raises(Exception, match="syntax") as raised:
        await models.db.fetch("SELEKT 1")

    assert not isinstance(raised.value, Busy)
    assert await models.db.fetch("SELECT 42") == ((42,),)


async def test_mysql_away_is_busy_and_all_is_well_when_it_is_back(mysql_wire: Wire, models: Models) -> None:
    await models.db.fetch("SELECT 1")
    await mysql_wire.cut()
    for _ in range(3):
        with pytest.raises(Busy):
            await models.db.fetch("SELECT 1")
    await mysql_wire.mend()

    assert await models.db.fetch("SELECT 42") == ((42,),)


async def test_mysql_away_from_the_beginning_is_busy(mysql_wire: Wire, models: Models) -> None:
    await mysql_wire.cut()
    with pytest.raises(Busy):
        await models.db.fetch("SELECT 1")


async def test_a_mysql_that_hangs_is_busy_in_time(mysql_wire: Wire, models: Models) -> None:
    await models.db.fetch("SELECT 1")
    mysql_wire.hang()
    began = time.monotonic()
    with pytest.raises(Busy):
        await models.db.fetch("SELECT 1")

    assert time.monotonic() - began < 20  # for ever, without a limit


async def test_who_gets_no_connection_in_time_is_told_busy(models: Models) -> None:
    async with models.db.connection():
        with pytest.raises(Busy):
            await models.db.fetch("SELECT 1")

    assert await models.db.fetch("SELECT 42") == ((42,),)


async def test_a_lock_that_is_not_had_is_busy(models: Models, other_models: Models) -> None:
    async with models.db.transaction() as one:
        await one.execute("UPDATE users SET name = 'x' LIMIT 1")
        async with other_models.db.transaction() as two:
            with pytest.raises(Busy):
                await two.execute("UPDATE users SET name = 'y' LIMIT 1")


async def test_a_deadlock_is_told_as_one_and_the_other_transaction_goes_on(
    models: Models, other_models: Models
) -> None:
    ids = [row[0] for row in await models.db.fetch("SELECT id FROM users ORDER BY id LIMIT 2")]
    told: list[type[BaseException]] = []

    async def both(transaction: Connection, first: int, second: int, reached: asyncio.Barrier) -> None:
        await transaction.execute("UPDATE users SET name = 'x' WHERE id = %s", first)
        await reached.wait()
        try:
            await transaction.execute("UPDATE users SET name = 'x' WHERE id = %s", second)
        except Busy as error:
            told.append(type(error))

    reached = asyncio.Barrier(2)
    async with models.db.transaction() as one, other_models.db.transaction() as two:
        await asyncio.gather(both(one, ids[0], ids[1], reached), both(two, ids[1], ids[0], reached))

    assert told == [Deadlock]


async def test_times_are_utc_going_in_and_coming_out(models: Models) -> None:
    there = datetime(2024, 2, 29, 23, 59, 59, 999999, timezone(timedelta(hours=-8)))
    found = await models.db.fetch("SELECT CAST(%s AS DATETIME(6)), NOW(6)", there)

    assert found[0][0] == there
    assert found[0][0].tzinfo is UTC
    assert abs(found[0][1] - datetime.now(UTC)) < timedelta(seconds=5)


async def test_a_time_without_a_zone_is_refused(models: Models) -> None:
    with pytest.raises(TypeError, match="time zone"):
        await models.db.fetch("SELECT %s", datetime(2024, 1, 1))  # noqa: DTZ001
    assert await models.db.fetch("SELECT 42") == ((42,),)


async def test_the_session_is_what_the_protocol_needs(models: Models) -> None:
    isolation = await models.db.fetch("SHOW VARIABLES WHERE variable_name IN ('tx_isolation', 'transaction_isolation')")
    found = await models.db.fetch("SELECT @@time_zone, @@sql_mode, @@character_set_connection")

    zone, mode, charset = found[0]
    assert (isolation[0][1], zone, charset) == ("READ-COMMITTED", "+00:00", "utf8mb4")
    assert "STRICT_ALL_TABLES" in mode
