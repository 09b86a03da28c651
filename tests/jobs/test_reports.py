"""The worker tells how its duties fare."""

import asyncio
from datetime import UTC, datetime, timedelta

import worker
from jobs import Duty
from models import Models


async def reported(models: Models, duty: Duty, *, failing: bool) -> None:
    """Let the worker repeat the duty until it is told to have failed three times, or not to fail."""
    task = asyncio.create_task(worker._repeat(duty, models))
    try:
        async with asyncio.timeout(20):
            while not await _told(models, failing):  # noqa: ASYNC110 - MySQL tells nobody
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _told(models: Models, failing: bool) -> bool:
    failures = [report.failures for report in await models.duties.failing()]
    if failing:
        return bool(failures) and failures[0] >= 3
    return not failures and await models.duties.last_seen() is not None


async def test_a_duty_that_fails_is_told_and_its_end_too(models: Models) -> None:
    broken = [True]

    async def run(_: Models) -> None:
        if broken[0]:
            raise RuntimeError("no luck")

    duty = Duty("try", every=0.02, at_most=5, run=run)
    await reported(models, duty, failing=True)
    (report,) = await models.duties.failing()
    broken[0] = False
    await reported(models, duty, failing=False)

    assert (report.name, report.error) == ("try", "RuntimeError('no luck')")


async def test_a_duty_that_goes_well_is_told_of_now_and_then(models: Models) -> None:
    async def run(_: Models) -> None:
        pass

    await reported(models, Duty("try", every=0.02, at_most=5, run=run), failing=False)
    seen = await models.duties.last_seen()

    assert seen
    assert datetime.now(UTC) - seen < timedelta(minutes=1)
