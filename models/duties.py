"""How the worker's duties fare: when each last ended, and what went wrong."""

from dataclasses import dataclass
from datetime import UTC, datetime

from models.database import Database
from models.retrying import retried

LONGEST = 500  # characters of an error


@dataclass(frozen=True, slots=True)
class Report:
    """`failures` in a row; 0 when it went well the last time."""

    name: str
    ended_at: datetime
    failures: int
    error: str


class Duties:
    """The table `duties`, a row for each. Nothing of it is cached."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @retried
    async def ended(self, name: str, error: str = "") -> None:
        """Note that a duty came to its end, well or with an error."""
        async with self.db.connection() as connection:
            await connection.execute(
                "INSERT INTO duties (name, ended_at, failures, error) VALUES (%s, %s, %s, %s) ON DUPLICATE KEY UPDATE "
                "ended_at = VALUES(ended_at), error = VALUES(error), failures = IF(VALUES(failures) = 0, 0, failures + 1)",
                name, datetime.now(UTC), int(bool(error)), error[:LONGEST],
            )  # fmt: skip

    async def failing(self) -> list[Report]:
        """Those that failed the last time."""
        rows = await self.db.fetch(
            "SELECT name, ended_at, failures, error FROM duties WHERE failures > 0 ORDER BY name"
        )
        return [Report(*row) for row in rows]

    async def last_seen(self) -> datetime | None:
        """When the worker last told of any duty; None when it never did."""
        rows = await self.db.fetch("SELECT MAX(ended_at) FROM duties")
        seen: datetime | None = rows[0][0]
        return seen
