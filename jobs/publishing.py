"""Publish what is scheduled when its time has come: exactly once, whoever is killed meanwhile."""

from datetime import UTC, datetime

from models import Models

AT_ONCE = 50  # posts in one transaction


async def publish_due(models: Models) -> None:
    """Each post changes in a transaction under its own lock, so that what a killed worker began is undone, and done again."""
    while await models.publishing.publish_due(datetime.now(UTC), most=AT_ONCE) == AT_ONCE:
        pass
