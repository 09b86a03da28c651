"""After a failover the old Redis may live on, and answer those who are still connected to it."""

from cache.link import Link
from cache.local import Local
from cache.tracking import Tracking
from settings import Settings
from tests.cache.own_redis import OwnRedis
from tests.cache.sides import connect, until

pytest_plugins = ["tests.cache.stages"]


async def test_pushes_of_another_redis_than_is_asked_are_not_believed(own_redis: OwnRedis, settings: Settings) -> None:
    asked, pushing = connect(settings.redis), connect(own_redis.url)
    link, local = Link(asked, settings.namespace), Local(1 << 20)
    await link.start()
    tracking = Tracking(pushing, settings.namespace, link, local)
    tracking.start()
    await until(lambda: tracking.connections == 3 or local.open)

    assert not local.open
    await tracking.close()
    await link.close()
    await asked.aclose()
    await pushing.aclose()
