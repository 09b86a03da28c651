"""Several processes send one plan: they share its beginning on one clock, and what they measured is added up.

This process sends nothing itself, even for one worker: to draw and to merge would delay what is due. Workers are forked, so that
they have the plan already.
"""

import asyncio
import json
import math
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from replay import machine, measuring
from replay.measuring import Measure
from replay.plans import Plan
from replay.progress import EVERY, Glimpse, glimpse_of
from replay.running import Options
from replay.sending import PATIENCE, Listener, live
from replay.targets import Target

HEAD_START_NS = 200_000_000  # from "all are ready" to the first moment of the plan
LONGEST = 1 << 28  # bytes of a report; one of them has all that was measured


@dataclass(slots=True)
class Done:
    """What all workers measured together. `own_cpu`: which share of a core each took. `shares`: see machine.Shares. `lost`: for
    each worker that did not live to report, a sentence; the run is invalid. `heard`: what the listeners said, in pieces."""

    measure: Measure
    interrupted: bool = False
    own_cpu: list[float] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    heard: list[Any] = field(default_factory=list)


def run(
    plan: Plan, target: Target, options: Options, workers: int = 1,
    tell: Callable[[Glimpse], None] = lambda glimpse: None, listener: Callable[[], Listener] | None = None,
    longest: float = math.inf,
) -> Done:  # fmt: skip
    """Send the plan, in no loop that runs. Ctrl-C ends it early, with what was measured; a second one at once. After `longest`
    seconds it is stopped. Raises OSError."""
    crew: list[_Worker] = []
    parts = [part for part in plan.split(workers) if part.scripts]  # there may be fewer sessions than workers
    options = replace(options, max_rate=options.max_rate / len(parts))  # the cap is for all together
    try:
        for part in parts:
            crew.append(_fork(crew, part, target, options, listener))
        return asyncio.run(_followed(crew, tell, longest))
    finally:
        for worker in crew:
            worker.end()


class _Worker:
    """As this process sees it: what it says comes out of `said`, and it stops when `told` is closed."""

    def __init__(self, pid: int, said: int, told: int) -> None:
        self.pid, self.said, self.told = pid, said, told
        self.measured: dict[str, Any] = {}
        self.heard: list[Any] = []
        self.glimpse = Glimpse()
        self.ready, self.trouble = asyncio.Event(), ""

    def tell(self, line: str) -> None:
        try:
            os.write(self.told, line.encode() + b"\n")  # a few bytes, never more than the pipe holds
        except OSError:  # it has ended; its report says so, or that there is none
            pass

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def end(self) -> str:
        """It is no more afterwards, whatever it did; how it ended."""
        for file in (self.said, self.told):
            if file >= 0:
                os.close(file)
        self.said = self.told = -1
        if not self.pid:
            return ""
        self.kill()  # changes nothing about one that has ended
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        code = os.waitstatus_to_exitcode(status)
        return f"killed by signal {-code}" if code < 0 else f"status {code}"


def _fork(
    crew: Sequence[_Worker], part: Plan, target: Target, options: Options, listener: Callable[[], Listener] | None
) -> _Worker:
    said, says = os.pipe()
    hears, told = os.pipe()
    pid = os.fork()
    if not pid:
        # What the others are told by is not held open here: they would not hear that this process's parent is gone.
        for file in (said, told, *(file for one in crew for file in (one.said, one.told))):
            os.close(file)
        live(part, target, options, listener() if listener else None, hears, says)
    os.close(says)
    os.close(hears)
    return _Worker(pid, said, told)


async def _followed(crew: list[_Worker], tell: Callable[[Glimpse], None], longest: float) -> Done:
    loop, done = asyncio.get_running_loop(), Done(Measure())

    def interrupt() -> None:
        if done.interrupted:
            for worker in crew:
                worker.kill()
        _stop(crew)
        done.interrupted = True

    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, interrupt)
    ears = {loop.create_task(_hear(worker, crew)) for worker in crew}
    for worker in crew:
        await worker.ready.wait()
    shares = machine.Shares([worker.pid for worker in crew])
    began = time.monotonic_ns() + HEAD_START_NS
    for worker in crew:
        worker.tell(str(began))
    while ears:
        over, ears = await asyncio.wait(ears, timeout=EVERY)
        for ear in over:
            ear.result()
        tell(_together(crew))
        if not done.shares and all(
            worker.measured or worker.trouble for worker in crew
        ):  # to read answers is no part of it
            done.shares = shares.by_kind()
        if (time.monotonic_ns() - began) / 1e9 > longest:
            longest = math.inf
            _stop(crew)
    _merge(crew, done)
    return done


async def _hear(worker: _Worker, crew: Sequence[_Worker]) -> None:
    """Until its last report, or its end, or a silence; of one that is lost the others need not go on."""
    loop, said = asyncio.get_running_loop(), asyncio.StreamReader(limit=LONGEST)
    file, worker.said = os.fdopen(worker.said, "rb", 0), -1
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(said), file)
    try:
        while True:
            line = await asyncio.wait_for(said.readline(), PATIENCE)
            if not line.endswith(b"\n"):
                worker.trouble = f"ended before its time ({worker.end()})"
                break
            told = json.loads(line)
            if "over" in told:
                break
            if "heard" in told:
                worker.heard.append(told["heard"])
            elif "measure" in told:
                worker.measured = told
                if told["measure"]["stopped"]:  # the target is gone, or fails too often: so it does for the others
                    _stop(crew)
            elif "glimpse" in told:
                glimpse = glimpse_of(told["glimpse"])
                worker.glimpse.add(glimpse)
                worker.glimpse.backlog, worker.glimpse.open = glimpse.backlog, glimpse.open
            worker.ready.set()
    except TimeoutError:
        worker.trouble = f"said nothing for {PATIENCE:.0f} s"
    except ValueError:
        worker.trouble = f"said more at once than the {LONGEST:,} bytes that are read"
    finally:
        worker.ready.set()  # or it never will be
        transport.close()
        if worker.trouble:
            _stop(crew)


def _stop(crew: Sequence[_Worker]) -> None:
    for worker in crew:
        worker.tell("stop")


def _together(crew: Sequence[_Worker]) -> Glimpse:
    together = Glimpse()
    for worker in crew:
        together.add(worker.glimpse)
        worker.glimpse = Glimpse(backlog=worker.glimpse.backlog, open=worker.glimpse.open)
    return together


def _merge(crew: Sequence[_Worker], done: Done) -> None:
    for number, worker in enumerate(crew, 1):
        if worker.trouble:
            done.lost.append(f"worker {number} of {len(crew)} {worker.trouble}: what it measured is missing")
        else:
            done.measure.merge(measuring.of_json(worker.measured["measure"]))
            done.own_cpu.append(worker.measured["cpu"])
            done.heard += worker.heard
