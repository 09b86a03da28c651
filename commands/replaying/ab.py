"""`plaza replay ab`: replays against two sites in turns, and tells which is slower, and in which route."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import click
from rich.markup import escape

from commands.console import err, out, say
from commands.replaying import inputs, verdicts
from commands.replaying.choices import Share
from commands.replaying.compare import Invalid
from commands.replaying.exits import INTERRUPTED, OF_VERDICT, BadInput, NotWritten, TargetRefused
from replay import results, statistics
from replay.results import NoRun, Run
from replay.rounds import Turns
from settings import ROOT

_OURS: Final = ("--out", "--html", "--target", "--diff")  # each run has its own
_COUNTED: Final = (0, 1, 4)  # of a run that wrote what it measured
_OURS_TOO: Final = (BadInput.exit_code, TargetRefused.exit_code, INTERRUPTED)  # of a run, which mean the same here
_AGAIN: Final = 3  # times that a run is made again when this machine was too late
_WARM_UP: Final = 6 * 3600.0  # s that a run of the warm-up may take
_PATIENCE: Final = 5.0  # times the warm-up's length that a run may take
_LEAST: Final = 600.0  # s that it may take in any case


# The command line of this very program, from whatever folder it was called.
_START: Final = (
    f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); runpy.run_module('commands', run_name='__main__')"
)
_PLAZA: Final = (sys.executable, "-c", _START)


class Failed(Exception):
    """A run ended in a way in which all others would."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("file", metavar="F", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("options", metavar="[OPTIONS OF RUN]...", nargs=-1, type=click.UNPROCESSED)
@click.option("--a", "site_a", metavar="URL", required=True, help="The site that it is compared with.")
@click.option("--b", "site_b", metavar="URL", required=True, help="The site that may be slower.")
@click.option("--rounds", type=click.IntRange(2, statistics.MOST_ROUNDS), default=8, show_default=True,
              help="How often each site has its turn. With fewer than 6 nothing is shown of more than a route.")  # fmt: skip
@click.option("--slower", metavar="SHARE", type=Share(), default="5%", show_default=True,
              help="How much slower B may be; what is shown to be beyond gives status 1.")  # fmt: skip
@click.option("--no-warm-up", is_flag=True, help="Measure the first round, too: both sites are warm already.")
@click.option("--invalid-too", is_flag=True,
              help="Count runs in which this machine was too late, too: that falls on both sides alike, as noise.")  # fmt: skip
@click.option("--out", "target_file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
              default=Path("ab.json"), show_default=True, help="Keep every run there, for `plaza replay compare`.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over --out.")
def command(
    file: Path,
    options: tuple[str, ...],
    site_a: str,
    site_b: str,
    rounds: int,
    slower: float,
    no_warm_up: bool,
    invalid_too: bool,
    target_file: Path,
    force: bool,
) -> None:
    """Replay F against the sites A and B in turns, ABBA BAAB, each time in a process of its own, after a round that does not
    count. All other options are those of `plaza replay run`, the same for every run.

    Status 1 when B, or a route of it, is shown to be slower by more than --slower; 0 when not, whether no difference is shown
    or there were too few rounds to show one, which is said. Of a route the typical time is compared, the geometric mean. 4 when
    fewer than half of the rounds count, a run was killed, or --out cannot be written.
    """
    if wrong := next((one for one in options if one.partition("=")[0] in _OURS), None):
        raise click.UsageError(f"{wrong}: `ab` gives this to each run itself")
    inputs.free(target_file, force=force)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    turns = Turns(str(file), site_a, site_b, statistics.order(rounds), list(options), slower, invalid_too)
    broken_off = 0
    try:
        _take_turns(turns, target_file, warm_up=not no_warm_up)
    except KeyboardInterrupt:
        broken_off = INTERRUPTED
        err.print("[yellow]![/] interrupted: the runs that were made are kept")
    except Failed as failure:
        broken_off = failure.status
        err.print(f"[red]✗[/] {escape(str(failure))}")
    except OSError as error:
        broken_off = OF_VERDICT["invalid"]
        err.print(f"[red]✗[/] a run could not be made: {escape(str(error.strerror or error))}")
    _finish(turns, target_file, slower, broken_off)


