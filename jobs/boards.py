"""Keep the leaderboards true: count for the built-in ones, apply again what a ranking may have missed, build what is wanted."""

from models import Models


async def count(models: Models) -> None:
    """A second after it was written it counts on the built-in boards."""
    await models.crediting.count()


async def follow(models: Models) -> None:
    """Within a second of a score whose writer could not apply it, the rankings know it."""
    await models.reapplying.sweep()


async def build(models: Models) -> None:
    await models.reapplying.build()
