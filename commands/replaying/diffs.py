"""What `plaza replay run --diff` does around the measured run: the other passes, and what is said of the answers that differ."""

from dataclasses import dataclass, field

from rich.markup import escape

from commands.console import out, say
from replay import workers
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

    def first(self) -> bool:
        """Before the measured run. False when it was interrupted: then there is nothing to compare with."""
        self.before = self._pass(self.baseline, "1 of 4") if self.baseline else recorded(self.requests)
        return not self.interrupted

    def rest(self, measured: Done) -> list[Difference]:
        """After it: what differs, nothing when a pass was interrupted."""
        self.interrupted = self.interrupted or measured.interrupted
        again = self._pass(self.target, "3 of 4" if self.baseline else "2 of 2")
        after = self._pass(self.baseline, "4 of 4") if self.baseline else self.before
        if self.interrupted:
            return []
        return differences((self.before, after), (answers(measured.heard), again))

    def _pass(self, site: Target, what: str) -> Answers:
        if self.interrupted:
            return Answers()
        with Progress(out, f"{site.url}, pass {what}", self.plan.seconds).shown() as progress:
            done = workers.run(self.plan, site, self.options, self.processes, progress.tell, Hearing)
        self.interrupted = self.interrupted or done.interrupted
        return answers(done.heard)

    def show(self, found: list[Difference]) -> None:
        against = self.baseline.url if self.baseline else "what was recorded"
        say()
        if self.interrupted:
            say("[yellow]![/] answers were not compared: a pass was interrupted")
        elif not found:
            say(f"[green]✓[/] no answer differs from {escape(against)} more than it does by itself")
        else:
            say(f"[red]✗[/] {len(found)} fields of answers differ from {escape(against)} more than by themselves")
        for one in found[:_SHOWN]:
            say(f"  {one.share:>6.1%} [dim](by chance {one.noise:.1%})[/]  {escape(one.route)}, {escape(one.what)}")
            say(f"          [dim]expected[/]  {escape(one.expected) or '[dim]nothing[/]'}")
            say(f"          [dim]found[/]     {escape(one.found) or '[dim]nothing[/]'}")
        if len(found) > _SHOWN:
            say(f"  [dim]and {len(found) - _SHOWN} more, in --out[/]")