def _take_turns(turns: Turns, target_file: Path, *, warm_up: bool) -> None:
    limit = _WARM_UP
    if warm_up:
        runs = [_run(turns, side, "warming up", limit) for side in "AB"]
        limit = max(_LEAST, _PATIENCE * max(run.seconds for run in runs))
    for place, side in enumerate(turns.order):
        what = f"round {place // 2 + 1} of {turns.rounds()}"
        run = _run(turns, side, what, limit)
        for _ in range(0 if turns.invalid_too else _AGAIN):
            if run.verdict == "invalid":
                run = _run(turns, side, f"{what}, again", limit)
        turns.runs.append(run)
        _write(turns, target_file)


def _run(turns: Turns, side: str, what: str, limit: float) -> Run:
    """Raises Failed, KeyboardInterrupt."""
    site = turns.a if side == "A" else turns.b
    text = f"{what}: {side}, {escape(site)}"
    with tempfile.TemporaryDirectory(prefix="plaza-ab-") as folder, out.status(f"{text} …"):
        path = Path(folder) / "run.json"
        command = [*_PLAZA, "replay", "run", turns.file, "--target", site, "--out", str(path), *turns.options]
        status, said = _wait(command, limit)
        if status < 0:
            raise Failed(f"{text}: it was killed by signal {-status}", OF_VERDICT["invalid"])
        if status not in _COUNTED:
            raise Failed(
                f"{text}: {said or f'it ended with status {status}'}",
                status if status in _OURS_TOO else OF_VERDICT["invalid"],
            )
        try:
            run = results.read(path)
        except (NoRun, OSError) as error:
            raise Failed(f"{text}: it left no result: {said or error}", OF_VERDICT["invalid"]) from None
    shown = (
        f"p50 {_ms(run.response_ms.get('p50'))}   p99 {_ms(run.response_ms.get('p99'))}   {run.completed:>9,} answers"
    )
    colour = "yellow" if run.verdict not in ("pass", "missed") else "dim"
    say(f"  [dim]{what:<22} {side}   {shown}[/]   [{colour}]{run.verdict}[/]")
    for why in run.why if run.verdict == "invalid" else ():
        say(f"    [yellow]{escape(why)}[/]")
    return run


def _wait(command: list[str], limit: float) -> tuple[int, str]:
    """Its status, and the last line that it had to say of trouble. In a group of its own: Ctrl-C is for us, who pass it on once.
    Raises KeyboardInterrupt when it has ended."""
    with tempfile.TemporaryFile("w+") as said, subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
    ) as process:  # fmt: skip
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            return OF_VERDICT["invalid"], f"it did not end within {limit:.0f} s"
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                process.kill()
            raise
        said.seek(0)
        lines = [line.strip() for line in said.read().splitlines() if line.strip()]
        return process.returncode, lines[-1].removeprefix("✗ ") if lines else ""


def _finish(turns: Turns, target_file: Path, slower: float, broken_off: int) -> None:
    """`broken_off`: the status for a comparison that was not made to its end, 0 for one that was."""
    if turns.complete():
        made = turns.compare()
        verdicts.show(made)
        _write(turns, target_file)
        say(
            f"  [dim]kept in {escape(str(target_file))}; plaza replay compare {escape(str(target_file))} shows this again[/]"
        )
    if broken_off:
        sys.exit(broken_off)
    if turns.complete() * 2 < turns.rounds():
        raise Invalid(f"{turns.complete()} of {turns.rounds()} rounds count: too few to compare anything")
    sys.exit(verdicts.status(made, slower))


def _write(turns: Turns, target_file: Path) -> None:
    try:
        turns.write(target_file)
    except OSError as error:
        raise NotWritten(f"cannot write {target_file}: {error.strerror or error}") from None


def _ms(value: float | None) -> str:
    return f"{value:>8,.2f} ms" if value is not None else f"{'n/a':>8}   "
