"""MySQL: a pool of connections, statements with a time-out, and transactions whose failure is always told truthfully."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import aiomysql
from pymysql.constants import ER, FIELD_TYPE
from pymysql.converters import conversions, convert_datetime
from pymysql.err import IntegrityError, InterfaceError, MySQLError

from cache.reading import READING
from models import slow
from models.errors import Busy, Deadlock
from models.traces import TRACE
from settings import MysqlAddress

log = logging.getLogger("plaza.mysql")

WORTH_TELLING = 0.001  # s of waiting for a connection, from which on it is a span of the request

# READ COMMITTED: each statement sees what is committed now, so a fill is never from an older snapshot than its lease. The
# variable has two names: /*M! is read by MariaDB alone, /*!80000 by MySQL alone (MariaDB skips 50700 to 99999).
# GROUP_CONCAT is cut at 1 KiB in MySQL 8 unless told otherwise; the sql_mode makes both servers refuse what they would bend.
# A transaction that stands still ends before the tombstones of its write do, and with it a COMMIT that is under way for longer
# (MariaDB alone can be told so; 8 s is models.base.TRANSACTION_SECONDS).
_INIT = (
    "SET SESSION /*M!100000 idle_transaction_timeout = 8, tx_isolation = 'READ-COMMITTED', */ "
    "/*!80000 transaction_isolation = 'READ-COMMITTED', */ "
    "time_zone = '+00:00', group_concat_max_len = 1048576, innodb_lock_wait_timeout = 3, "
    "sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION'"
)
_REFUSED = {ER.LOCK_WAIT_TIMEOUT, ER.DISK_FULL, ER.CON_COUNT_ERROR, ER.OPTION_PREVENTS_STATEMENT}


def _utc(text: Any) -> Any:
    value = convert_datetime(text)
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _as_stored(value: Any) -> Any:
    """An argument of a statement; times become UTC. Here, because aiomysql escapes datetimes in its own way, zone ignored."""
    if isinstance(value, tuple):
        return tuple(map(_as_stored, value))
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise TypeError(f"a datetime without a time zone cannot be stored: {value!r}")
    return value.astimezone(UTC).replace(tzinfo=None)


_CONVERT: dict[Any, Any] = {**conversions, FIELD_TYPE.DATETIME: _utc, FIELD_TYPE.TIMESTAMP: _utc}


class Connection:
    """One connection, for the length of a statement or a transaction.

    `broken` says that a statement on it failed or was cancelled: what it would answer next is not known.
    """

    def __init__(self, raw: Any, seconds: float, slow_query: float = 0.0) -> None:
        self._raw, self._seconds, self._slow_query = raw, seconds, slow_query
        self.broken = False

    @property
    def thread(self) -> int:
        """The number by which MySQL knows this connection."""
        number: int = self._raw.thread_id()
        return number

    async def fetch(self, sql: str, *args: Any) -> tuple[tuple[Any, ...], ...]:
        """All rows. Tuples among `args` are written as `(a, b)`, for IN."""
        async with self._cursor(sql, args) as cursor:
            rows: tuple[tuple[Any, ...], ...] = await cursor.fetchall()
            return tuple(rows)

    async def execute(self, sql: str, *args: Any) -> int:
        """The number of rows that were matched or changed."""
        async with self._cursor(sql, args) as cursor:
            count: int = cursor.rowcount
            return count

    async def insert(self, sql: str, *args: Any) -> int:
        """The AUTO_INCREMENT id of the row."""
        async with self._cursor(sql, args) as cursor:
            new_id: int = cursor.lastrowid
            return new_id

    @asynccontextmanager
    async def _cursor(self, sql: str, args: tuple[Any, ...]) -> AsyncIterator[Any]:
        stored = tuple(map(_as_stored, args))
        began, failed = perf_counter(), ""
        try:
            with self._watched():
                async with asyncio.timeout(self._seconds), self._raw.cursor() as cursor:
                    await cursor.execute(sql, stored or None)
                    yield cursor
        except BaseException as error:
            failed = type(error).__name__
            raise
        finally:
            slow.statement(sql, args, began, self._slow_query, failed)

    async def begin(self) -> None:
        await self._plain("BEGIN", self._raw.begin())

    async def commit(self) -> None:
        """Any error here is ambiguous: the transaction may have been committed, or may be yet (`Database.see_off`)."""
        await self._plain("COMMIT", self._raw.commit())

    async def rollback(self) -> None:
        await self._plain("ROLLBACK", self._raw.rollback())

    async def _plain(self, sql: str, call: Any) -> None:
        began = perf_counter()
        try:
            with self._watched():
                async with asyncio.timeout(self._seconds):
                    await call
        finally:
            slow.statement(sql, (), began, self._slow_query)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            with _told_truthfully():
                yield
        except IntegrityError:
            raise  # the connection is well; the statement was refused
        except BaseException:
            self.broken = True
            raise


class Database:
    """The pool. A connection on which anything went wrong is closed, never handed to the next user."""

    def __init__(
        self, address: MysqlAddress, *, size: int, seconds: float, slow_query: float = 0.0, compare_every: int = 0
    ) -> None:
        self._address, self._seconds, self._slow_query = address, seconds, slow_query
        self.compare_every = compare_every  # one of so many writes is compared (models.comparisons)
        self._pool: Any = None
        # Waiting here, not in the pool: aiomysql wakes nobody when a closed connection is given back.
        self._free = asyncio.Semaphore(size)
        self._opening = asyncio.Lock()
        self.size, self.used, self.waiting = size, 0, 0  # connections; those in use; tasks that wait for one

    @asynccontextmanager
    async def connection(self, *, seconds: float | None = None) -> AsyncIterator[Connection]:
        """A connection in autocommit mode; a statement may take `seconds`, or what the settings say.

        Raises Busy when MySQL is away or no connection comes free in time. What a page reads here, and not through the cache,
        nobody invalidates: such a page is not kept (`cache/reading.py`).
        """
        if (reading := READING.get()) is not None:
            reading.taint("MySQL")
        trace, began = TRACE.get(), perf_counter()
        async with AsyncExitStack() as stack:
            self.waiting += 1
            try:
                with _told_truthfully():
                    async with asyncio.timeout(self._seconds):
                        await stack.enter_async_context(self._free)
                        pool = await self._opened()
                        raw = await pool.acquire()
            finally:
                self.waiting -= 1
            if trace is not None and perf_counter() - began > WORTH_TELLING:
                trace.add("wait", "pool", began)
            connection = Connection(raw, seconds or self._seconds, self._slow_query)
            self.used += 1
            try:
                yield connection
            finally:
                self.used -= 1
                if connection.broken:
                    # aiomysql would give it to the next user, unread answers and all.
                    raw.close()
                pool.release(raw)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """BEGIN; the body, which commits. What it has not committed at its end is rolled back.

        A cancelled body leaves an open transaction; aiomysql's pool closes such a connection, and MySQL rolls it back.
        """
        async with self.connection() as connection:
            await connection.begin()
            try:
                yield connection
            except Exception:
                if not connection.broken:
                    await connection.rollback()
                raise

    async def fetch(self, sql: str, *args: Any) -> tuple[tuple[Any, ...], ...]:
        async with self.connection() as connection:
            return await connection.fetch(sql, *args)

    async def see_off(self, thread: int) -> None:
        """Until MySQL is through with a connection that was given up: what it was sent is done by now, or never will be.

        Its last COMMIT may lie unread in a socket, and would be carried out whenever MySQL comes to it. Raises Busy.
        """
        async with self.connection() as connection:
            try:
                await connection.execute("KILL %s", thread)
            except MySQLError as error:
                if error.args[0] != ER.NO_SUCH_THREAD:
                    raise Busy(f"MySQL refused: {error}") from error
                return
            # KILL only tells it; what it was about to do is done, or rolled back, when it has gone from the list.
            with _told_truthfully():
                async with asyncio.timeout(self._seconds):
                    while await connection.fetch("SELECT id FROM information_schema.processlist WHERE id = %s", thread):  # noqa: ASYNC110
                        await asyncio.sleep(0.005)

    async def _opened(self) -> Any:
        async with self._opening:
            if self._pool is None:
                address = self._address
                self._pool = await aiomysql.create_pool(
                    host=address.host, port=address.port, unix_socket=address.unix_socket, user=address.user,
                    password=address.password, db=address.database, charset="utf8mb4", autocommit=True, conv=_CONVERT,
                    init_command=_INIT, minsize=1, maxsize=self.size, connect_timeout=self._seconds, pool_recycle=600,
                )  # fmt: skip
        return self._pool

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()
            await self._pool.wait_closed()


@contextmanager
def _told_truthfully() -> Iterator[None]:
    """Turn "MySQL is away, too slow, or refused" into Busy; leave mistakes of ours as they are."""
    try:
        yield
    except TimeoutError as error:
        raise Busy("MySQL did not answer in time") from error
    except (ConnectionError, asyncio.IncompleteReadError, InterfaceError, RuntimeError) as error:
        raise Busy(f"MySQL is away: {error}") from error
    except MySQLError as error:
        code = error.args[0] if error.args else 0
        if code == ER.LOCK_DEADLOCK:
            raise Deadlock(f"MySQL refused: {error}") from error
        if code in _REFUSED or (
            isinstance(code, int) and 2000 <= code < 3000
        ):  # 2xxx are the client's own: no connection
            raise Busy(f"MySQL refused: {error}") from error
        raise
