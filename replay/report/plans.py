"""What was run and on what: the command that runs it again, and the facts of the machine, whatever they are."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from replay.report import words
from replay.results import Run

_NAMES = {
    "cpu": "processor", "load_before": "load before", "python": "Python", "run_id": "run id", "ok": "good enough",
    "highest_rate": "highest rate, a second", "seconds": "planned, s", "timeout": "time-out, s", "warmup": "warm-up, s",
    "recorded_at": "recorded at", "run": "run id", "own_cpu": "cores, each sender",
    "held_ms": "held back by --max-rate, ms",
    "lag_p50_ms": "lag p50, ms", "lag_p99_ms": "lag p99, ms", "lag_max_ms": "lag at most, ms",
}  # fmt: skip
_MEANT = {
    "generator": "what sends", "other": "the rest of the machine, and its kernel",
    "stolen": "by other guests of the host: whoever was to send then was late",
}  # fmt: skip
_MOST = 1e6  # cores
Facts = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Share:
    """So many cores, and these as a part of all."""

    name: str
    meaning: str
    cores: float
    part: float


def command(run: Run) -> str:
    """As it was typed; "" when that is not known."""
    typed = run.plan.get("command")
    return shlex.join(["plaza", *map(str, typed)]) if typed else ""


def facts(told: Mapping[str, Any]) -> Facts:
    """Whatever was noted, by name; what is empty is left out, and the command, which stands apart."""
    return [(name, value) for name, value in _facts(told) if name != "command"]


def _facts(told: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in told.items():
        name = before + _NAMES.get(key, key.replace("_", " "))
        if isinstance(value, Mapping):
            yield from _facts(value, f"{name}: ")
        elif value not in (None, "", [], ()):
            yield name, str(value) if key == "seed" else spelt(value)


def spelt(value: Any) -> str:
    """A value of a fact as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return words.count(value)
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.01 or not value else f"{value:.2g}"
    if isinstance(value, list | tuple):
        return ", ".join(spelt(one) for one in value)
    return str(value)


def shares(machine: Mapping[str, Any]) -> tuple[Facts, list[Share]]:
    """The facts of a machine, and apart from them who computed how much."""
    found = machine.get("shares")
    if not isinstance(found, Mapping):
        return facts(machine), []
    cores = _number(machine.get("cores")) or 1.0
    parts = [
        Share(str(name), _MEANT.get(str(name), ""), _number(took), min(_number(took) / cores, 1.0))
        for name, took in found.items()
    ]
    return facts({name: value for name, value in machine.items() if name != "shares"}), parts


def _number(value: Any) -> float:
    """What is none, in a file from elsewhere, is 0."""
    return float(value) if isinstance(value, int | float) and 0 <= value < _MOST else 0.0
