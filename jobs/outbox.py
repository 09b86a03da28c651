"""Make forgotten in Redis what a write could not, because Redis was away or the writer was killed."""

from models import Models
from models.outbox import AT_ONCE


async def sweep(models: Models) -> None:
    while await models.outbox.sweep() == AT_ONCE:
        pass
