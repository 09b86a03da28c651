"""What a proof shows while it runs, and says at its end."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from commands.console import out, say
from commands.proving.checker import LAG, LEVELS
from commands.proving.evidence import Evidence
from commands.proving.herd import Stampede
from commands.proving.history import Found, History
from commands.proving.model import Verdict

WIDTH = 110  # columns that the table needs
_NS = 1_000_000  # in a ms


class Board:
    """The figures of a history as they grow: a bar, and under it the table that stays at the end."""

    def __init__(self, seconds: float) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("of {task.fields[of]}"),
        )
        self._bar = Progress(*columns, console=out)
        self._task = self._bar.add_task("History", total=seconds, of=_clock(seconds))
        self._history: History | None = None

    @contextmanager
    def over(self, history: History) -> Iterator[None]:
        """Show it while this lasts; nothing where no person watches."""
        self._history = history
        if out.is_terminal:
            with Live(console=out, transient=True, get_renderable=self._shown, refresh_per_second=2):
                yield
        else:
            yield

    def _shown(self) -> Group:
        self._bar.update(self._task, completed=self._bar.tasks[0].elapsed or 0)
        assert self._history
        last = self._history.faults.events[-1:] or [(0, 0, "")]
        return Group(self._bar, Text(), table(self._history), Text(f"  {last[0][2]}", style="dim", no_wrap=True))


def act(history: History) -> None:
    """One line after each comparison."""
    found, total = history.found, history.ledger.total
    writes, faults = number(total("returned")), history.faults.counts.total()
    did = f"{number(answers(history)):>14} answers {writes:>10} writes {faults:>6} faults"
    out.print(f"[dim]  comparison {found.quiet:<4}{did}[/]")


def table(history: History) -> Table:
    """Reads by level with the longest staleness, writes, faults."""
    total, found = history.ledger.total, history.found
    shown = Table(box=None, padding=(0, 2, 0, 2), header_style="dim", pad_edge=False)
    shown.add_column("", no_wrap=True, min_width=26)
    shown.add_column("", justify="right", no_wrap=True, min_width=12)  # so that nothing moves while the figures grow
    shown.add_column("")
    for level in LEVELS:
        stale = total(f"stale {level}") / _NS
        bound = f", {LAG // _NS} are allowed" if level == "L1" else ""
        shown.add_row(f"answers by {level}", number(total(level)), f"[dim]longest staleness {stale:.0f} ms{bound}[/]")
    shown.add_row(
        "  of them lists and pages", number(total("lists")), f"[dim]{number(total('pages'))} pages not made again[/]"
    )
    shown.add_row("  of them results of polls", number(total("results")), f"[dim]{number(total('votes'))} votes[/]")
    failed = f"{number(total('failed reads'))} failed, {number(total('failed though well'))} of them with MySQL well"
    ends = ", ".join(f"{number(total(name))} {said}" for name, said in (
        ("rolled back", "rolled back"), ("refused", "refused"), ("unknown", "of unknown end")))  # fmt: skip
    shown.add_row("writes that returned", number(total("returned")), f"[dim]{ends}[/]")
    shown.add_row("questions given up, failed", number(total("cut short")), f"[dim]{failed}[/]")
    shown.add_row("faults", number(history.faults.counts.total()), f"[dim]{kinds(history.faults.counts)}[/]")
    shown.add_row(
        "processes that died", number(history.troupe.deaths.total()), f"[dim]{kinds(history.troupe.deaths)}[/]"
    )
    quiet = f"[dim]slowest {found.slowest_quiet:.1f} s; {number(found.compared)} answers of all levels[/]"
    shown.add_row("comparisons with MySQL", number(found.quiet), quiet)
    said = f"[dim]{found.excused} excused by the exceptions stated in the protocol[/]" if found.excused else ""
    wrong = len(found.evidence) + len(found.problems)
    shown.add_row("violations", f"[bold {'red' if wrong else 'green'}]{wrong}[/]", said)
    return shown


def answers(history: History) -> int:
    """How many were checked."""
    return sum(history.ledger.total(level) for level in LEVELS)


def show_model(verdicts: Sequence[Verdict]) -> None:
    """What holds, what was found guilty; of each surprise every step."""
    kinds = {
        "worlds in which the protocol holds": [one for one in verdicts if one.flaw is None],
        "flaws that are found guilty": [one for one in verdicts if one.flaw and one.promise],
        "flaws that do no harm while nobody dies": [one for one in verdicts if one.flaw and not one.promise],
    }
    for title, those in kinds.items():
        right = [one for one in those if one.right]
        mark = "[green]✓[/]" if len(right) == len(those) else "[red]✗[/]"
        states = number(sum(one.found.states for one in those))
        say(f"{mark} Model: {len(right)} of {len(those)} {title} [dim]{states} states[/]")
    for one in verdicts:
        if not one.right:
            out.print(Text(f"{one}\n{one.counterexample()}"))


def show_herd(stampedes: Sequence[Stampede]) -> None:
    for one in stampedes:
        mark = "[green]✓[/]" if one.well else "[red]✗[/]"
        failed = f", {one.failed} without an answer" if one.failed else ""
        say(f"{mark} Herd: {one.title:<34} {one.loads} of at most {one.most} loads{failed}")


def show_violation(evidence: Evidence, found: Found) -> None:
    """The smallest one, in words."""
    one = evidence.violation
    say()
    say(f"[red]✗[/] {one.kind}: process {one.process} asked for key {one.key} ({one.question}, {one.level}) and got")
    out.print(Text(f"  {one.said}"))
    say(f"  version {one.missed or one.least} should have been seen; {len(found.evidence)} violations in all")


def kinds(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def number(value: int) -> str:
    return f"{value:,}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) // 60 % 60:02d}:{int(seconds) % 60:02d}"
