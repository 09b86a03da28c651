"""Whether this process answers, and whether the servers behind it do."""

import asyncio

from redis.exceptions import RedisError

from handlers.api import JsonAnswer
from models import Models
from models.errors import Busy


async def redis_answers(models: Models) -> bool:
    """Whether Redis is there; the site works without it, but slower."""
    try:
        return bool(await models.redis.ping())
    except (RedisError, OSError):
        return False


class Health(JsonAnswer):
    """`/healthz`: this process answers."""

    public = False

    async def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish("ok\n")


class Ready(JsonAnswer):
    """`/readyz`: MySQL and Redis answer it. 503 when MySQL does not: without Redis the site is slower, not down."""

    public = False

    async def get(self) -> None:
        mysql, redis = await asyncio.gather(self._mysql(), redis_answers(self.app.models))
        self.answer({"ready": mysql and redis, "mysql": mysql, "redis": redis}, 200 if mysql and redis else 503)

    async def _mysql(self) -> bool:
        try:
            return await self.app.models.roles.are_there()
        except Busy:
            return False
