"""The model check of the cache protocol: every order of every step in small worlds, and with one thing wrong, found guilty.

Read `model_scripts` (what runs inside Redis), `model_readers`, `model_sharing` and `model_writers` (what processes do), then
`model_promises` (what must hold). `model_scenario` says what may befall them, `model_catalogue` lists the worlds, and
`model_search` goes through all that can happen there.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from commands.proving.model_catalogue import GUILTY, INNOCENT, LARGE, SMALL
from commands.proving.model_flaws import Flaw
from commands.proving.model_scenario import Scenario
from commands.proving.model_search import Found

MOST = 1_500_000  # states of one world, about a KB each; a world that has more is not proven


@dataclass(frozen=True)
class Verdict:
    """What one search came to. `promise`: what the protocol must break here; "" where it must keep all of them."""

    scenario: str
    flaw: Flaw | None
    promise: str
    found: Found
    seconds: float

    @property
    def right(self) -> bool:
        """As it must be: innocent, after all was seen, or guilty of what it was charged with."""
        return self.found.promise == self.promise and self.found.complete

    def __str__(self) -> str:
        """One line."""
        what = self.scenario if self.flaw is None else f"{self.flaw.value} ({self.scenario})"
        came = f"breaks {self.found.promise} in {len(self.found.steps)} steps" if self.found.promise else "holds"
        came += "" if self.found.complete else ", as far as was seen"
        wrong = "" if self.right else f"   WRONG: expected to {f'break {self.promise}' if self.promise else 'hold'}"
        return f"{what}: {came}; {self.found.states:,} states, {self.seconds:.1f} s{wrong}"

    def counterexample(self) -> str:
        """The shortest way to the broken promise, a step a line; "" if there is none."""
        if not self.found.promise:
            return ""
        lines = [f"{n:3}. {step}" for n, step in enumerate(self.found.steps, 1)]
        return "\n".join((*lines, f"     {self.found.promise}: {self.found.why}"))


def check_all(long: bool, tell: Callable[[Verdict], None] = lambda verdict: None) -> list[Verdict]:
    """The protocol itself, then each flaw. `tell` hears of each verdict as it falls; all is well if every one is `right`.

    The short form takes some twelve seconds of one core. The long one has more readers, crashes and misfortunes in one world.
    """
    verdicts = []
    for scenario, flaw, promise in charges(long):
        began = time.process_time()
        found = scenario.explore(flaw, MOST)
        verdicts.append(Verdict(scenario.name, flaw, promise, found, time.process_time() - began))
        tell(verdicts[-1])
    return verdicts


def charges(long: bool) -> Iterator[tuple[Scenario, Flaw | None, str]]:
    """What is to be searched, and which promise it must break."""
    for scenario in (*SMALL, *(LARGE if long else ())):
        yield scenario, None, ""
    yield from GUILTY
    for scenario, flaw in INNOCENT:
        yield scenario, flaw, ""
