"""Look at what the stores say of themselves, and keep the history of the figures of this host."""

from redis.exceptions import RedisError

from models import Models

_OF_REDIS = {
    "plaza_redis_memory_bytes": "used_memory",
    "plaza_redis_memory_limit_bytes": "maxmemory",
    "plaza_redis_evicted_keys": "evicted_keys",
}
_OF_OUTBOX = "plaza_outbox_rows", "plaza_outbox_age_seconds"


async def look_at_stores(models: Models) -> None:
    """Read what is not worth a question at each scrape. What cannot be read is not shown: an old figure would say that all is
    well. Raises Busy."""
    seen = models.figures.seen
    for name in (*_OF_REDIS, *_OF_OUTBOX, "plaza_redis_keys"):
        seen.pop((name,), None)
    try:
        info, keys = await models.redis.info(), await models.redis.dbsize()
    except (RedisError, OSError):
        pass  # the breaker says it
    else:
        seen.update({(name,): float(info.get(field, 0)) for name, field in _OF_REDIS.items()})
        seen["plaza_redis_keys",] = keys
    seen.update(zip(((name,) for name in _OF_OUTBOX), await models.outbox.waiting(), strict=True))


async def keep_history(models: Models) -> None:
    await models.figures.sample()
