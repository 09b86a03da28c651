"""The life of a worker: a forked process that sends its part of a plan, reports twice a second, and ends when its parent has."""

import asyncio
import gc
import json
import os
import signal
import time
import traceback
from typing import Any, NoReturn, Protocol

from replay.measuring import Measure
from replay.plans import Plan, Step
from replay.progress import EVERY
from replay.running import Options, Runner
from replay.targets import Target
from replay.wire import Reply

PATIENCE = 60.0  # seconds: until all are ready, and between two reports of a worker


class Listener(Protocol):
    """Hears each answer of a worker with its body, and says at the end what it has heard, as JSON."""

    def heard(self, step: Step, reply: Reply) -> None: ...

    def as_json(self) -> Any: ...


def live(part: Plan, target: Target, options: Options, listener: Listener | None, hears: int, says: int) -> NoReturn:
    """It is ready, hears when the run begins, reports, and says last what it measured; nothing of the process that it was forked
    from goes on in it. What it hears after the beginning means to stop, and so does the end of who could say it."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C comes by way of the parent
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # The plan is many objects that live to the end: to look through them again and again would delay what is due.
        gc.collect()
        gc.freeze()
        asyncio.run(_send(part, target, options, listener, hears, says))
        code = 0
    except BrokenPipeError:  # the parent has ended, and nobody wants to know
        pass
    except BaseException:  # there is nobody else to see it
        traceback.print_exc()
    finally:
        os._exit(code)


async def _send(part: Plan, target: Target, options: Options, listener: Listener | None, hears: int, says: int) -> None:
    loop, stop, orders, report = asyncio.get_running_loop(), asyncio.Event(), *await _pipes(hears, says)
    measure = Measure()
    runner = Runner(part, target, options, measure, listener.heard if listener else None)
    _say(report, {"ready": True})
    line = await asyncio.wait_for(orders.readline(), PATIENCE)
    if not line.strip().isdigit():  # it was stopped before it began
        return
    began, computed = int(line), time.process_time()
    beside = [loop.create_task(_report(report, measure)), loop.create_task(_obey(orders, stop))]
    await runner.run(began, stop)
    share = (time.process_time() - computed) / max((time.monotonic_ns() - began) / 1e9, 0.001)
    for task in beside:
        if task.done():
            task.result()  # its error
        task.cancel()
    heard = listener.as_json() if listener else None
    _say(report, {"measure": measure.as_json(), "cpu": share, "heard": heard})
    await asyncio.wait_for(report.drain(), PATIENCE)


async def _pipes(hears: int, says: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop, orders = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), os.fdopen(hears, "rb", 0))
    out, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(says, "wb", 0))
    out.set_write_buffer_limits(0)  # `drain` waits until all is in the pipe
    return orders, asyncio.StreamWriter(out, protocol, None, loop)


def _say(report: asyncio.StreamWriter, told: dict[str, Any]) -> None:
    report.write(json.dumps(told).encode() + b"\n")


async def _report(report: asyncio.StreamWriter, measure: Measure) -> None:
    while True:
        await asyncio.sleep(EVERY)
        if not report.transport.get_write_buffer_size():  # nobody reads while the parent is stopped: it is told later
            _say(report, {"glimpse": measure.glimpse().as_json()})


async def _obey(orders: asyncio.StreamReader, stop: asyncio.Event) -> None:
    await orders.readline()
    stop.set()
