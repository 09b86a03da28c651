"""`plaza replay run`: a record file against a site, measured and judged."""

import importlib
import os
import secrets
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from commands.console import Trouble, out
from commands.replaying import choices, inputs, summary
from commands.replaying.exits import DIFFERENT, INTERRUPTED, NOT_COMPARED, OF_VERDICT, BadInput
from replay import hdr, machine, selfcheck, workers
from replay.judging import run_of
from replay.measuring import Measure
from replay.objectives import Wanted
from replay.paces import Pace
from replay.planning import Choices
from replay.plans import Plan
from replay.progress import Progress
from replay.reading import Recording
from replay.results import Run
from replay.running import Options
from replay.selfcheck import Checked
from replay.targets import Target
from replay.workers import Done

_RECORDED = "recorded"  # what --diff compares with when it names no site
_FILE = click.Path(dir_okay=False, path_type=Path)
_THERE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("record", metavar="F", type=_THERE)
@click.option("--target", "url", metavar="URL", required=True, help="The site, such as http://localhost:8000.")
@click.option("--pace", type=choices.Pace(), default="session", show_default=True,
              help="When requests go: session, absolute, rate=N, poisson=N, line=A:B, step=A,B,C@SECONDS, closed=N.")  # fmt: skip
@click.option("--speed", metavar="X", type=click.FloatRange(0.001, 1_000_000), default=1.0, show_default=True,
              help="So many times as fast as recorded.")  # fmt: skip
@click.option(
    "--loop", "loops", metavar="N", type=click.IntRange(1, 1_000_000), help="Go through the file so many times."
)
@click.option("--duration", metavar="T", type=choices.Duration(),
              help="Send for so long (90s, 10m), and go through the file as often as that takes.")  # fmt: skip
@click.option(
    "--warmup", metavar="T", type=choices.Duration(), default=None, help="What is due before is not measured."
)
@click.option("--only", metavar="WHAT", multiple=True, type=choices.Pattern(),
              help="Only this method, this route, or addresses in which this regular expression is found.")  # fmt: skip
@click.option("--drop", metavar="WHAT", multiple=True, type=choices.Pattern(), help="All but those.")
@click.option(
    "--rewrite", metavar="'A=>B'", multiple=True, type=choices.Rewrite(), help="In addresses, B in the place of A."
)
@click.option("--sessions", metavar="N", type=click.IntRange(1), help="Only so many sessions, chosen by the seed.")
@click.option("--writes", is_flag=True, help="Send what changes something too.")
@click.option("--values", "values_file", metavar="FILE", type=_THERE,
              help="What stands for placeholders; otherwise F.values.json, where that is.")  # fmt: skip
@click.option(
    "--timeout", metavar="T", type=choices.Duration(), default="30s", show_default=True, help="For an answer."
)
@click.option("--max-rate", metavar="N", type=click.FloatRange(0.001, 1_000_000),
              help="Never more requests a second; how long what is due then waits is told.")  # fmt: skip
@click.option("--max-open", metavar="N", type=click.IntRange(1, 1_000_000), default=10_000, show_default=True,
              help="Never more connections, of each worker.")  # fmt: skip
@click.option(
    "--stop-on-errors", metavar="SHARE", type=choices.Share(), help="Stop when so many of the last 200 failed."
)
@click.option("--workers", "processes", metavar="N", type=click.IntRange(1, 256), default=1, show_default=True,
              help="Processes that send.")  # fmt: skip
@click.option("--seed", metavar="N", type=int, default=1, show_default=True, help="For all that is left to chance.")
@click.option("--site", type=click.Choice(list(inputs.SITES)), help="Whose routes; otherwise whose the record is.")
@click.option("--insecure", is_flag=True, help="Take any certificate.")
@click.option("--slo", "wanted", metavar="WHAT", type=choices.Objectives(), default=(),
              help="What has to be reached, such as 'p99<250ms,errors<0.1%'; status 1 when it is not.")  # fmt: skip
@click.option("--diff", "against", metavar="[URL]", is_flag=False, flag_value=_RECORDED,
              help="Compare its answers with those of another site, or without URL with what was recorded.")  # fmt: skip
@click.option("--out", "json_file", metavar="FILE", type=_FILE, help="Write the result there, as JSON.")
@click.option(
    "--html", "html_file", metavar="FILE", type=_FILE, help="Write a report there, one page that needs no other."
)
@click.option(
    "--hdr", "hdr_file", metavar="FILE", type=_FILE, help="Write the histograms there, as an HdrHistogram log."
)
@click.option("--selfcheck/--no-selfcheck", "checks", default=True, show_default=True,
              help="Try first whether this machine can send half as much again on time.")  # fmt: skip
