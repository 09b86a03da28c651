"""The life of a worker: a forked process that sends its part of a plan, reports twice a second, and ends when its parent has."""

import asyncio
import gc
import json
import os
import signal
import time
import traceback
from collections.abc import Iterator
from typing import Any, NoReturn, Protocol

from replay import machine
from replay.measuring import Measure
from replay.plans import Plan, Step
from replay.progress import EVERY, Glimpse
from replay.running import Options, Runner
from replay.targets import Target
from replay.wire import Reply

PATIENCE = 60.0  # seconds: until all are ready, and between two reports of a worker


class Listener(Protocol):
    """Hears each answer of a worker with its body, and says at the end what it has heard, as JSON, in pieces: to make one must
    be no silence, and to say it no long line."""

    def heard(self, step: Step, reply: Reply) -> None: ...

    def told(self) -> Iterator[Any]: ...


def live(part: Plan, target: Target, options: Options, listener: Listener | None, hears: int, says: int) -> NoReturn:
    """It is ready, hears when the run begins, reports, says what it measured, and then what it heard; nothing of the process that
    it was forked from goes on in it. What it hears after the beginning means to stop, and so does the end of who could say it."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C comes by way of the parent
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
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
    # The plan is many objects that live to the end: to look through them again and again would delay what is due.
    gc.collect()
    gc.freeze()
    machine.go_first()
    _say(report, {"ready": True})
    line = await asyncio.wait_for(orders.readline(), PATIENCE)
    if not line.strip().isdigit():  # it was stopped before it began
        return
    began = int(line)
    reporter = Reporter(measure, began)
    beside = [loop.create_task(reporter.run(report)), loop.create_task(_obey(orders, stop))]
    await runner.run(began, stop)
    reporter.look()
    _say(report, {"measure": measure.as_json(), "cpu": reporter.own_cpu})
    machine.go_in_turn()
    for piece in listener.told() if listener else ():
        _say(report, {"heard": piece})
        await asyncio.wait_for(report.drain(), PATIENCE)
        await asyncio.sleep(0)  # for whoever says to stop
        if stop.is_set():
            break
    for task in beside:
        if task.done():
            task.result()  # its error
        task.cancel()
    _say(report, {"over": True})
    await asyncio.wait_for(report.drain(), PATIENCE)


async def _pipes(hears: int, says: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop, orders = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), os.fdopen(hears, "rb", 0))
    out, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(says, "wb", 0))
    out.set_write_buffer_limits(0)  # `drain` waits until all is in the pipe
    return orders, asyncio.StreamWriter(out, protocol, None, loop)


def _say(report: asyncio.StreamWriter, told: dict[str, Any]) -> None:
    report.write(json.dumps(told).encode() + b"\n")


class Reporter:
    """Says twice a second what happened. `own_cpu`: which share of a core this process took from the beginning until it had sent
    all; to wait for the last answers costs nothing, and would hide how busy it was."""

    def __init__(self, measure: Measure, began_ns: int) -> None:
        self._measure, self._began_ns = measure, began_ns
        self._computed, self._glimpse = time.process_time(), measure.glimpse()
        self.own_cpu = 0.0

    async def run(self, report: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self.look()
            if not report.transport.get_write_buffer_size():  # nobody reads while the parent is stopped
                _say(report, {"glimpse": self._glimpse.as_json()})
                self._glimpse = Glimpse()

    def look(self) -> None:
        glimpse = self._measure.glimpse()
        took = (time.monotonic_ns() - self._began_ns) / 1e9
        if glimpse.sent and took > 0:
            self.own_cpu = (time.process_time() - self._computed) / took
        self._glimpse.add(glimpse)
        self._glimpse.backlog, self._glimpse.open = glimpse.backlog, glimpse.open


async def _obey(orders: asyncio.StreamReader, stop: asyncio.Event) -> None:
    await orders.readline()
    stop.set()
