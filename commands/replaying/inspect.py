"""`plaza replay inspect`: tells what is in a record file, before anything is sent."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click
from rich.markup import escape

from commands.console import err, out, say
from commands.replaying.exits import BadInput
from replay.inspecting import Contents, NoValues, inspect, shape
from replay.reading import NoRecord

TOP: Final = 12  # routes shown
_BAR: Final = 24  # columns
_FULL, _PARTS = "█", " ▏▎▍▌▋▊▉"


@click.command()
@click.argument("file", metavar="F", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--values", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="What `prepare` wrote.  [default: F.values.json, if it is there]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(file: Path, values: Path | None, as_json: bool) -> None:
    """Tell what the record file F holds: when, how much, by whom, how fast it would be at higher speeds, and what a replay of
    it still needs.
    """
    beside = file.with_name(f"{file.name}.values.json")
    try:
        told = inspect(file, values or (beside if beside.exists() else None))
    except (NoRecord, NoValues) as error:
        raise BadInput(str(error)) from None
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror or error}") from None
    if as_json:
        print(json.dumps(told.as_json(), ensure_ascii=False, indent=1))
    else:
        show(told)
    if told.cut:
        err.print(
            f"[red]✗[/] {escape(str(file))} was cut off: it has no end. What is above is what it holds; there was more."
        )


def show(told: Contents) -> None:
    header = told.header
    began = datetime.fromtimestamp(header["started_ns"] / 1e9, UTC)
    _line("source", escape(", ".join(filter(None, (header["source"], header["base_url"])))))
    _line("began", f"{began:%Y-%m-%d %H:%M:%S} UTC, clock {escape(header['clock'])}")
    _line("span", str(timedelta(seconds=round(told.seconds))))
    _line("requests", f"{told.requests:,} in {told.sessions:,} sessions, sampled: {escape(header['sampling'])}")
    if not told.requests:
        return
    mean = told.requests / max(told.seconds, 1.0)
    _line("rate", f"{mean:,.2f} a second, at the most {told.peaks[1]:,}")
    _line(
        "at speed", ", ".join(f"{speed:,}x up to {most:,} a second" for speed, most in told.peaks.items() if speed > 1)
    )
    if header["mapping"]:
        _line("mapped", f"{len(header['mapping']):,} addresses of another site onto this one's")
    _line("bytes", f"{_size(told.answered_bytes)} answered, {_size(told.sent_bytes)} sent")
    _line("writes", f"{told.writes:,}" + (", sent only with --writes" if told.writes else ""))
    if told.truncated:
        _line("truncated", f"[yellow]{told.truncated:,}[/] bodies")
    for reason, count in sorted(told.dropped.items()):
        _line("dropped", f"[yellow]{count:,}[/] {escape(reason)}")
    _needs(told)
    _spreads(told)
    _bars("status", told.statuses, told.requests)
    _bars("method", told.methods, told.requests)
    if told.levels:
        _bars("cache", told.levels, told.requests)
    _bars("route", dict(told.routes.most_common(TOP)), told.requests)
    if len(told.routes) > TOP:
        say(f"  [dim]and {len(told.routes) - TOP:,} more routes[/]")


def _needs(told: Contents) -> None:
    if not told.placeholders:
        _line("placeholders", "none: it can be replayed as it is")
        return
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in told.placeholders.most_common())
    _line("placeholders", f"{kinds}; {told.made:,} told by answers")
    if told.unanswered:
        lacking = ", ".join(f"{count:,} {kind}" for kind, count in told.unanswered.most_common())
        hint = f"not in {escape(told.values)}" if told.values else "`plaza replay prepare F` makes values for them"
        _line("", f"[yellow]without a value: {lacking}[/]; {hint}")
    else:
        _line("", "[green]each has a value[/]")


def _spreads(told: Contents) -> None:
    say()
    say(f"  [dim]{'':<26}{'p10':>10}{'p50':>10}{'p90':>10}{'p99':>10}{'max':>10}[/]")
    for title, histogram, unit in (
        ("requests of a session", told.lengths, 1.0), ("ms to the next request", told.gaps_us, 1000.0),
        ("ms to the answer, then", told.service_us, 1000.0),
    ):  # fmt: skip
        if histogram.n:
            numbers = shape(histogram)
            cells = "".join(f"{_number(numbers[name] / unit):>10}" for name in ("p10", "p50", "p90", "p99", "max"))
            say(f"  {title:<26}{cells}")


def _bars(title: str, counts: Mapping[str, int], of: int) -> None:
    say()
    say(f"  [dim]{title}[/]")
    width = min(max((len(name) for name in counts), default=0), max(out.width - _BAR - 26, 20))
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        shown = name if len(name) <= width else f"{name[: width - 1]}…"
        say(f"  {escape(shown.ljust(width))} {count:>10,} {count / of:>6.1%}  [cyan]{_bar(count / of)}[/]")


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    return _FULL * (eighths // 8) + (_PARTS[eighths % 8] if eighths % 8 else "")


def _line(name: str, text: str) -> None:
    say(f"  [dim]{name:<13}[/] {text}")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.2f}"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"
