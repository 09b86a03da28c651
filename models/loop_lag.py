"""How late the event loop comes to what is due: what every request waits for when something holds the loop up."""

import asyncio
from collections import deque
from time import monotonic

EVERY = 0.1  # s
REMEMBERED = 600  # timers: a minute


class LoopLag:
    """A timer that comes again and again. In seconds: `last` is how late it came, `worst` the most in a minute."""

    def __init__(self) -> None:
        self._lags = deque([0.0], REMEMBERED)
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def last(self) -> float:
        return self._lags[-1]

    @property
    def worst(self) -> float:
        return max(self._lags)

    def start(self) -> None:
        self._due = monotonic() + EVERY
        self._timer = asyncio.get_running_loop().call_later(EVERY, self._came)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _came(self) -> None:
        self._lags.append(max(0.0, monotonic() - self._due))
        self.start()