def command(
    record: Path, url: str, pace: Pace, speed: float, loops: int | None, duration: float | None, warmup: float | None,
    only: tuple[str, ...], drop: tuple[str, ...], rewrite: tuple[tuple[str, str], ...], sessions: int | None, writes: bool,
    values_file: Path | None, timeout: float, max_rate: float | None, max_open: int, stop_on_errors: float | None,
    processes: int, seed: int, site: str | None, insecure: bool, wanted: tuple[Wanted, ...], against: str | None,
    json_file: Path | None, html_file: Path | None, hdr_file: Path | None, checks: bool,
) -> None:  # fmt: skip
    """Send what is recorded in F to another site, each request at its moment whatever the answers do, and measure it.

    Response times count from the moment at which a request was to be sent. The target must say that it is a replay target; one
    on this machine may be read from without. Status: 0 pass, 1 an objective was missed or the target went away, 2 wrong usage,
    3 target refused, 4 the run is invalid or answers could not be compared (--diff), 5 answers differ, 130 interrupted; what was
    measured is reported in each case.
    """
    run_id = secrets.token_hex(6)
    _writable(json_file, html_file, hdr_file)
    recording = inputs.recording_of(record)
    chosen = Choices(pace, speed, loops, duration, only, drop, rewrite, sessions, seed, writes)
    plan = inputs.plan_of(recording, site, chosen)
    if warmup and plan.seconds and warmup >= plan.seconds:
        raise click.UsageError(
            f"--warmup {warmup:g} s leaves nothing to be measured: all is sent in {plan.seconds:,.1f} s"
        )
    known = inputs.values_of(values_file, record)
    target = inputs.target_of(url, writes=writes, run_id=run_id, insecure=insecure)
    options = Options(run_id, timeout, warmup or 0.0, max_rate or 0.0, max_open, stop_on_errors or 0.0, known)
    if trouble := machine.own_limits(1):
        raise BadInput(trouble)
    diff = None
    if against is not None:
        asked = against != _RECORDED
        baseline = inputs.target_of(against, writes=writes, run_id=run_id, insecure=insecure) if asked else None
        diffs = importlib.import_module("commands.replaying.diffs")  # with its statistics, which take seconds to load
        diff = diffs.Diff(plan, target, baseline, options, processes, recording.requests)
    checked = _checked(plan, processes, options.max_rate) if checks else None
    can = checked is None or checked.on_time
    if diff and can and not diff.first():
        diff.show([])
        sys.exit(INTERRUPTED if diff.interrupted else NOT_COMPARED)
    started, facts = datetime.now(UTC), machine.facts()
    if checked and not can:
        lost = [f"this machine cannot send {checked.rate:,.0f}/s on time: {why}" for why in checked.why]
        done = Done(Measure(), lost=lost)
    else:
        with Progress(out, f"{record.name} → {target.url}", plan.seconds).shown() as progress:
            done = workers.run(plan, target, options, processes, progress.tell, diff.listener if diff else None)
    told = _told(record, recording, plan, target, options) | {"workers": processes, "command": sys.argv[1:]}
    run = run_of(
        done.measure, plan, told, started.isoformat(timespec="milliseconds"), interrupted=done.interrupted,
        machine=facts | {"shares": done.shares, "own_cpu": done.own_cpu},
        invalid=done.lost, own_cpu=done.own_cpu, objectives=wanted,
        selfcheck=checked.as_json() if checked else {},
    )  # fmt: skip
    if diff:
        run.differences = diff.rest(done)
        run.plan["not_compared"] = diff.missing
    summary.show(run)
    if diff:
        diff.show(run.differences)
    written = _write(run, json_file, html_file, hdr_file)
    summary.show_next(run, written)
    sys.exit(_status(run, diff, all_written=None not in written))


def _status(run: Run, diff: Any, *, all_written: bool) -> int:
    """What a site answers does not depend on how late it was asked: a run may be invalid, and its differences true. Where answers
    were to be compared and were not, that comes before the objectives, but not before a target that went away."""
    if diff and diff.interrupted:
        return INTERRUPTED
    if run.differences:
        return DIFFERENT
    if diff and diff.missing and run.verdict != "stopped":
        return NOT_COMPARED
    return OF_VERDICT[run.verdict] or (0 if all_written else BadInput.exit_code)


def _told(record: Path, recording: Recording, plan: Plan, target: Target, options: Options) -> dict[str, Any]:
    return {
        "file": str(record), "target": target.url, "run": options.run_id, "pace": plan.pace.text, "speed": plan.speed,
        "seed": plan.seed, "loops": plan.loops, "seconds": plan.seconds, "requests": plan.requests,
        "highest_rate": plan.highest_rate, "sessions": len(plan.scripts), "recorded_at": recording.header.base_url,
        "commit": recording.header.commit, "cut": recording.cut, "timeout": options.timeout, "warmup": options.warmup,
    }  # fmt: skip


def _checked(plan: Plan, processes: int, max_rate: float) -> Checked | None:
    try:
        return selfcheck.before(plan, processes, max_rate)
    except OSError as error:
        raise Trouble(f"this machine could not be tried: {error}") from None


def _writable(*files: Path | None) -> None:
    """Said before the run, not after it."""
    for path in files:
        if path and not path.absolute().parent.is_dir():
            raise BadInput(f"there is no folder {path.absolute().parent}")
        special = path and path.exists() and not path.is_file()  # as /dev/null; a file is put in the place of another
        if path and not os.access(path if special else path.resolve().parent, os.W_OK):
            raise BadInput(f"{path} cannot be written")


def _write_html(run: Run, path: Path) -> None:
    run.put(path, importlib.import_module("replay.report").html(run))


def _write(run: Run, json_file: Path | None, html_file: Path | None, hdr_file: Path | None) -> list[Path | None]:
    """What was written; None for what could not be, which is said."""
    written: list[Path | None] = []
    for path, write in (
        (json_file, run.write), (html_file, partial(_write_html, run)), (hdr_file, partial(hdr.write, run)),
    ):  # fmt: skip
        if path:
            try:
                write(path)
                written.append(path)
            except OSError as error:
                Trouble(f"{path} could not be written: {error}").show()
                written.append(None)
    return written
