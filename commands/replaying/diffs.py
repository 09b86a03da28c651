"""What `plaza replay run --diff` does around the measured run: the other passes, and what is said of the answers that differ."""

from dataclasses import dataclass, field

from rich.markup import escape

from commands.console import out, say
from replay import machine, workers
from replay.differing import differences
from replay.hearing import Answers, Hearing, answers, recorded
from replay.plans import Plan
from replay.progress import Progress
from replay.records import Request
from replay.results import Difference
from replay.running import Options
from replay.targets import Target
from replay.workers import Done

_SHOWN = 12


@dataclass(slots=True)
class Diff:
    """The passes around the measured one, in the order ABBA: baseline, target, target, baseline. Without a baseline the first
    and the last are what was recorded."""

    plan: Plan
    target: Target
    baseline: Target | None
    options: Options
    processes: int
    requests: list[Request]
    before: Answers = field(default_factory=Answers)
    interrupted: bool = False
    unread: int = 0  # answers of which only the hash of their body could be compared
    missing: str = ""  # why nothing is compared, "" while it may be

    def listener(self) -> Hearing:
        """Of a worker, in each pass. What was recorded has no bodies to be compared with."""
        return Hearing(bodies=self.baseline is not None)

    def first(self) -> bool:
        """Before the measured run. False when there is nothing to compare it with."""
        self.before = self._pass(self.baseline, "pass 1 of 4") if self.baseline else recorded(self.requests)
        return not self.missing

    def rest(self, measured: Done) -> list[Difference]:
        """After it: what differs. Nothing when a pass is missing, and then none is made that would come after it."""
        self._look_at(measured, "the measured run")
        again = self._pass(self.target, "pass 3 of 4" if self.baseline else "pass 2 of 2")
        after = self._pass(self.baseline, "pass 4 of 4") if self.baseline else self.before
        if self.missing:
            return []
        a, b = (self.before, after), (answers(measured.heard), again)
        self.unread = max(one.unread() for one in (*a, *b))
        return differences(a, b)

    def _pass(self, site: Target, name: str) -> Answers:
        if self.missing:
            return Answers()
        with Progress(out, f"{site.url}, {name}", self.plan.seconds).shown() as progress:
            done = workers.run(self.plan, site, self.options, self.processes, progress.tell, self.listener)
        self._look_at(done, f"{name}, to {site.url},")
        return answers(done.heard)

    def _look_at(self, done: Done, name: str) -> None:
        """What was not asked, or not heard, would else be told of the site: as all equal, or as never sent."""
        self.interrupted = self.interrupted or done.interrupted
        outcomes = sum((route.outcomes for route in done.measure.routes.values()), done.measure.warm)
        wrong = [*done.lost, done.measure.stopped, *machine.reasons((), outcomes)]
        found = (f"{name} cannot be used: {why}" for why in wrong if why)
        self.missing = self.missing or ("a pass was interrupted" if done.interrupted else next(found, ""))

    def show(self, found: list[Difference]) -> None:
        against = self.baseline.url if self.baseline else "what was recorded"
        say()
        if self.missing:
            say(f"[yellow]![/] answers were not compared: {escape(self.missing)}")
        elif not found:
            say(f"[green]✓[/] no answer differs from {escape(against)} more than it does by itself")
        else:
            say(f"[red]✗[/] {len(found)} fields of answers differ from {escape(against)} more than by themselves")
        if self.unread:
            say(
                f"  [dim]of {self.unread:,} answers the bodies were compared by their hash alone: they are too much to read[/]"
            )
        for one in found[:_SHOWN]:
            say(f"  {one.share:>6.1%} [dim](by chance {one.noise:.1%})[/]  {escape(one.route)}, {escape(one.what)}")
            say(f"          [dim]expected[/]  {escape(one.expected) or '[dim]nothing[/]'}")
            say(f"          [dim]found[/]     {escape(one.found) or '[dim]nothing[/]'}")
        if len(found) > _SHOWN:
            say(f"  [dim]and {len(found) - _SHOWN} more, in --out[/]")
