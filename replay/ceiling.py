"""The classic short form: so many users, each of whom asks for one address again as soon as he has been answered.

A closed loop: it finds how much a site can do at most, and hides how long visitors would wait who keep coming while it stalls.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from replay import paces
from replay.clock import now
from replay.histogram import Histogram
from replay.targets import Target
from replay.wire import Reply, Wire

GLANCE: Final = 0.1  # seconds between two looks for who waits too long
HIDES: Final = f"{paces.HIDES} `plaza replay run` measures that."


@dataclass(slots=True)
class Report:
    """`statuses` of all answers; `failed`: in a word why there was none. `sum_us` and the rest are of answers alone. `own_cpu`:
    which share of a core this process took."""

    users: int
    wanted: int
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    times: Histogram = field(default_factory=Histogram)
    fastest_us: int = 0
    interrupted: bool = False
    own_cpu: float = 0.0
    longest_failure_us: int = 0

    @property
    def successful(self) -> int:
        """Answers that are no error."""
        return sum(count for status, count in self.statuses.items() if status < 400)

    @property
    def average_us(self) -> float:
        return self.times.total / self.times.n if self.times.n else 0.0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.times.n / self.seconds if self.seconds else 0.0


class Ceiling:
    """`requests` in all, by so many `users`; each has a connection of his own, and takes a new one when that has ended."""

    def __init__(self, target: Target, request: bytes, users: int, requests: int, timeout: float) -> None:
        self._target, self._request, self._timeout_ns = target, request, round(timeout * 1e9)
        self._left, self._open = requests, dict[Wire, int]()
        self.report = Report(users, requests)
        self._over, self._ended = asyncio.Event(), False

    async def run(self, stop: asyncio.Event) -> Report:
        """Until all are answered or have failed, or until `stop` is set: what is under way then is not counted."""
        began, computed = time.monotonic(), time.process_time()
        for _ in range(self.report.users):
            self._send(self._wire())
        while not self._over.is_set():
            if stop.is_set():
                self.report.interrupted = True
                break
            self._end_late()
            try:
                await asyncio.wait_for(self._over.wait(), GLANCE)
            except TimeoutError:
                pass
        self.report.seconds = time.monotonic() - began
        self.report.own_cpu = (time.process_time() - computed) / max(self.report.seconds, 0.001)
        self._ended = True
        for wire in list(self._open):
            wire.close()
        return self.report

    def _wire(self) -> Wire:
        target = self._target
        return Wire(target.address, target.port, target.tls, self._done, target.host)

    def _send(self, wire: Wire) -> None:
        if self._left:
            self._left -= 1
            self._open[wire] = now()
            wire.send(self._request)
        else:
            wire.close()
            if not self._open:
                self._over.set()

    def _done(self, wire: Wire, reply: Reply) -> None:
        if self._ended:  # we hung up
            return
        began, report = self._open.pop(wire), self.report
        us = (reply.end_ns - began) // 1000
        if reply.failed:
            report.failed[reply.failed] += 1
            report.longest_failure_us = max(us, report.longest_failure_us)
        else:
            report.statuses[reply.status] += 1
            report.fastest_us = min(us, report.fastest_us) if report.times.n else us
            report.times.add(us)
        self._send(wire if wire.alive else self._wire())

    def _end_late(self) -> None:
        late = now() - self._timeout_ns
        for wire, began in list(self._open.items()):
            if began < late:
                wire.fail("timeout")
