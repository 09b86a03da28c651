"""What was run and on what: the command that runs it again, and the facts of the machine, whatever they are."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from replay.report import words
from replay.results import Run

# What `plaza replay run` takes, in the order of its help. All else in a plan is a fact, not a choice.
_OPTIONS = (
    "pace", "speed", "only", "drop", "rewrite", "header", "sessions", "loop", "warmup", "timeout", "workers", "seed", "max-rate",
    "max-open", "stop-on-errors", "values", "diff", "writes",
)  # fmt: skip
_NAMES = {
    "cpu": "processor", "load_before": "load before", "python": "Python", "run_id": "run id", "ok": "good enough",
    "lag_p50_ms": "lag p50, ms", "lag_p99_ms": "lag p99, ms", "lag_max_ms": "lag at most, ms",
}  # fmt: skip
Facts = list[tuple[str, str]]


def command(run: Run) -> str:
    """As it is typed, with what was chosen; an empty or absent choice is left to its default."""
    plan = {name.replace("_", "-"): value for name, value in run.plan.items()}
    words_ = ["plaza", "replay", "run", str(plan.get("file", "FILE")), "--target", str(plan.get("target", "URL"))]
    for name in _OPTIONS:
        words_ += _option(name, plan.get(name))
    if run.objectives:
        words_ += ["--slo", ",".join(one.text for one in run.objectives)]
    return shlex.join(words_)


def _option(name: str, value: Any) -> list[str]:
    if value is None or value is False or value == "":
        return []
    if value is True:
        return [f"--{name}"]
    if isinstance(value, list | tuple):
        return [word for one in value for word in _option(name, one)]
    if isinstance(value, Mapping):
        return [word for key, one in value.items() for word in _option(name, f"{key}={one}")]
    return [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]


def facts(told: Mapping[str, Any]) -> Facts:
    """Whatever was noted, by name; what is empty is left out."""
    return list(_facts(told))


def _facts(told: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in told.items():
        name = before + _NAMES.get(key, key.replace("_", " "))
        if isinstance(value, Mapping):
            yield from _facts(value, f"{name}: ")
        elif value not in (None, "", [], ()):
            yield name, spelt(value)


def spelt(value: Any) -> str:
    """A value of a fact as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return words.count(value) if value >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.01 or not value else f"{value:.2g}"
    if isinstance(value, list | tuple):
        return ", ".join(spelt(one) for one in value)
    return str(value)


def shares(machine: Mapping[str, Any]) -> tuple[Facts, list[tuple[str, float, float]]]:
    """The facts of a machine, and apart from them who computed how much: name, cores, and that as a part of all cores."""
    found = machine.get("shares")
    if not isinstance(found, Mapping):
        return facts(machine), []
    cores = float(machine.get("cores") or 1)
    parts = [(str(name), float(took), min(float(took) / cores, 1.0)) for name, took in found.items()]
    return facts({name: value for name, value in machine.items() if name != "shares"}), parts
