"""The rate that the user allows at most: when it lets each request go, and how late that would be if nothing else were."""

from typing import Final

from replay.clock import now

_SECOND: Final = 1_000_000_000
CATCH_UP_NS: Final = (
    10_000_000  # what goes late by no more than this is made up for: a second has a hundredth more at most
)
MOST_HELD: Final = 200_000  # requests of each worker
TOO_MANY: Final = f"--max-rate holds back more than {MOST_HELD:,} requests: --pace rate=N sends no more than that"


class Cap:
    """Two times are kept apart. What the cap holds back is the user's will, and no lag; what goes later than that is the
    generator's fault, though it is the cap that forbids to make up for it."""

    def __init__(self, rate: float) -> None:
        """Requests a second."""
        self._gap_ns = int(_SECOND / rate)
        self._free_ns = 0  # when it lets the next one go, if all before went when they were let
        self._spent_ns = 0  # what really went has used it up to here

    def lets_go(self, ready_ns: int) -> tuple[int, int]:
        """Of a request that could go at `ready_ns`: when the cap alone would let it go, and when it goes."""
        allowed = max(ready_ns, self._free_ns)
        self._free_ns = allowed + self._gap_ns
        moment = max(now(), allowed, self._spent_ns - CATCH_UP_NS)
        self._spent_ns = max(moment, self._spent_ns) + self._gap_ns
        return allowed, moment
