"""`plaza replay selfcheck`: how fast this machine can send, and how exactly."""

import sys

import click

from commands.console import Trouble, say
from commands.replaying.exits import OF_VERDICT
from replay import machine, selfcheck
from replay.selfcheck import FASTER, Checked

_HEAD = f"  {'':>9}   {'sent':>11}   {'lag p50':>9}   {'p99':>9}   {'max':>9}   {'CPU':>5}"


@click.command()
@click.option("--workers", "processes", metavar="N", type=click.IntRange(1, 256), default=1, show_default=True,
              help="Processes that send.")  # fmt: skip
def command(processes: int) -> None:
    """Find the highest rate at which this machine sends on time, against a server that answers at once.

    On time: all of it, 99 of 100 requests within half a millisecond of their moment, no process busy above 80 %. Each rate is
    tried for a second, up to three times. Status 4 when not even the lowest is on time.
    """
    facts = machine.facts()
    say(f"[bold]{facts['cpu']}[/], {facts['cores']} cores, load {facts['load_before']}")
    say(f"[dim]{_HEAD}[/]")
    best, why = None, list[str]()
    try:
        for checked in selfcheck.search(processes):
            say(_line(checked))
            if checked.on_time:
                best = max(best, checked, key=lambda one: one.rate) if best else checked
            else:
                why = checked.why
    except OSError as error:
        raise Trouble(str(error)) from None
    say()
    if best is None:
        say(f"[red]✗[/] This machine cannot send on time now: {'; '.join(why)}.")
        sys.exit(OF_VERDICT["invalid"])
    say(f"[green]✓[/] {best.rate:,.0f} requests a second are sent on time by {_workers(processes)}.")
    say(f"  A run is checked at {FASTER} times its busiest second, so plan up to {best.rate / FASTER:,.0f} a second.")
    if why:
        say(f"  [dim]Above that: {'; '.join(why)}.[/]")


def _line(one: Checked) -> str:
    mark = "[green]✓[/]" if one.on_time else "[red]✗[/]"
    lags = "   ".join(f"{_ms(one.lag_ms[name]):>9}" for name in ("p50", "p99", "max"))
    return f"{mark} {one.rate:>8,.0f}/s   {one.sent:>9,.0f}/s   {lags}   {max(one.own_cpu, default=0.0):>5.0%}"


def _ms(value: float | int | None) -> str:
    return "n/a" if value is None else f"{value:,.2f} ms"


def _workers(processes: int) -> str:
    return "one worker" if processes == 1 else f"{processes} workers"
