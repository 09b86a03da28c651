"""What the figures are held to: each target with what was found, met or not."""

from collections.abc import Iterable
from dataclasses import dataclass

from commands.benchmarks.lanes import Result, spell


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the table of targets. `least`: the target is a lower bound. Judged to three places, as it is shown."""

    benchmark: str
    line: str
    value: float
    target: float
    unit: str
    least: bool

    @property
    def met(self) -> bool:
        value = round(self.value, 3)
        return value >= self.target if self.least else value <= self.target

    @property
    def bound(self) -> str:
        """The target in words: ≥ 0.80, ≤ 5 µs."""
        amount = f"{self.target:.2f}" if self.least else spell(self.target)
        return f"{'≥' if self.least else '≤'} {amount} {self.unit}".rstrip()

    @property
    def words(self) -> str:
        return "✓ met" if self.met else "✗ not met"


def of(result: Result) -> Iterable[Verdict]:
    """Those of the benchmark's lanes and figures that have a target, by the order in which they are shown."""
    title = result.benchmark.title
    for lane in result.subject.lanes:
        ratio = result.ratio(lane)
        if lane.least is not None:
            yield Verdict(title, lane.title, ratio or 0.0, lane.least, "", True)
    for figure in result.subject.figures:
        if figure.most is not None:
            yield Verdict(title, figure.title, result.figure(figure)[0], figure.most, figure.unit, False)
        if figure.least is not None:
            yield Verdict(title, figure.title, result.figure(figure)[0], figure.least, figure.unit, True)
