"""The background process: settings -> models -> the duties of `jobs`, each on its own clock; ends on TERM."""

import asyncio
import logging
import signal
import sys

import uvloop
from setproctitle import setproctitle

from jobs import DUTIES, Duty
from models import Models, connected
from models.errors import Busy
from settings import Settings, SettingsError, load

log = logging.getLogger("plaza.worker")


async def work(settings: Settings, duties: tuple[Duty, ...] = DUTIES) -> None:
    """Do the duties until TERM or INT. A duty that fails is logged and comes again; one that is cut short rolls back."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with connected(settings) as models, asyncio.TaskGroup() as group:
        tasks = [group.create_task(_repeat(duty, models), name=duty.name) for duty in duties]
        log.info("working: %s", ", ".join(duty.name for duty in duties))
        await stop.wait()
        log.info("stopping")
        for task in tasks:
            task.cancel()


async def _repeat(duty: Duty, models: Models) -> None:
    while True:
        try:
            async with asyncio.timeout(duty.at_most):
                await duty.run(models)
        except Busy as error:
            log.warning("%s: %s", duty.name, error)
        except Exception:
            log.exception("%s", duty.name)
        await asyncio.sleep(duty.every)


def main() -> None:
    try:
        settings = load()
    except SettingsError as error:
        sys.exit(f"plaza: {error}")
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    setproctitle("plaza worker")
    uvloop.run(work(settings))


if __name__ == "__main__":
    main()
