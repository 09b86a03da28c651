"""What differs for a good reason is no violation: a write in between, a row of the outbox, many who write at once."""

import asyncio
from typing import Any

import pytest

from cache.local import now
from jobs.comparing import compare_writes
from models import Models, comparing
from models.counts import COUNTS
from models.posts import BY_ID
from models.writing import Draft
from tests.harness.people import People
from tests.harness.webs import read_often
from tests.models.audited import due_now, plant, written


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"compare_every": 1, "redis_timeout": 5.0}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for 0.4 s where nothing is behind, and each counts from 0."""
    monkeypatch.setattr(comparing, "PAUSE", 0.05)
    COUNTS.clear()


async def test_what_a_process_may_not_answer_is_not_compared(models: Models, near: Models, people: People) -> None:
    old, _ = await written(models, people)
    await read_often(near, old.id)
    entry = near.cache.local.peek(BY_ID(old.id).name)
    assert entry
    entry.value, entry.until = old, now() - 1
    await due_now(models)
    await compare_writes(models)

    assert await models.auditor.comparisons.violations() == []


async def test_a_write_in_between_is_no_violation(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The levels have been looked at, MySQL not yet."""
    _, post = await written(models, people)
    await models.posts.one(post.id)
    await due_now(models)
    held, times = models.comparing._held, 0

    async def and_then_a_write(slots: Any) -> Any:
        nonlocal post, times
        found = await held(slots)
        if times < 2:
            draft = Draft(f"Newer {times}", "", "Words.", ())
            post = await models.writing.edit(post.id, draft, version=post.version, by=people.alice)
            await models.posts.one(post.id)
        times += 1
        return found

    monkeypatch.setattr(models.comparing, "_held", and_then_a_write)
    await models.auditor.look()

    assert times > 1  # it did differ
    assert await models.auditor.comparisons.violations() == []


async def test_what_waits_in_the_outbox_is_no_violation(models: Models, people: People) -> None:
    old, _ = await written(models, people)
    await plant(models, old)
    async with models.db.connection() as connection:
        await connection.execute(
            "INSERT INTO outbox (writer, names, at) VALUES (%s, %s, NOW(6))", b"w" * 16, BY_ID(old.id).name.encode()
        )
    await due_now(models)
    await compare_writes(models)

    assert await models.auditor.comparisons.violations() == []
    await models.outbox.sweep(0)


async def test_no_violation_is_found_while_many_write_and_read(
    models: Models, near: Models, other_models: Models, people: People
) -> None:
    posts = [
        await models.writing.create(Draft(f"P{n}", "", "Words.", ("t",)), by=people.alice, publish=True)
        for n in range(4)
    ]
    stop = asyncio.Event()

    async def write(which: Models, at: int) -> int:
        n, post = 0, posts[at]
        while not stop.is_set():
            n += 1
            draft = Draft(f"P{at} {n}", "", "Words.", ("t", f"t{n % 2}"))
            post = await which.writing.edit(post.id, draft, version=post.version, by=people.alice)
        return n

    async def read(which: Models) -> None:
        while not stop.is_set():
            for post in posts:
                await which.posts.one(post.id)
            await which.posts.front(1)
            await which.posts.tagged("t", 1)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(write(which, at)) for at, which in enumerate((models, near, other_models, models))]
    readers = [asyncio.create_task(read(which)) for which in (models, near, other_models)]
    for _ in range(25):
        await due_now(models)
        await models.auditor.look()
        await asyncio.sleep(0.05)
    stop.set()
    await asyncio.gather(*readers)

    assert sum([await task for task in tasks]) > 50
    assert COUNTS["auditor.compared"] > 100
    assert await models.auditor.comparisons.violations() == []
