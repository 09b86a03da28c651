"""The worker publishes what is scheduled within a second of its time, once, however often it is killed."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from jobs import publishing
from models import Models, tallies
from models.audit import entries
from models.posts import Post
from models.writing import Draft
from settings import ROOT, Settings, environment
from tests.harness.people import People


async def scheduled(models: Models, people: People, at: datetime, n: int = 1) -> list[Post]:
    made = [await models.writing.create(Draft(f"Post {k}", "", "Soon.", ("due",)), by=people.alice) for k in range(n)]
    return [await models.publishing.schedule(post.id, at, by=people.alice) for post in made]


async def in_the_past(models: Models, posts: list[Post]) -> None:
    """As if their time had come while no worker was there."""
    async with models.db.connection() as connection:
        await connection.execute(
            "UPDATE posts SET published_at = published_at - INTERVAL 1 DAY WHERE status = 'scheduled'"
        )


async def published_by(models: Models) -> Counter[str]:
    """How often each post was published, by the log."""
    return Counter(entry.target for entry in await entries(models.db, action="post.publish", most=1000))


async def test_what_is_due_is_published_and_what_is_not_is_left(models: Models, people: People) -> None:
    (due,) = await scheduled(models, people, datetime.now(UTC) + timedelta(days=1))
    await in_the_past(models, [due])
    (later,) = await scheduled(models, people, datetime.now(UTC) + timedelta(hours=1))

    await publishing.publish_due(models)

    front = await models.posts.front(1)
    assert [post.id for post in front.items] == [due.id]
    assert front.items[0].published_at
    assert front.items[0].published_at < datetime.now(UTC)
    assert (await models.posts.one(later.id)).status == "scheduled"
    assert await published_by(models) == {f"post {due.id}": 1}


async def test_more_than_fit_in_one_transaction_are_all_published(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "AT_ONCE", 2)
    await in_the_past(models, await scheduled(models, people, datetime.now(UTC) + timedelta(hours=1), 5))

    await publishing.publish_due(models)

    assert await tallies.total(models.db, "posts") == 5


async def test_two_workers_publish_each_post_once(models: Models, other_models: Models, people: People) -> None:
    await in_the_past(models, await scheduled(models, people, datetime.now(UTC) + timedelta(hours=1), 12))

    await asyncio.gather(*(publishing.publish_due(m) for m in (models, other_models, models, other_models)))
    await publishing.publish_due(models)  # what one found locked by another

    assert await tallies.total(models.db, "posts") == 12
    assert set((await published_by(models)).values()) == {1}


@contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    told = {name: str(getattr(settings, name)) for name in ("var", "mysql_url", "redis_url", "namespace")}
    process = subprocess.Popen(
        [sys.executable, "-P", f"{ROOT}/worker.py"], env=environment(told), stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def has_begun(process: subprocess.Popen[bytes]) -> None:
    assert process.stderr
    for line in process.stderr:
        if b"working" in line:
            return
    raise AssertionError("the worker did not start")


async def shown(models: Models, n: int, seconds: float) -> float:
    """When readers saw n posts (time.time()); asks until then."""
    until = time.monotonic() + seconds
    while (await models.posts.front(1)).item_count < n:
        assert time.monotonic() < until, f"{(await models.posts.front(1)).item_count} of {n}"
        await asyncio.sleep(0.02)
    return time.time()


async def test_a_post_appears_within_a_second_of_its_time(settings: Settings, models: Models, people: People) -> None:
    with worker(settings) as process:
        await asyncio.to_thread(has_begun, process)
        at = datetime.now(UTC) + timedelta(seconds=0.7)
        await scheduled(models, people, at)

        seen = await shown(models, 1, 10)

    assert 0 <= seen - at.timestamp() < 1.0


async def test_a_worker_that_is_killed_at_any_moment_publishes_each_post_once(
    settings: Settings, models: Models, people: People
) -> None:
    posts = await scheduled(models, people, datetime.now(UTC) + timedelta(hours=1), 60)
    await in_the_past(models, posts)
    for wait in (0.0, 0.005, 0.02, 0.05):
        with worker(settings) as process:
            await asyncio.to_thread(has_begun, process)
            await asyncio.sleep(wait)

    with worker(settings):
        await shown(models, 60, 20)

    assert await tallies.total(models.db, "posts") == 60
    assert await published_by(models) == {f"post {post.id}": 1 for post in posts}
    versions = {post.version for post in await models.posts.fresh().many([post.id for post in posts])}
    assert versions == {3}  # created, scheduled, published
