"""What is seen while a run is under way: on a terminal a few lines that move, elsewhere one calm line every ten seconds."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from replay.histogram import Histogram, of_json

EVERY = 0.5  # seconds between two pictures
CALM = 10.0  # seconds between two lines where nobody watches
_TALL = "▁▂▃▄▅▆▇█"
_PAST = 40  # pictures that the small curve goes back


@dataclass(slots=True)
class Glimpse:
    """What has happened since the last one; the parts of several workers are added. `backlog` and `open` are as they stand."""

    offered: int = 0
    sent: int = 0
    done: int = 0
    failed: int = 0
    backlog: int = 0
    open: int = 0
    response: Histogram = field(default_factory=Histogram)
    lag: Histogram = field(default_factory=Histogram)

    def add(self, other: "Glimpse") -> None:
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.response.merge(other.response)
        self.lag.merge(other.lag)

    def as_json(self) -> dict[str, Any]:
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        return numbers | {"response": self.response.as_json(), "lag": self.lag.as_json()}


_NUMBERS = ("offered", "sent", "done", "failed", "backlog", "open")


def glimpse_of(told: dict[str, Any]) -> Glimpse:
    """The other way round. Raises KeyError, TypeError or ValueError."""
    numbers = {name: int(told[name]) for name in _NUMBERS}
    return Glimpse(**numbers, response=of_json(told["response"]), lag=of_json(told["lag"]))


class Progress:
    """`title` stands above; `seconds` is how long it is planned to take, 0 when nobody knows."""

    def __init__(self, console: Console, title: str, seconds: float) -> None:
        self._console, self._title, self._seconds = console, title, seconds
        self._began = self._last = self._spoke = time.monotonic()
        self._all, self._recent, self._calm = Glimpse(), Glimpse(), Glimpse()
        self._took = EVERY
        self._p99s: deque[float] = deque(maxlen=_PAST)
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator["Progress"]:
        """Until the end of the block; what moved is gone afterwards."""
        if not self._console.is_terminal:
            yield self
            return
        # Drawn when something comes, never by a thread of its own.
        with Live(self._picture(), console=self._console, auto_refresh=False, transient=True) as self._live:
            yield self

    def tell(self, glimpse: Glimpse) -> None:
        """What all workers together did since the last time."""
        now = time.monotonic()
        self._took, self._last = max(now - self._last, 0.001), now
        self._recent = glimpse
        for sums in (self._all, self._calm):
            sums.add(glimpse)
            sums.backlog, sums.open = glimpse.backlog, glimpse.open
        if glimpse.response.n:
            self._p99s.append(glimpse.response.value_at(0.99) / 1000)
        if self._live:
            self._live.update(self._picture(), refresh=True)
        elif not self._console.is_terminal and now - self._spoke >= CALM:
            self._console.print(self._line(now))
            self._calm, self._spoke = Glimpse(), now

    def _line(self, now: float) -> str:
        one, took = self._calm, max(now - self._spoke, 0.001)
        failed = f", {one.failed:,} failed" if one.failed else ""
        return (
            f"{now - self._began:5.0f} s  {one.offered / took:,.0f}/s offered, {one.done / took:,.0f}/s done{failed},"
            f" p50 {_ms(one.response, 0.5)}, p99 {_ms(one.response, 0.99)}, lag p99 {_ms(one.lag, 0.99)},"
            f" {one.backlog:,} waiting to be sent, {one.open:,} open"
        )

    def _picture(self) -> Group:
        gone = time.monotonic() - self._began
        one, took = self._recent, self._took
        head = Table.grid(padding=(0, 2, 0, 0))
        left = f"{_clock(gone)} of {_clock(self._seconds)}" if self._seconds else _clock(gone)
        bar = ProgressBar(self._seconds or None, min(gone, self._seconds), width=30, pulse=not self._seconds)
        head.add_row(Text(self._title, style="bold"), bar, Text(left, style="dim"))
        grid = Table.grid(padding=(0, 3, 0, 0))
        for _ in range(3):
            grid.add_column(style="dim")
            grid.add_column(justify="right", min_width=9)
        grid.add_row(
            "offered", f"{one.offered / took:,.0f}/s", "p50", _ms(one.response, 0.5), "waiting", f"{one.backlog:,}"
        )
        grid.add_row("done", f"{one.done / took:,.0f}/s", "p99", _ms(one.response, 0.99), "open", f"{one.open:,}")
        failed = Text(f"{self._all.failed:,}", style="red" if self._all.failed else "")
        grid.add_row("all", f"{self._all.done:,}", "lag p99", _ms(one.lag, 0.99), "failed", failed)
        return Group(head, grid, Text(f"p99  {spark(self._p99s)}", style="dim"))


def spark(values: "deque[float] | list[float]") -> str:
    """A curve one line high, from nothing to the highest value, and that value."""
    if not values or not (top := max(values)):
        return ""
    line = "".join(_TALL[min(len(_TALL) - 1, int(value / top * len(_TALL)))] for value in values)
    return f"{line}  up to {top:,.1f} ms"


def _ms(histogram: Histogram, share: float) -> str:
    """Of a moment, so of however few there are."""
    return f"{histogram.value_at(share) / 1000:,.2f} ms" if histogram.n else "–"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
