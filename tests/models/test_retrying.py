"""Deadlocks: the transaction that MySQL ends is done again, whole."""

import ast
import asyncio
from pathlib import Path
from typing import Any

import pytest

from models import Models
from models import base as models_base
from models.audit import entries
from models.database import Connection
from models.errors import Busy, Deadlock
from models.retrying import retried
from models.writing import Draft
from tests.harness.people import People
from tests.models.conftest import Things


async def test_two_writers_that_deadlock_both_succeed(things: Things, others_things: Things) -> None:
    one, two = await things.add("a"), await things.add("b")
    locked, both = [0, 0], asyncio.Event()
    tries: list[int] = []

    @retried
    async def write(table: Things, ids: tuple[int, int], code: str) -> None:
        tries.append(ids[0])
        async with table.write() as w:
            for at, id in enumerate(ids):
                await w.locked(table.make, table.rows_sql + " FOR UPDATE", (id,))
                await w.execute("UPDATE things SET code = CONCAT(code, %s) WHERE id = %s", code, id)
                locked[at] += 1
                if locked[0] >= 2:
                    both.set()
                if at == 0:
                    await both.wait()

    await asyncio.gather(write(things, (one.id, two.id), "x"), write(others_things, (two.id, one.id), "y"))
    found = [sorted(thing.code) for thing in await things.fresh().many((one.id, two.id))]

    assert found == [["a", "x", "y"], ["b", "x", "y"]]
    assert len(tries) == 3


async def test_a_deadlock_that_comes_again_and_again_is_busy_after_three_more_tries() -> None:
    tries = []

    @retried
    async def write() -> None:
        tries.append(1)
        raise Deadlock("again")

    with pytest.raises(Busy) as raised:
        await write()

    assert not isinstance(raised.value, Deadlock)
    assert len(tries) == 4


def test_every_method_that_writes_is_done_again_after_a_deadlock() -> None:
    wrong = [
        f"{path.name}:{function.lineno} {function.name}"
        for path in sorted(Path(models_base.__file__).parent.glob("*.py"))
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.AsyncFunctionDef)
        and any(
            isinstance(node, ast.AsyncWith)
            and any(ast.unparse(item.context_expr).endswith(".write()") for item in node.items)
            for node in ast.walk(function)
        )
        and "retried" not in [ast.unparse(decorator) for decorator in function.decorator_list]
    ]

    assert wrong == []


async def test_what_is_done_again_is_counted_and_logged_once(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MySQL ends the transaction at its last statement but one, when all else has been written."""
    post = await models.writing.create(Draft("T", "", "B", ("news",)), by=people.alice)
    execute, ended = Connection.execute, list[str]()

    async def ended_once(connection: Connection, sql: str, *args: Any) -> int:
        count = await execute(connection, sql, *args)
        if sql.startswith("INSERT INTO tallies") and not ended:
            ended.append(sql)
            raise Deadlock("ended")
        return count

    monkeypatch.setattr(Connection, "execute", ended_once)
    await models.publishing.publish(post.id, by=people.alice)

    assert ended
    assert (await models.posts.fresh().one(post.id)).version == post.version + 1
    assert len(await entries(models.db, action="post.publish")) == 1
    assert (await models.posts.front(1)).item_count == 1  # and `check` finds every tally right
