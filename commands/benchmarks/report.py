"""The figures for people (tables, or Markdown for docs/performance.md) and for programs (JSON with every round)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from commands.benchmarks import verdicts
from commands.benchmarks.facts import REMARK
from commands.benchmarks.lanes import Figure, Lane, Result, spell
from commands.benchmarks.verdicts import Verdict
from commands.console import out, say

LANES = ("", "per second", "range", "p99 ms", "CPU µs", "ratio", "target", "")
FIGURES = ("", "found", "range", "target", "")
WIDTH = 116  # columns
Facts = dict[str, str | int | float]
Rows = list[tuple[str, ...]]


def show(results: list[Result], facts: Facts) -> None:
    """The tables, and what one must know to read them."""
    wide = Console(
        highlight=False, width=max(out.width, WIDTH)
    )  # a narrower window breaks lines; it leaves nothing out
    for headings, rows in _tables(results):
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        for heading in headings:
            left = heading in ("", "ratio", "target")
            table.add_column(heading, justify="left" if left else "right", no_wrap=True)
        for title, *cells in rows:
            if not cells:
                table.add_row()
                table.add_row(f"[bold]{title}[/]")
            else:
                table.add_row(f"  {title}", f"[bold]{cells[0]}[/]", f"[dim]{cells[1]}[/]", *map(_coloured, cells[2:]))
        wide.print(table)
        say()
    for line in (_summary(results), *told(facts), REMARK):
        out.print(f"[dim]{line}[/]", soft_wrap=False)


def markdown(results: list[Result], facts: Facts, command: str) -> str:
    """The same for a document."""
    lines = [f"`{command}`", "", *told(facts), "", _summary(results), ""]
    for headings, rows in _tables(results):
        lines += [f"| {' | '.join(headings)} |", f"| :--- |{' ---: |' * (len(headings) - 3)} :--- | :--- |"]
        for title, *cells in rows:
            lines.append(
                f"| {' | '.join((title, *cells) if cells else (f'**{title}**', *headings[1:0], *[''] * (len(headings) - 1)))} |"
            )
        lines.append("")
    return "\n".join([*lines, REMARK])


def as_json(results: list[Result], facts: Facts, rounds: int, seconds: float, posts: Sequence[int]) -> dict[str, Any]:
    """Everything that was measured, {"facts", "rounds", "seconds", "posts", "targets", "benchmarks"}.

    "benchmarks": by name {…, "lanes", "figures", "rounds", "found"}.
    """
    return {
        "facts": facts,
        "rounds": rounds,
        "seconds": seconds,
        "posts": posts[0] if len(posts) == 1 else list(posts),
        "targets": [asdict(verdict) | {"met": verdict.met} for verdict in all_verdicts(results)],
        "benchmarks": {result.benchmark.name: _benchmark(result) for result in results},
    }


def all_verdicts(results: list[Result]) -> list[Verdict]:
    return [verdict for result in results for verdict in verdicts.of(result)]


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
                "least": lane.least,
            }
            for lane in result.subject.lanes
        },
        "figures": {
            figure.name: {
                "title": figure.title, "unit": figure.unit, "found": result.figure(figure)[0], "most": figure.most,
                "least": figure.least,
            }
            for figure in result.subject.figures
        },
        "rounds": [{name: asdict(sample) for name, sample in one.items()} for one in result.rounds],
        "found": [dict(one) for one in result.found],
    }  # fmt: skip


def _tables(results: list[Result]) -> list[tuple[tuple[str, ...], Rows]]:
    """(headings, rows) of each table; a row of one cell is a benchmark's title."""
    lanes, figures = Rows(), Rows()
    for result in results:
        found = {verdict.line: verdict for verdict in verdicts.of(result)}
        title, about = result.benchmark.title, result.subject.about
        if result.subject.lanes:
            lanes.append((f"{title}, {about}",))
            lanes += [cells_of(result, lane, found.get(lane.title)) for lane in result.subject.lanes]
        if result.subject.figures:
            figures.append((title,))
            figures += [_figure(result, figure, found.get(figure.title)) for figure in result.subject.figures]
    return [(headings, rows) for headings, rows in ((LANES, lanes), (FIGURES, figures)) if rows]


def cells_of(result: Result, lane: Lane, verdict: Verdict | None) -> tuple[str, ...]:
    """A lane as the cells of a row, in the order of LANES."""
    low, high = result.range(lane)
    ratio, spent = result.ratio(lane), result.cpu(lane)
    return (
        lane.title,
        number(result.median(lane, lambda sample: sample.rate)),
        f"{number(low)}–{number(high)}",
        f"{result.median(lane, lambda sample: sample.p99):.1f}",
        "" if spent is None else number(spent),
        "" if ratio is None else f"{ratio:.3f} of {lane.against}",
        *_judged(verdict),
    )


def _figure(result: Result, figure: Figure, verdict: Verdict | None) -> tuple[str, ...]:
    """A figure as the cells of a row, in the order of FIGURES."""
    value, low, high = result.figure(figure)
    wide = "" if low == high else f"{spell(low)}–{spell(high)}"
    return figure.title, f"{spell(value)} {figure.unit}".rstrip(), wide, *_judged(verdict)


def _judged(verdict: Verdict | None) -> tuple[str, str]:
    return (verdict.bound, verdict.words) if verdict else ("", "")


def _coloured(cell: str) -> str:
    colour = {"✓": "green", "✗": "red"}.get(cell[:1])
    return f"[{colour}]{cell}[/]" if colour else cell


def _summary(results: list[Result]) -> str:
    found = all_verdicts(results)
    missed = [
        f"{verdict.benchmark}, {verdict.line} ({spell(verdict.value)}, {verdict.bound})"
        for verdict in found
        if not verdict.met
    ]
    text = f"{len(found) - len(missed)} of {len(found)} targets are met."
    return f"{text} Not met: {'; '.join(missed)}." if missed else text


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
