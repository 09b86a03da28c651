"""The figures for people (a table, or Markdown for docs/performance.md) and for programs (JSON with every round)."""

from dataclasses import asdict
from typing import Any

from rich.table import Table

from commands.benchmarks.facts import REMARK
from commands.benchmarks.lanes import Lane, Result
from commands.console import out, say

HEADINGS = ("", "per second", "range", "p99 ms", "CPU µs", "ratio")
Facts = dict[str, str | int | float]


def show(results: list[Result], facts: Facts) -> None:
    """The table, and what one must know to read it."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading and heading != "ratio" else "left", no_wrap=True)
    for result in results:
        table.add_row(f"[bold]{result.benchmark.title}[/], {result.subject.about}")
        for lane in result.subject.lanes:
            title, *cells = cells_of(result, lane)
            table.add_row(f"  {title}", f"[bold]{cells[0]}[/]", f"[dim]{cells[1]}[/]", *cells[2:])
        table.add_row()
    say()
    out.print(table, width=max(out.width, 92), crop=False)
    for line in (*told(facts), REMARK):
        out.print(f"[dim]{line}[/]", soft_wrap=False)


def markdown(results: list[Result], facts: Facts, command: str) -> str:
    """The same for a document."""
    lines = [f"`{command}`", "", *told(facts), ""]
    lines += [f"| {' | '.join(HEADINGS)} |", "| --- | ---: | ---: | ---: | ---: | :--- |"]
    for result in results:
        lines.append(f"| **{result.benchmark.title}**, {result.subject.about} | | | | | |")
        lines += [f"| {' | '.join(cells_of(result, lane))} |" for lane in result.subject.lanes]
    return "\n".join([*lines, "", REMARK])


def as_json(results: list[Result], facts: Facts, rounds: int, seconds: float, posts: int) -> dict[str, Any]:
    """Everything that was measured: {"facts", "rounds", "seconds", "posts", "benchmarks": {name: {…, "lanes", "rounds"}}}."""
    return {
        "facts": facts,
        "rounds": rounds,
        "seconds": seconds,
        "posts": posts,
        "benchmarks": {result.benchmark.name: _benchmark(result) for result in results},
    }


def _benchmark(result: Result) -> dict[str, Any]:
    return {
        "title": result.benchmark.title,
        **result.subject.facts,
        "lanes": {
            lane.name: {
                "title": lane.title,
                "rate": result.median(lane, lambda sample: sample.rate),
                "p99": result.median(lane, lambda sample: sample.p99),
                "cpu": result.cpu(lane),
                "against": lane.against or None,
                "ratio": result.ratio(lane),
            }
            for lane in result.subject.lanes
        },
        "rounds": [{name: asdict(sample) for name, sample in one.items()} for one in result.rounds],
    }


def cells_of(result: Result, lane: Lane) -> tuple[str, ...]:
    """A lane as the cells of a row, in the order of HEADINGS."""
    low, high = result.range(lane)
    ratio, spent = result.ratio(lane), result.cpu(lane)
    return (
        lane.title,
        number(result.median(lane, lambda sample: sample.rate)),
        f"{number(low)}–{number(high)}",
        f"{result.median(lane, lambda sample: sample.p99):.1f}",
        "" if spent is None else number(spent),
        "" if ratio is None else f"{ratio:.3f} of {lane.against}",
    )


def told(facts: Facts) -> tuple[str, ...]:
    """The facts in three lines."""
    versions = ", ".join(f"{name} {facts[name]}" for name in ("python", "tornado", "nginx", "mariadb", "redis"))
    how = f"{facts['connections']} connections; {facts['rounds']} rounds of {facts['seconds']} s in turn, medians"
    return (
        f"{facts['cpu']}, {facts['cores']} cores, {facts['system']}; the servers and wrk share them.",
        f"{versions}; commit {facts['commit'] or 'unknown'}; {facts['at']}.",
        f"{facts['posts']} generated posts; {how}; load average before: {facts['load_before']}.",
    )


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
