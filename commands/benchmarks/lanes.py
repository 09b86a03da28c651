"""Lanes and probes that take turns: each round measures each once, so that a slow minute of the machine touches all alike."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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
    """One way to get the same thing. `measure` takes seconds; `against` names the lane that this one is compared with.

    `least`: the ratio to that one which is the target.
    """

    name: str
    title: str
    measure: Callable[[float], Sample]
    against: str = ""
    least: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that a probe counts or times in each round. `most` or `least`: the target.

    The rounds' median is what counts; of a `worst` one the largest, for what must never happen.
    """

    name: str
    title: str
    unit: str = ""
    most: float | None = None
    worst: bool = False
    least: float | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a benchmark measures in this run: a line about it, facts for the JSON, and lanes, or figures and their probe.

    The probe gives each figure's number by its name. One that takes long is asked `once`, not in each round.
    """

    about: str
    facts: dict[str, Any]
    lanes: tuple[Lane, ...] = ()
    figures: tuple[Figure, ...] = ()
    probe: Callable[[], Mapping[str, float]] | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`prepare` is called once, in the running laboratory, before anything is measured."""

    name: str
    title: str
    prepare: Callable[[Laboratory], Subject]

    @property
    def names(self) -> set[str]:
        """What one may call it by: its own name, or what stands before a dash in it, which is that of all that begin so."""
        return {self.name, self.name.partition("-")[0]}


@dataclass(frozen=True, slots=True)
class Result:
    """A benchmark's rounds: `rounds[n][lane name]`, and `found[n][figure name]`."""

    benchmark: Benchmark
    subject: Subject
    rounds: list[dict[str, Sample]]
    found: list[Mapping[str, float]] = field(default_factory=list)

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

    def figure(self, figure: Figure) -> tuple[float, float, float]:
        """(what counts, the smallest, the largest) of the rounds' numbers."""
        numbers = [one[figure.name] for one in self.found]
        return max(numbers) if figure.worst else statistics.median(numbers), min(numbers), max(numbers)

    def failures(self) -> Iterable[tuple[int, Lane, dict[str, int]]]:
        """(round from 1, lane, count by kind) of each run in which anything failed."""
        for number, one in enumerate(self.rounds, 1):
            for lane in self.subject.lanes:
                if one[lane.name].failed:
                    yield number, lane, one[lane.name].failed


Tell = Callable[[int, Benchmark, str, str | None], None]  # round, benchmark, what is measured, and what was found


def take_turns(subjects: Sequence[tuple[Benchmark, Subject]], rounds: int, seconds: float, tell: Tell) -> list[Result]:
    """Warm every lane up, then measure all in turn, `rounds` times. `tell` hears before each run, and after it with its result.

    Round 0 is the warming up, which is not counted; probes warm up by themselves.
    """
    results = [Result(benchmark, subject, []) for benchmark, subject in subjects]
    for number in range(rounds + 1):
        for result in results:
            _lanes(result, number, seconds, tell)
            if number == 1 or (number and not result.subject.once):
                _probe(result, number, tell)
    return results


def _lanes(result: Result, number: int, seconds: float, tell: Tell) -> None:
    found: dict[str, Sample] = {}
    for lane in result.subject.lanes:
        tell(number, result.benchmark, lane.title, None)
        found[lane.name] = lane.measure(seconds if number else min(1.0, seconds))
        tell(number, result.benchmark, lane.title, f"{spell(found[lane.name].rate)} a second")
    if number:
        result.rounds.append(found)


def _probe(result: Result, number: int, tell: Tell) -> None:
    if result.subject.probe is None:
        return
    tell(number, result.benchmark, result.subject.about, None)
    found = result.subject.probe()
    result.found.append(found)
    tell(number, result.benchmark, result.subject.about, ", ".join(map(spell, found.values())))


def runs(subject: Subject, rounds: int) -> int:
    """How often `tell` will hear of it."""
    return len(subject.lanes) * (rounds + 1) + (0 if subject.probe is None else 1 if subject.once else rounds)


def spell(value: float) -> str:
    """A number with as many places as one can tell apart."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
