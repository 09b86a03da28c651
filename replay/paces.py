"""When requests are sent: as they were recorded, or at arrivals of another make."""

import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SECOND = 1e6  # us
HIDES: Final = (
    "A closed loop: while the site stalls nobody asks, so a stall counts once where real visitors would have kept coming. The "
    "rate is a ceiling, and the times are not what visitors wait."
)
KINDS = "session, absolute, rate=N, poisson=N, line=A:B, step=A,B,C@SECONDS, closed=N"
_RATE = r"(\d+(?:\.\d+)?)"
_SHAPES = {
    "rate": re.compile(_RATE), "poisson": re.compile(_RATE), "line": re.compile(rf"{_RATE}:{_RATE}"),
    "step": re.compile(r"([\d.,]+)@" + _RATE), "closed": re.compile(r"([1-9]\d{0,5})"),
}  # fmt: skip


class NoPace(ValueError):
    """The text says what was not understood."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`kind`: session, absolute, rate, poisson, line, step, closed. `rates` are requests a second (of closed: how many users);
    `seconds` how long each of the steps is."""

    kind: str
    rates: tuple[float, ...] = ()
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """As it is written."""
        rates = (":" if self.kind == "line" else ",").join(f"{rate:g}" for rate in self.rates)
        return self.kind + (f"={rates}" if rates else "") + (f"@{self.seconds:g}" if self.seconds else "")

    @property
    def arrives(self) -> bool:
        """Requests come at moments of their own, whatever became of those before them in their session."""
        return self.kind not in ("session", "closed")

    @property
    def is_made(self) -> bool:
        """Its moments are not those that were recorded."""
        return self.kind not in ("session", "absolute")


def parse(text: str) -> Pace:
    """Raises NoPace."""
    kind, equals, rest = text.partition("=")
    if kind in ("session", "absolute") and not equals:
        return Pace(kind)
    if kind not in _SHAPES:
        raise NoPace(f"no pace is named {kind}; there are {KINDS}")
    found = _SHAPES[kind].fullmatch(rest)
    try:
        if found is None:
            raise ValueError
        if kind == "step":
            rates, seconds = tuple(float(rate) for rate in found[1].split(",")), float(found[2])
        else:
            rates, seconds = tuple(float(rate) for rate in found.groups()), 0.0
    except ValueError:
        raise NoPace(f"{text}: {kind} is written as one of {KINDS}") from None
    if not any(rates) or (kind != "line" and not all(rates)) or (kind == "step" and not seconds) or max(rates) > 1e6:
        raise NoPace(f"{text}: rates are above 0, and at most 1,000,000 a second")
    return Pace(kind, rates, seconds)


def kind_of(pace: object) -> str:
    """Of the text of a pace, as a result has it; "" for what is none."""
    return str(pace or "").partition("=")[0]


def hides(pace: object) -> str:
    """What the figures of a run at this pace do not tell; "" where they tell all."""
    return HIDES if kind_of(pace) == "closed" else ""


def length(pace: Pace, requests: int) -> float:
    """Seconds that so many arrivals take; of steps, that all steps take, however many arrivals these are."""
    if pace.kind == "step":
        return pace.seconds * len(pace.rates)
    return requests / (sum(pace.rates) / len(pace.rates))


def moments(pace: Pace, seconds: float, seed: int) -> Iterator[float]:
    """Arrivals in microseconds from the start. `seconds`: in which a line goes from its first rate to its last."""
    if pace.kind == "poisson":
        yield from _poisson(pace.rates[0], seed)
    elif pace.kind == "line":
        yield from _line(pace.rates[0], pace.rates[1], seconds)
    elif pace.kind == "step":
        for number, rate in enumerate(pace.rates):
            start = number * pace.seconds
            yield from ((start + one / rate) * _SECOND for one in range(math.ceil(pace.seconds * rate - 1e-9)))
    else:
        gap, number = _SECOND / pace.rates[0], 0
        while True:
            yield number * gap
            number += 1


def _poisson(rate: float, seed: int) -> Iterator[float]:
    """Independent users: the gaps are exponential."""
    chance, at = random.Random(seed), 0.0  # noqa: S311  # a schedule, no secret
    while True:
        at += chance.expovariate(rate) * _SECOND
        yield at


def _line(first: float, last: float, seconds: float) -> Iterator[float]:
    """The n-th arrival is when the area under the line has come to n."""
    slope, number = (last - first) / seconds, 0
    while True:
        under = first * first + 2 * slope * number
        if under < 0:
            return
        # The root that does not lose digits where the line is all but level.
        at = 2 * number / (first + math.sqrt(under)) if number else 0.0
        if at > seconds:
            return
        yield at * _SECOND
        number += 1
