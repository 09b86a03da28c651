"""Which requests have been under way for too long. All may take as long, so the first that was sent is late first."""

from collections import deque

from replay.clock import Clock, now
from replay.wire import Wire


class Deadlines:
    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._ns = clock, int(seconds * 1_000_000_000)
        self._waiting = deque[tuple[int, Wire, int]]()  # until when, and which request of the wire

    def add(self, wire: Wire, began_ns: int) -> None:
        self._waiting.append((began_ns + self._ns, wire, wire.used))
        if len(self._waiting) == 1:
            self._clock.at(began_ns + self._ns, self._look)

    def _look(self) -> None:
        waiting = self._waiting
        while waiting:
            at, wire, number = waiting[0]
            if wire.busy and wire.used == number:
                if at > now():
                    self._clock.at(at, self._look)
                    return
                wire.fail("timeout")
            waiting.popleft()
