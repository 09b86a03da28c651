"""Runs against two sites in turns, kept together in one file, whole after each run."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from replay import results
from replay.comparing import MATTERS, Comparison, compare
from replay.results import NoRun, Run

FORMAT: Final = "plaza-ab/1"
COUNTS: Final = frozenset({"pass", "missed"})  # verdicts of runs that say how fast a site is
Side = Literal["A", "B"]


@dataclass(slots=True)
class Turns:
    """`a`, `b`: the sites. `order`: whose turn it is, as letters; `runs` are those made, in it. `options`: how each was run.
    `invalid_too`: runs count in which this machine was late. `comparison` is what came of them, None until there is something."""

    file: str
    a: str
    b: str
    order: str
    options: list[str]
    matters: float = MATTERS
    invalid_too: bool = False
    runs: list[Run] = field(default_factory=list)
    comparison: dict[str, Any] | None = None

    def of(self, side: Side) -> list[Run | None]:
        """The runs of a side by round, None for one that does not count or was not made."""
        turns = [place for place, whose in enumerate(self.order) if whose == side]
        made = [self.runs[place] if place < len(self.runs) else None for place in turns]
        counts = COUNTS | {"invalid"} if self.invalid_too else COUNTS
        return [run if run and run.verdict in counts else None for run in made]

    def rounds(self) -> int:
        return len(self.order) // 2

    def complete(self) -> int:
        """Rounds in which both sides have a run that counts."""
        return sum(bool(a and b) for a, b in zip(self.of("A"), self.of("B"), strict=True))

    def compare(self) -> Comparison:
        """Raises ValueError where a side has no run that counts."""
        made = compare(
            self.of("A"), self.of("B"), (f"A ({self.a})", f"B ({self.b})"), paired=True, matters=self.matters
        )
        self.comparison = made.as_json()
        return made

    def write(self, path: Path) -> None:
        """Whole or not at all. Raises OSError."""
        told = {"format": FORMAT} | asdict(self)
        told["runs"] = [{"format": results.FORMAT} | run for run in told["runs"]]
        new = path.with_name(f"{path.name}.{os.getpid()}~")
        try:
            text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
            new.write_text(text, encoding="utf-8", errors="backslashreplace")
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


def read(path: Path) -> Turns | Run:
    """What `ab` wrote, or the result of a single run. Raises NoRun, OSError."""
    try:
        told = results.loaded(path)
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            return results.of_json(told, str(path))
        del told["format"]
        runs = [results.of_json(run, f"{path}, run {place}") for place, run in enumerate(told.pop("runs"), 1)]
        return Turns(**told, runs=runs)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NoRun(f"{path} is not the result of a run ({type(error).__name__}: {error})") from None
