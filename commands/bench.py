"""`plaza bench`: measures pages beside two yardsticks, in an instance of its own that is gone afterwards."""

import contextlib
import json
import shlex
import signal
import sys
from pathlib import Path

import click

from commands.benchmarks import facts, lanes, live, report, wrk
from commands.benchmarks.catalogue import BENCHMARKS
from commands.benchmarks.laboratory import laboratory
from commands.console import Trouble, err, say

BUSY = 0.5  # of the cores; above this the figures say more about the neighbours


@click.command()
@click.option("--json", "json_file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
              help="Write every round there.")  # fmt: skip
@click.option("--markdown", is_flag=True, help="Print the table as Markdown, and nothing else on standard output.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=3, show_default=True, help="How often all is measured.")
@click.option(
    "--seconds", type=click.FloatRange(0.1, 3600), default=5.0, show_default=True, help="How long each run is."
)
@click.option("--load", "posts", metavar="N", type=click.IntRange(1, 10_000_000), default=300, show_default=True,
              help="How many posts to generate.")  # fmt: skip
@click.option("--list", "listing", is_flag=True, help="Name the benchmarks.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
def command(
    json_file: Path | None,
    markdown: bool,
    rounds: int,
    seconds: float,
    posts: int,
    listing: bool,
    names: tuple[str, ...],
) -> None:
    """Measure pages through Nginx and straight at one web process, beside Nginx's static file and bare Tornado.

    All benchmarks, or those named. It starts an instance of its own with generated posts, and removes it at the end; yours is
    not touched. Status 1 when any request failed.
    """
    if listing:
        for benchmark in BENCHMARKS.values():
            say(f"  {benchmark.name:<8} {benchmark.title}")
        return
    if unknown := [name for name in names if name not in BENCHMARKS]:
        raise Trouble(f"no benchmark is named {unknown[0]}; there are: {', '.join(BENCHMARKS)}")
    if json_file and not json_file.absolute().parent.is_dir():
        raise Trouble(f"there is no folder {json_file.absolute().parent}")
    wrk.wrk()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    known = facts.gather() | {"posts": posts, "rounds": rounds, "seconds": seconds}
    with contextlib.redirect_stdout(sys.stderr) if markdown else contextlib.nullcontext():
        results = _measure(list(names or BENCHMARKS), posts, rounds, seconds)
    if json_file:
        json_file.write_text(json.dumps(report.as_json(results, known, rounds, seconds, posts), indent=1) + "\n")
    if markdown:
        print(report.markdown(results, known, shlex.join(["./plaza", "bench", *sys.argv[2:]])))
    else:
        report.show(results, known)
    judge(results, known)


def _measure(names: list[str], posts: int, rounds: int, seconds: float) -> list[lanes.Result]:
    with laboratory(posts) as room:
        subjects = [(one, one.prepare(room)) for one in BENCHMARKS.values() if one.name in names]
        say()
        with live.bar() as bar:
            task = bar.add_task("", total=(rounds + 1) * sum(len(subject.lanes) for _, subject in subjects))

            def tell(round_: int, one: lanes.Benchmark, lane: lanes.Lane, sample: lanes.Sample | None) -> None:
                text = f"{f'round {round_} of {rounds}' if round_ else 'warming up'}: {one.title}, {lane.title}"
                if sample is None:
                    bar.update(task, description=text)
                else:
                    bar.advance(task)
                if sample and round_:
                    bar.console.print(f"[dim]  {text:<66}{report.number(sample.rate):>9} a second[/]")

            return lanes.take_turns(subjects, rounds, seconds, tell)


def judge(results: list[lanes.Result], known: report.Facts) -> None:
    """Say what makes the figures doubtful; end with status 1 when requests failed."""
    if float(known["load_before"]) > BUSY * int(known["cores"]):
        err.print(
            f"[yellow]![/] The machine was busy before: load average {known['load_before']}. Measure again when it rests."
        )
    failed = False
    for result in results:
        for number, lane, kinds in result.failures():
            failed = True
            what = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
            err.print(f"[red]✗[/] {result.benchmark.title}, {lane.title}, round {number}: {what}")
    if failed:
        sys.exit(1)
