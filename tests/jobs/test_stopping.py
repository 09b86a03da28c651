"""The worker ends when it is told to, whatever its duties are at."""

import asyncio
import os
import signal

from jobs import Duty
from models import Models
from settings import Settings
from worker import work


async def test_a_duty_that_does_not_hear_it_is_told_again(settings: Settings) -> None:
    """As asyncio.wait_for of Python 3.11 does not, when an answer comes at the same moment."""
    began = asyncio.Event()

    async def deaf(_: Models) -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

    task = asyncio.create_task(work(settings, (Duty("deaf", every=60, at_most=90, run=deaf),)))
    await began.wait()
    os.kill(os.getpid(), signal.SIGTERM)

    async with asyncio.timeout(60):
        await task
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(name)
