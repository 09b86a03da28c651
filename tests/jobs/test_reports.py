"""The worker tells how its duties fare."""

import asyncio
from datetime import UTC, datetime, timedelta

import worker
from jobs import Duty
from models import Models


async def reported(models: Models, duty: Duty, until: int) -> None:
    """Let the worker repeat the duty until it has failed so often, or not any more."""
    task = asyncio.create_task(worker._repeat(duty, models))
    try:
        async with asyncio.timeout(10):
            while [report.failures for report in await models.duties.failing()] != [until] * bool(until):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            while await models.duties.last_seen() is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        task.cancel()


async def test_a_duty_that_fails_is_told_and_its_end_too(models: Models) -> None:
    broken = [True]

    async def run(_: Models) -> None:
        if broken[0]:
            raise RuntimeError("no luck")

    duty = Duty("try", every=0.02, at_most=5, run=run)
    await reported(models, duty, until=3)
    (report,) = await models.duties.failing()
    broken[0] = False
    await reported(models, duty, until=0)

    assert (report.name, report.error) == ("try", "RuntimeError('no luck')")


async def test_a_duty_that_goes_well_is_told_of_now_and_then(models: Models) -> None:
    async def run(_: Models) -> None:
        pass

    await reported(models, Duty("try", every=0.02, at_most=5, run=run), until=0)
    seen = await models.duties.last_seen()

    assert seen
    assert datetime.now(UTC) - seen < timedelta(minutes=1)
