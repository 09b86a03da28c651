"""The background process: settings -> models -> the duties of `jobs`, each on its own clock; ends on TERM."""

import asyncio
import logging
import signal
import sys
import time

import uvloop
from setproctitle import setproctitle

from jobs import DUTIES, Duty
from models import Models, connected, logs, sentry
from models.errors import Busy
from settings import Settings, SettingsError, load

log = logging.getLogger("plaza.worker")

TELL_EVERY = 30.0  # s


async def work(settings: Settings, duties: tuple[Duty, ...] = DUTIES) -> None:
    """Do the duties until TERM or INT. A duty that fails is logged and comes again; one that is cut short rolls back."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with connected(settings) as models, models.figures.shown_as("worker"), asyncio.TaskGroup() as group:
        tasks = [group.create_task(_repeat(duty, models), name=duty.name) for duty in duties]
        log.info("working: %s", ", ".join(duty.name for duty in duties))
        await stop.wait()
        log.info("stopping")
        # Told until they listen: asyncio.wait_for of Python 3.11 swallows a cancellation that meets an answer.
        while unfinished := [task for task in tasks if not task.done()]:
            for task in unfinished:
                task.cancel()
            await asyncio.wait(unfinished, timeout=1)


async def _repeat(duty: Duty, models: Models) -> None:
    said, said_at = "never", 0.0
    while True:
        error, began = "", time.monotonic()
        try:
            async with asyncio.timeout(duty.at_most):
                await duty.run(models)
        except Busy as reason:
            error = str(reason)
            log.warning("%s: %s", duty.name, reason)
        except Exception as reason:
            error = repr(reason)
            log.exception("%s", duty.name)
        models.figures.duty(duty.name, time.monotonic() - began, failed=bool(error))
        # The manage pages are told of each failure, of its end, and now and then that all is well.
        if error or said or asyncio.get_running_loop().time() - said_at > TELL_EVERY:
            try:
                await models.duties.ended(duty.name, error)
                said, said_at = error, asyncio.get_running_loop().time()
            except Exception as reason:  # the duty itself must come again, whatever happens here
                log.warning("%s: its report could not be kept: %s", duty.name, reason)
        await asyncio.sleep(duty.every)


def main() -> None:
    try:
        settings = load()
    except SettingsError as error:
        sys.exit(f"plaza: {error}")
    logs.start(settings, "worker")
    sentry.start(settings, "worker")
    setproctitle("plaza worker")
    uvloop.run(work(settings))


if __name__ == "__main__":
    main()
