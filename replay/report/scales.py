"""Where a value stands on an axis, as a share of its length, and which values are written beside it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from replay.report import words

_MOMENTS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200)  # seconds


@dataclass(frozen=True, slots=True)
class Tick:
    """`fine` ones are left out where there is little room."""

    at: float
    text: str
    fine: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """`at` is held within the axis. `long`: how many seconds an axis of time holds."""

    place: Callable[[float], float]
    ticks: tuple[Tick, ...]
    long: float = 0.0

    def at(self, value: float) -> float:
        return min(max(self.place(value), 0.0), 1.0)


def linear(top: float, text: Callable[[float], str] = words.rate, bottom: float = 0.0) -> Scale:
    """Between round numbers around both, in at most six steps."""
    top = top if top > bottom else bottom + (abs(bottom) / 10 or 1)
    rough = (top - bottom) / 4
    power: float = 10 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= rough * (1 - 1e-9))
    first, last = math.floor(bottom / step + 1e-9), math.ceil(top / step - 1e-9)
    steps = range(first, last + 1)
    return Scale(
        lambda value: (value / step - first) / (last - first),
        tuple(Tick((n - first) / (last - first), text(n * step)) for n in steps),
    )


def logarithmic(low: float, high: float) -> Scale:
    """Milliseconds, between round numbers around both; what is not above 0 stands at the lower end."""
    low, high = max(low, 0.001), max(high, low * 2, 0.002)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    rounds = [float(f"{nice}e{power}") for power in range(first, last + 1) for nice in (1, 2, 5)]
    bottom = max(one for one in rounds if one <= low * (1 + 1e-9))
    top = min(one for one in rounds if one >= high * (1 - 1e-9))
    long = math.log10(top / bottom)
    seen = [one for one in rounds if bottom <= one <= top and (long <= 2 or f"{one:e}".startswith("1."))]

    def place(value: float) -> float:
        return math.log10(value / bottom) / long if value > 0 else 0.0

    return Scale(place, tuple(Tick(place(one), words.time(one)) for one in seen))


def nines(n: int) -> Scale:
    """Shares of `n` samples, each nine as wide as the one before; the last sample stands at the right end."""
    long = math.log10(max(n, 10))
    shares = [0.5, *(1 - 10.0**-power for power in range(1, int(long + 1e-9) + 1))]

    def place(share: float) -> float:
        return -math.log10(max(1 - share, 1e-12)) / long

    return Scale(place, tuple(Tick(place(one), f"{100 * one:.10g} %") for one in shares if place(one) <= 1))


def moments(began: float, seconds: float) -> Scale:
    """So much of the time of a run from `began` on, in at most eight steps."""
    seconds = max(seconds, 0.001)
    step = next((one for one in _MOMENTS if seconds / one <= 8), 86_400 * math.ceil(seconds / 86_400 / 8))
    first, last = math.ceil(began / step), math.floor((began + seconds) / step + 1e-9)
    marks = [n * step for n in range(first, last + 1)]

    def place(at: float) -> float:
        return (at - began) / seconds

    return Scale(place, tuple(Tick(place(one), words.clock(one), n % 2 == 1) for n, one in enumerate(marks)), seconds)
