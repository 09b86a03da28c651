"""A write that the auditor knows of, and what no write of ours leaves: an old record."""

from models import Models
from models.posts import BY_ID, Post
from models.writing import Draft
from tests.harness.people import People


async def written(models: Models, people: People) -> tuple[Post, Post]:
    """A post before and after a change, of which alone the auditor knows."""
    old = await models.writing.create(Draft("Old", "", "Words.", ()), by=people.alice, publish=True)
    await forget(models)
    new = await models.writing.edit(old.id, Draft("New", "", "Words.", ()), version=old.version, by=people.alice)
    return old, new


async def forget(models: Models) -> None:
    async with models.db.connection() as connection:
        await connection.execute("DELETE FROM comparisons")


async def due_now(models: Models, *, late: float = 0) -> None:
    """As if the time had come."""
    async with models.db.connection() as connection:
        await connection.execute("UPDATE comparisons SET due = NOW(6) - INTERVAL %s SECOND", late)


async def waiting(models: Models) -> list[int]:
    """How often each of the writes that wait has been looked at."""
    return [row[0] for row in await models.db.fetch("SELECT looks FROM comparisons ORDER BY id")]


async def plant(models: Models, post: Post) -> None:
    """An old row in Redis, as no write of ours leaves it."""
    await models.posts.one(post.id)
    name = models.cache.link.full(BY_ID(post.id).name)
    data = bytes(await models.redis.get(name) or b"")  # type: ignore[arg-type]
    assert b"New" in data
    await models.redis.set(name, data.replace(b"New", b"Old"), px=60_000)
