"""Compare writes with what every level would answer, some seconds after they have returned."""

from models import Models
from models.comparisons import AT_ONCE


async def compare_writes(models: Models) -> None:
    while await models.auditor.look() == AT_ONCE:
        pass
