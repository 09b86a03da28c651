"""A table of the tests' own, to hold `models.base` to its word."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pytest
from tornado.ioloop import IOLoop

from cache import Cache, Index, Key, List, Scope, Slot
from models import Models
from models.base import Table
from models.check import check
from models.check_boards import check_boards


@dataclass(frozen=True, slots=True)
class Thing:
    id: int
    code: str
    version: int


BY_ID = Key("thing", Thing, ttl=60)
BY_CODE = Index("thing.code", by=("code",), ttl=60)
ALL = Scope("things")
EVERY = List("things.all", scopes=(ALL,), ttl=60)


def shown_in(thing: Thing) -> tuple[Slot, ...]:
    return BY_ID(thing.id), BY_CODE(thing.code), ALL()


class Things(Table[Thing]):
    key: ClassVar = BY_ID
    rows_sql: ClassVar = "SELECT id, code, version FROM things WHERE id IN %s"

    async def by_code(self, code: str) -> Thing | None:
        return await self.by_index(
            BY_CODE(code), lambda thing: thing.code == code, "SELECT id FROM things WHERE code = %s", code
        )

    async def every(self) -> list[Thing]:
        return await self.all(EVERY(), "SELECT id FROM things ORDER BY id")

    async def add(self, code: str) -> Thing:
        async with self.write() as w:
            thing = Thing(await w.insert("INSERT INTO things (code) VALUES (%s)", code), code, 1)
            w.touch(*shown_in(thing))
        return thing

    async def rename(self, *changes: tuple[int, str | None]) -> None:
        """All in one transaction, in the order given."""
        async with self.write() as w:
            for id, code in changes:
                old = await w.locked(self.make, self.rows_sql + " FOR UPDATE", (id,))
                await w.execute("UPDATE things SET code = %s, version = version + 1 WHERE id = %s", code, id)
                w.touch(*shown_in(old), *shown_in(Thing(id, code or "", old.version + 1)))


def things_of(models: Models) -> Things:
    cache: Cache = models.users._cache
    return Things(models.db, cache)


@pytest.fixture
def things(io_loop: IOLoop, models: Models) -> Things:
    async def make() -> None:
        async with models.db.connection() as connection:
            await connection.execute(
                "CREATE TABLE things (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, code VARCHAR(40) NULL UNIQUE, "
                "version BIGINT NOT NULL DEFAULT 1) ENGINE=InnoDB"
            )

    io_loop.run_sync(make)
    return things_of(models)


@pytest.fixture
def others_things(things: Things, other_models: Models) -> Things:
    """The same table in another process."""
    return things_of(other_models)


@pytest.fixture(autouse=True)
def all_agrees_in_the_end(io_loop: IOLoop, models: Models) -> Iterator[None]:
    """Whatever a test of models did, `plaza check` has nothing to say."""
    yield
    assert io_loop.run_sync(lambda: check(models.db)) == []
    assert io_loop.run_sync(lambda: check_boards(models.boards, models.standings)) == []
