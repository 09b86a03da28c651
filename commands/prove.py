"""`plaza prove`: a model of the cache, a history of real processes under faults, and a herd; what it did, and what it found."""

import logging
import math
import secrets
import signal
import sys
import time
from pathlib import Path

import click
import uvloop

from commands.console import err, out, say, step
from commands.proving import model, mutations, report
from commands.proving.breaks import BREAKS, WRITES
from commands.proving.evidence import smallest
from commands.proving.ground import Ground, ground
from commands.proving.herd import stampedes
from commands.proving.history import Found, history

SEARCH = 60.0  # s in which a guard that was taken away must be missed
LONG = 10.0  # minutes; from then on the model's worlds are the large ones
KEPT = "plaza-history-{seed}.json"


@click.command()
@click.option("--minutes", type=click.FloatRange(0.05, 600), default=2.0, show_default=True,
              help="How long the history is.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), help="Of an earlier run: the same questions, writes and faults.")
@click.option("--keep", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
              help="Where a failing history is written.")  # fmt: skip
@click.option("--broken", type=click.Choice(list(BREAKS)), hidden=True, help="Take this guard away: the history alone.")
def command(minutes: float, seed: int | None, keep: Path | None, broken: str | None) -> None:
    """Prove that the cache never answers with old data beyond its bound, on a MariaDB and a Redis of its own.

    The model: every order of the steps of a few readers and writers. The history: four processes read and write twenty rows while
    networks, Redis, MySQL and the processes themselves fail; every answer is checked, and now and then all that is remembered is
    compared with MySQL. The herd: two thousand readers of one row are one load. The guards: each that is taken away is missed,
    in a history and, line by line in the code, by a test.

    Status 1, and the smallest failing history in a file, when anything is wrong.
    """
    if not math.isfinite(minutes):
        raise click.BadParameter("a number of minutes")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.getLogger("plaza").addHandler(logging.NullHandler())  # that Redis was killed is no news here
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    say(f"Seed {seed}, a history of {minutes:g} minutes")
    keep = keep or Path(KEPT.format(seed=seed))
    well = bool(broken) or _model(long=minutes >= LONG)
    with ground() as place:
        well &= uvloop.run(_history(place, minutes * 60, seed, keep, broken or ""))
        if not broken:
            well &= uvloop.run(_rest(place, seed))
    if not broken:
        well &= _code()
    if not well:
        sys.exit(1)


def _model(*, long: bool) -> bool:
    with step("Model: every order of the steps, each flaw"):
        verdicts = model.check_all(long)
    report.show_model(verdicts)
    return all(verdict.right for verdict in verdicts)


async def _history(place: Ground, seconds: float, seed: int, keep: Path, broken: str) -> bool:
    async with history(place, seed=seed, broken=broken) as told:
        with report.Board(seconds).over(told):
            found = await told.run(seconds, told=report.act)
        mark = "[green]✓[/]" if found.well else "[red]✗[/]"
        say(f"{mark} History: {report.number(report.answers(told))} answers checked, seed {seed}")
        say()
        out.print(report.table(told), width=max(out.width, report.WIDTH), crop=False, soft_wrap=False)
        say()
        _accuse(found, seed, keep)
    return found.well


def _accuse(found: Found, seed: int, keep: Path) -> None:
    for problem in found.problems[:10]:
        err.print(f"✗ {problem}", markup=False)
    if found.evidence:
        worst = smallest(found.evidence)
        report.show_violation(worst, found)
        worst.keep(keep)
        say(f"  the history is in {keep}; again: ./plaza prove --seed {seed}")


async def _rest(place: Ground, seed: int) -> bool:
    """The herd, and the guards."""
    crowds = await stampedes(place, seed)
    report.show_herd(crowds)
    say()
    missed = [await _missed(place, name, seed) for name in BREAKS]
    return all(one.well for one in crowds) and all(missed)


def _code() -> bool:
    """The guards as they stand in the code, each noticed by a test when it is gone."""
    guards = failed = 0
    began = time.monotonic()
    with out.status("Code: each guard is taken out of a copy …", spinner="dots") as shown:
        for one in mutations.outcomes():
            guards += bool(one.guard)
            shown.update(f"Code: {guards} guards, the last one {one.guard} …")
            if not one.well:
                failed += 1
                what = f"no test fails without this guard: {one.guard}" if one.guard else "a copy with all guards fails"
                say(f"[red]✗[/] Code: {what}")
    well = guards > 0 and not failed
    mark = "[green]✓[/]" if well else "[red]✗[/]"
    took = time.monotonic() - began
    say(f"{mark} Code: {guards} guards, each taken out once; {guards - failed} noticed by a test ({took:.0f} s)")
    return well


async def _missed(place: Ground, name: str, seed: int) -> bool:
    """Whether the checker notices that the guard is gone."""
    began = time.monotonic()
    async with history(place, seed=seed, broken=name, writes=WRITES.get(name, 80.0)) as told:
        found = await told.run(SEARCH)
    took = time.monotonic() - began
    if found.accused:
        say(f"[green]✓[/] Guard: without its {name:<12} noticed after {took:3.0f} s")
    else:
        said = found.problems[0] if found.problems else f"the cache was found well for {SEARCH:.0f} s"
        say(f"[red]✗[/] Guard: without its {name}: {said}")
    return found.accused
