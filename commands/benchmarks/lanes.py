"""Lanes that take turns: each round measures every lane once, so that a slow minute of the machine touches all alike."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from commands.benchmarks.laboratory import Laboratory


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one lane. `rate` is per second; latencies are milliseconds; `failed` counts what failed, by kind.

    `cpu` is the microseconds that the answering processes computed for one request; None where nobody counted.
    """

    rate: float
    requests: int
    p50: float
    p99: float
    slowest: float
    cpu: float | None = None
    failed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lane:
    """One way to get the same thing. `measure` takes seconds; `against` names the lane that this one is compared with."""

    name: str
    title: str
    measure: Callable[[float], Sample]
    against: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a benchmark measures in this run: a line about it, facts for the JSON, and the lanes."""

    about: str
    facts: dict[str, int | str]
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`prepare` is called once, in the running laboratory, before anything is measured."""

    name: str
    title: str
    prepare: Callable[[Laboratory], Subject]


@dataclass(frozen=True, slots=True)
class Result:
    """A benchmark's rounds: `rounds[n][lane name]`."""

    benchmark: Benchmark
    subject: Subject
    rounds: list[dict[str, Sample]]

    def median(self, lane: Lane, of: Callable[[Sample], float]) -> float:
        return statistics.median(of(one[lane.name]) for one in self.rounds)

    def cpu(self, lane: Lane) -> float | None:
        """The median of the rounds that counted it."""
        found = [cpu for one in self.rounds if (cpu := one[lane.name].cpu) is not None]
        return statistics.median(found) if found else None

    def range(self, lane: Lane) -> tuple[float, float]:
        """The slowest and the fastest round."""
        rates = [one[lane.name].rate for one in self.rounds]
        return min(rates), max(rates)

    def ratio(self, lane: Lane) -> float | None:
        """The median of the rounds' own ratios to the yardstick; None for the yardstick itself, and where it stood still."""
        if not lane.against or not all(one[lane.against].rate for one in self.rounds):
            return None
        return statistics.median(one[lane.name].rate / one[lane.against].rate for one in self.rounds)

    def failures(self) -> Iterable[tuple[int, Lane, dict[str, int]]]:
        """(round from 1, lane, count by kind) of each run in which anything failed."""
        for number, one in enumerate(self.rounds, 1):
            for lane in self.subject.lanes:
                if one[lane.name].failed:
                    yield number, lane, one[lane.name].failed


def take_turns(
    subjects: Sequence[tuple[Benchmark, Subject]],
    rounds: int,
    seconds: float,
    tell: Callable[[int, Benchmark, Lane, Sample | None], None],
) -> list[Result]:
    """Warm every lane up, then measure all in turn, `rounds` times. `tell` hears before each run, and after it with its sample.

    Round 0 is the warming up, which is not counted.
    """
    results = [Result(benchmark, subject, []) for benchmark, subject in subjects]
    for number in range(rounds + 1):
        for result in results:
            found: dict[str, Sample] = {}
            for lane in result.subject.lanes:
                tell(number, result.benchmark, lane, None)
                found[lane.name] = lane.measure(seconds if number else min(1.0, seconds))
                tell(number, result.benchmark, lane, found[lane.name])
            if number:
                result.rounds.append(found)
    return results
