"""The end of a run on the terminal: what came of it, what was measured, and what to do next."""

from pathlib import Path

from rich.markup import escape
from rich.table import Table

from commands.console import out, say
from replay.machine import MAX_OPEN
from replay.objectives import NEVER_SENT
from replay.paces import hides
from replay.results import Run, Summary

_WORDS = {
    "pass": "[green]✓ pass[/]", "missed": "[red]✗ missed[/]", "invalid": "[red]✗ INVALID[/]",
    "interrupted": "[yellow]! interrupted[/]", "stopped": "[red]✗ stopped[/]",
}  # fmt: skip
_ROUTES = 8  # that are shown; the report has them all
_CHANGES = 5
_TOLD = ("p50", "p90", "p99", "p99.9", "max")
_MEANT = {"not sent": "not sent: writes, and --writes was not given", "truncated": "not sent: not all of their body was recorded",
          "too late": "not sent: what they waited for was not there when the time was over",
          MAX_OPEN: "not sent: all connections that --max-open allows were in use",
          "unmapped": "unmapped: nothing is known for a placeholder in them"}  # fmt: skip


def show(run: Run) -> None:
    """Of a run that did not begin only why."""
    say()
    took = f", {run.seconds:,.1f} s" if run.offered else ""
    say(f"{_WORDS[run.verdict]}  [dim]{escape(str(run.plan['target']))}{took}[/]")
    for why in run.why:
        say(f"  {escape(why)}")
    if not run.offered:
        return
    if told := hides(run.plan.get("pace")):
        say(f"  [dim]{told}[/]")
    say()
    _rates(run)
    out.print(_times(run))
    _shares(run)
    _routes(run)
    for one in run.objectives:
        measured = "n/a" if one.measured is None else f"{one.measured:,.4g}"
        say(f"  {'[green]✓[/]' if one.met else '[red]✗[/]'} {escape(one.text):<24} {measured}")


def show_next(run: Run, written: list[Path | None]) -> None:
    """Where it is written, and what can be done now."""
    paths = [path for path in written if path]
    for path in paths:
        say(f"[dim]written: {escape(str(path))}[/]")
    if hint := _next(run, paths):
        say(f"[dim]{escape(hint)}[/]")


def _rates(run: Run) -> None:
    seconds = run.seconds or 1.0
    for name, count in (("offered", run.offered), ("sent", run.sent), ("answered", run.completed)):
        say(f"  {name:<12}{count:>12,}   {count / seconds:>10,.1f}/s")
    say()
    for word, count in run.outcomes.items():
        say(
            f"  {word if word.isdigit() else '':<12}{count:>12,}   {'' if word.isdigit() else _MEANT.get(word, word)}".rstrip()
        )
    if held := run.plan.get("held_ms"):
        say(
            f"\n  {held['n']:,} were held back by --max-rate, up to {held['max']:,.0f} ms; response times count it, lag does not"
        )
    if run.changed:
        say("\n  another status than recorded")
    for change, count in list(run.changed.items())[:_CHANGES]:
        say(f"  [yellow]{change:<12}[/]{count:>12,}")
    say()


def _times(run: Run) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("  ms", style="dim")
    for name in _TOLD:
        table.add_column(name, justify="right")
    rows: dict[str, Summary] = {
        "response": run.response_ms, "service": run.service_ms, "first byte": run.first_byte_ms, "connect": run.connect_ms,
        "lag": run.lag_ms,
    }  # fmt: skip
    for name, told in rows.items():
        table.add_row(f"  {name}", *(_ms(told[quantile]) for quantile in _TOLD))
    return table


def _shares(run: Run) -> None:
    """One machine is one machine: who took how much of it."""
    if shares := run.machine.get("shares"):
        told = ", ".join(f"{kind} {share:.2f}" for kind, share in shares.items())
        say(f"  [dim]cores[/]       {told} [dim]of the {run.machine['cores']} of this machine[/]")


def _routes(run: Run) -> None:
    shown = [one for one in run.routes if one.response_ms["n"]][:_ROUTES]
    if len(shown) < 2:
        return
    say()
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("  route", style="dim", overflow="ellipsis", no_wrap=True, max_width=56)
    for name in ("n", "p50", "p99", "max"):
        table.add_column(name, justify="right")
    for one in shown:
        table.add_row(
            f"  {escape(one.route)}", f"{one.n:,}", *(_ms(one.response_ms[name]) for name in ("p50", "p99", "max"))
        )
    out.print(table)
    if len(run.routes) > len(shown):
        say(f"[dim]  and {len(run.routes) - len(shown)} more[/]")
    say()


def _ms(value: float | int | None) -> str:
    return "n/a" if value is None else f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


def _next(run: Run, written: list[Path]) -> str:
    if run.verdict == "invalid":
        if run.selfcheck and not run.offered:
            return "Lower the rate, use more --workers, or see with --no-selfcheck what comes of it all the same."
        if MAX_OPEN in run.outcomes:
            return "With a greater --max-open, or at a lower rate, the rest is sent too."
        return "Its figures say more about this machine than about the site: lower the rate, or use more --workers."
    if run.unmapped:
        return "plaza replay prepare makes the accounts and sessions that unmapped requests need."
    if any(run.outcomes.get(word) for word in NEVER_SENT if word == "not sent"):
        return "With --writes the rest is sent too, to a site that says that it is a replay target."
    json = next((path for path in written if path.suffix == ".json"), None)
    return f"plaza replay compare {json} OTHER.json tells whether another run was faster." if json else ""
