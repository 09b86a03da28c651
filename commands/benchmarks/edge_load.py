"""An open loop: questions are asked when they are due, whether or not earlier ones are answered, and are timed from then on.

A closed loop waits for a slow server, and so asks it less just when it is slow. All is one loop in one process beside the
servers; what it takes of the cores is told with the figures.
"""

import asyncio
import statistics
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from commands.benchmarks.edge_line import BROKEN, Answer, Hear, Line

LINES = 512  # connections at most; what finds none free waits its turn, and that counts
AT_ONCE = 16  # questions that are asked between two looks at the answers, when the loop is behind
PATIENCE = 30.0  # s for a connection, and for the last answers


@dataclass(frozen=True, slots=True)
class Question:
    """`kind` is what it is counted under; `write`: it changes something."""

    kind: str
    sent: bytes
    write: bool = False


@dataclass(slots=True)
class Tally:
    """What came of a run. Times are seconds from the moment each question was due; `late` counts those above `within`.

    `caches` counts Nginx's words for reads.
    """

    within: float | None = None
    late: int = 0
    reads: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)
    caches: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    overrun: bool = False

    def note(self, question: Question, answer: Answer, took: float) -> None:
        if self.within is not None and took > self.within:
            self.late += 1
        if question.write:
            self.writes.append(took)
        else:
            self.reads.append(took)
            self.caches[answer.cache] += 1
        if not 200 <= answer.status < 300:
            self.failed[f"{question.kind}: {answer.status or 'no answer'}"] += 1

    @property
    def answered(self) -> int:
        return len(self.reads) + len(self.writes)

    @property
    def p99(self) -> float:
        """Milliseconds, of reads and writes together; for ever when the run was given up."""
        return float("inf") if self.overrun else quantiles(self.reads + self.writes)[1]


def quantiles(times: list[float]) -> tuple[float, float]:
    """(p50, p99) in milliseconds."""
    if len(times) < 2:
        return (times[0] * 1e3,) * 2 if times else (0.0, 0.0)
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return cuts[49] * 1e3, cuts[98] * 1e3


class Load:
    """The connections to Nginx, and the questions that wait for one."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lines = set[Line]()
        self._free: list[Line] = []
        self._waiting: deque[tuple[bytes, Hear]] = deque()
        self._opening = set[asyncio.Task[None]]()
        self._asked = 0  # that have not been answered

    async def run(
        self, next_one: Callable[[], Question], rate: float, seconds: float, within: float | None = None
    ) -> Tally:
        """Ask at this rate, evenly, for so long, and wait until all is answered.

        `within`: it is given up when one in fifty has taken longer than that, in seconds, for then p99 is above it.
        """
        tally, began, count = Tally(within), time.monotonic(), int(rate * seconds)
        for number in range(count):
            due = began + number / rate
            if (ahead := due - time.monotonic()) > 0:
                await asyncio.sleep(ahead)
            elif not number % AT_ONCE:
                await asyncio.sleep(0)  # it is late; answers have to be heard all the same
            if tally.late > count / 50:
                tally.overrun = True
                break
            self._due(next_one(), due, tally)
        await self._drained()
        return tally

    async def ask(self, sent: bytes) -> Answer:
        """One question beside the others. Raises TimeoutError."""
        told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def hear(answer: Answer) -> None:
            if not told.done():
                told.set_result(answer)

        self._ask(sent, hear)
        async with asyncio.timeout(PATIENCE):
            return await told

    def close(self) -> None:
        """Hang up; who waits for an answer hears that there is none."""
        for line in tuple(self._lines):
            line.close()

    def _due(self, question: Question, due: float, tally: Tally) -> None:
        def hear(answer: Answer) -> None:
            self._asked -= 1
            tally.note(question, answer, time.monotonic() - due)

        self._asked += 1
        self._ask(question.sent, hear)

    def _ask(self, sent: bytes, hear: Hear) -> None:
        while self._free:
            line = self._free.pop()
            if line.open:
                self._on(line, sent, hear)
                return
            self._lines.discard(line)
        self._waiting.append((sent, hear))
        if len(self._lines) + len(self._opening) < LINES:
            task = asyncio.get_running_loop().create_task(self._one_more())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def _on(self, line: Line, sent: bytes, hear: Hear) -> None:
        def heard(answer: Answer) -> None:
            hear(answer)
            self._next(line)

        line.ask(sent, heard)

    def _next(self, line: Line) -> None:
        """The line has nothing to do."""
        if not line.open:
            self._lines.discard(line)
        elif self._waiting:
            self._on(line, *self._waiting.popleft())
        else:
            self._free.append(line)

    async def _one_more(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                _, line = await asyncio.get_running_loop().create_connection(Line, "127.0.0.1", self._port)
        except (OSError, TimeoutError):
            if self._waiting:
                self._waiting.popleft()[1](BROKEN)
            return
        self._lines.add(line)
        self._next(line)

    async def _drained(self) -> None:
        """Until all is answered; what is not after a while has failed."""
        until = time.monotonic() + PATIENCE
        while self._asked:
            await asyncio.sleep(0.01)
            if time.monotonic() > until:
                self._waiting, unheard = deque(), self._waiting
                for _, hear in unheard:
                    hear(BROKEN)
                self.close()
