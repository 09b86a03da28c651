"""What a run has to reach, as the command line says it: 'p99<250ms,errors<0.1%'."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from replay.histogram import QUANTILES
from replay.results import Objective, Run

_SHAPE = re.compile(r"\s*([a-z][a-z0-9.]*)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*(ms|s|%|/s)?\s*", re.ASCII)
_TIMES = (*QUANTILES, "max")
_UNITS = {"errors": "%", "unmapped": "%", "rate": "/s"}


class NoObjective(ValueError):
    """The text names the word that was not understood."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`what` of the response times in ms, of errors and unmapped requests in percent, or answers a second."""

    text: str
    what: str
    sign: str
    number: float

    def of(self, run: Run) -> Objective:
        measured = _measured(self.what, run)
        return Objective(self.text, measured, measured is not None and self._holds(measured))

    def _holds(self, measured: float) -> bool:
        equal = "=" in self.sign and measured == self.number
        return equal or (measured < self.number if self.sign[0] == "<" else measured > self.number)


def parse(text: str) -> tuple[Wanted, ...]:
    """Raises NoObjective."""
    return tuple(_parsed(one.strip()) for one in text.split(","))


def _parsed(text: str) -> Wanted:
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise NoObjective(f"'{text}' is no objective such as p99<250ms, errors<0.1% or rate>100/s")
    what, sign, number, unit = found.groups()
    if what not in (*_TIMES, *_UNITS):
        raise NoObjective(f"'{what}' is not measured; there are {', '.join((*_TIMES, *_UNITS))}")
    fitting = ("ms", "s") if what in _TIMES else (_UNITS[what],)
    if unit not in fitting:
        raise NoObjective(f"'{text}': {what} has the unit {' or '.join(fitting)}")
    return Wanted(text, what, sign, float(number) * (1000 if unit == "s" else 1))


def _measured(what: str, run: Run) -> float | None:
    """None for a percentile of too few samples, and where nothing was due."""
    if what in _TIMES:
        return run.response_ms[what]
    if what == "rate":
        return run.completed / run.seconds if run.seconds else None
    if what == "unmapped":
        return 100 * run.unmapped / run.offered if run.offered else None
    tried = run.offered - sum(run.outcomes.get(word, 0) for word in NEVER_SENT)
    return 100 * failures(run) / tried if tried else None


def failures(run: Run) -> int:
    """No answer, or one of 500 and above; not what was never sent."""
    return sum(count for word, count in run.outcomes.items() if word in _failing(run.outcomes))


def _failing(words: Iterable[str]) -> set[str]:
    return {word for word in words if (word >= "500" if word.isdigit() else word not in NEVER_SENT)}


NEVER_SENT = frozenset({"unmapped", "not sent", "truncated", "too late"})
