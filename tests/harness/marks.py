"""Lets the marks of earlier writes end, as if 3 s had passed: only then is anything remembered that a test can catch."""

from cache import records
from models import Models


async def let_marks_end(models: Models) -> None:
    """Delete every mark of the test's namespace."""
    namespace = models.posts._cache._namespace
    for name in await models.redis.keys(f"{namespace}:*"):
        if await models.redis.type(name) == b"string" and await models.redis.get(name) == records.MARK:
            await models.redis.delete(name)
