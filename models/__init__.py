"""All tables over one database and one cache: `async with connected(settings) as models`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from cache import Cache
from models.bodies import Bodies
from models.comments import Comments
from models.database import Database
from models.imports import Imports
from models.links import Links
from models.posts import Posts
from models.redirects import Redirects
from models.roles import Roles
from models.sessions import Sessions
from models.users import Users
from models.writing import Writing
from settings import Settings


@dataclass(frozen=True, slots=True)
class Models:
    """A process's tables, and the database and Redis under them."""

    db: Database
    redis: Redis
    roles: Roles
    users: Users
    sessions: Sessions
    links: Links
    posts: Posts
    bodies: Bodies
    writing: Writing
    imports: Imports
    comments: Comments
    redirects: Redirects


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Models]:
    """The models of a process. Connections are opened when they are first needed, so a server that is away is no error here."""
    db = Database(settings.mysql, size=settings.mysql_pool, seconds=settings.mysql_timeout)
    # No retries and short time-outs: the cache reads MySQL instead of waiting. protocol=3 is said, not left to a default.
    redis = Redis.from_url(
        settings.redis,
        protocol=3,
        socket_timeout=settings.redis_timeout,
        socket_connect_timeout=settings.redis_timeout,
        retry=Retry(NoBackoff(), 0),
        max_connections=1000,
    )
    cache = Cache(redis, settings.namespace)
    roles = Roles(db, cache)
    users = Users(db, cache, roles)
    posts = Posts(db, cache)
    try:
        yield Models(
            db=db, redis=redis, roles=roles, users=users, sessions=Sessions(db, cache), links=Links(db), posts=posts,
            bodies=Bodies(db, cache), writing=Writing(posts), imports=Imports(posts, users),
            comments=Comments(db, cache), redirects=Redirects(db, cache),
        )  # fmt: skip
    finally:
        await cache.close()
        await db.close()
