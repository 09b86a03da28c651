"""`plaza bench`: measures pages and the cache beside yardsticks and targets, in an instance that is gone afterwards."""

import contextlib
import json
import shlex
import signal
import sys
from pathlib import Path

import click

from commands.benchmarks import facts, lanes, live, report, wrk
from commands.benchmarks.catalogue import KEYS, MEMBERS, benchmarks
from commands.benchmarks.comparison import compared
from commands.benchmarks.laboratory import laboratory
from commands.console import Trouble, err, say

BUSY = 0.5  # of the cores; above this the figures say more about the neighbours
POSTS = click.IntRange(1, 10_000_000)


@click.command()
@click.option("--json", "json_file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
              help="Write every round there.")  # fmt: skip
@click.option("--markdown", is_flag=True, help="Print the tables as Markdown, and nothing else on standard output.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=5, show_default=True, help="How often all is measured.")
@click.option(
    "--seconds", type=click.FloatRange(0.1, 3600), default=2.0, show_default=True, help="How long each run is."
)
@click.option("--load", "posts", metavar="N", type=POSTS, default=10_000, show_default=True,
              help="How many posts to generate; 1000000 take some minutes.")  # fmt: skip
@click.option("--compare-loads", "loads", metavar="N N", type=POSTS, nargs=2,
              help="Measure with few posts and with many, and show the ratios.")  # fmt: skip
@click.option("--keys", metavar="N", type=click.IntRange(1, 100_000_000), default=KEYS, show_default=True,
              help="How many distinct keys `memory` reads; 10000000 is the whole claim.")  # fmt: skip
@click.option("--members", metavar="N", type=click.IntRange(20, 10_000_000), default=MEMBERS, show_default=True,
              help="How many members `boards` ranks, and at most 6,000 of `polls` vote; 1000000 is the whole claim.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Status 1 also when a target is not met.")
@click.option("--list", "listing", is_flag=True, help="Name the benchmarks.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
def command(
    json_file: Path | None,
    markdown: bool,
    rounds: int,
    seconds: float,
    posts: int,
    loads: tuple[int, int] | None,
    keys: int,
    members: int,
    strict: bool,
    listing: bool,
    names: tuple[str, ...],
) -> None:
    """Measure pages through Nginx and straight at one web process, beside Nginx's static file and bare Tornado; then the cache.

    All benchmarks, or those named. It starts an instance of its own with generated posts, and removes it at the end; yours is
    not touched. Status 1 when any request failed.
    """
    known = benchmarks(keys, members)
    if listing:
        for benchmark in known.values():
            say(f"  {benchmark.name:<12} {benchmark.title}")
        return
    if unknown := [name for name in names if not any(name in one.names for one in known.values())]:
        raise Trouble(f"no benchmark is named {unknown[0]}; there are: {', '.join(known)}")
    if json_file and not json_file.absolute().parent.is_dir():
        raise Trouble(f"there is no folder {json_file.absolute().parent}")
    wrk.wrk()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    told = facts.gather() | {
        "posts": " and ".join(f"{n:,}" for n in loads or (posts,)),
        "rounds": rounds,
        "seconds": seconds,
    }
    wanted = [one for one in known.values() if not names or one.names & set(names)]
    with contextlib.redirect_stdout(sys.stderr) if markdown else contextlib.nullcontext():
        results = _compare(wanted, loads, rounds, seconds) if loads else _measure(wanted, posts, rounds, seconds)
    if json_file:
        json_file.write_text(
            json.dumps(report.as_json(results, told, rounds, seconds, loads or (posts,)), indent=1) + "\n"
        )
    if markdown:
        print(report.markdown(results, told, shlex.join(["./plaza", "bench", *sys.argv[2:]])))
    else:
        report.show(results, told)
    judge(results, told, strict=strict)


def _measure(wanted: list[lanes.Benchmark], posts: int, rounds: int, seconds: float) -> list[lanes.Result]:
    with laboratory(posts) as room:
        return _in_turns([(one, one.prepare(room)) for one in wanted], rounds, seconds)


def _compare(wanted: list[lanes.Benchmark], loads: tuple[int, int], rounds: int, seconds: float) -> list[lanes.Result]:
    few, many = loads
    with laboratory(few) as small, laboratory(many) as large:
        return _in_turns(compared([one.name for one in wanted], ((few, small), (many, large))), rounds, seconds)


def _in_turns(subjects: list[tuple[lanes.Benchmark, lanes.Subject]], rounds: int, seconds: float) -> list[lanes.Result]:
    say()
    with live.bar() as bar:
        task = bar.add_task("", total=sum(lanes.runs(subject, rounds) for _, subject in subjects))

        def tell(round_: int, one: lanes.Benchmark, what: str, found: str | None) -> None:
            text = f"{f'round {round_} of {rounds}' if round_ else 'warming up'}: {one.title}, {what}"
            if found is None:
                bar.update(task, description=text)
                return
            bar.advance(task)
            if round_:
                bar.console.print(f"[dim]  {text:<66} {found:>9}[/]")

        return lanes.take_turns(subjects, rounds, seconds, tell)


def judge(results: list[lanes.Result], known: report.Facts, *, strict: bool = False) -> None:
    """Say what makes the figures doubtful; end with status 1 when requests failed, or, if so wished, when a target is missed."""
    if float(known["load_before"]) > BUSY * int(known["cores"]):
        err.print(
            f"[yellow]![/] The machine was busy before: load average {known['load_before']}. Measure again when it rests."
        )
    failed = strict and not all(verdict.met for verdict in report.all_verdicts(results))
    for result in results:
        for number, lane, kinds in result.failures():
            failed = True
            what = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
            err.print(f"[red]✗[/] {result.benchmark.title}, {lane.title}, round {number}: {what}")
    if failed:
        sys.exit(1)
