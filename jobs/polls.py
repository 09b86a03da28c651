"""Open polls, and close them, when their time has come: each exactly once, whoever is killed meanwhile."""

from datetime import UTC, datetime

from models import Models

AT_ONCE = 50  # polls in one transaction


async def follow_time(models: Models) -> None:
    """Votes do not wait for it, they look at the time themselves: lists and pages do."""
    while await models.poll_times.follow(datetime.now(UTC), most=AT_ONCE) == AT_ONCE:
        pass
