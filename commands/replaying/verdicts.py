"""How a comparison is shown on a terminal, and which exit status it means."""

from typing import Final

from rich.markup import escape

from commands.console import say
from replay.comparing import ABOUT_ROUTES, Comparison, Row

_COLOURS: Final = {"slower": "red", "faster": "green", "no difference shown": "default", "not enough power": "yellow",
            "not comparable": "red"}  # fmt: skip
ROUTES: Final = 20  # shown; more are in the JSON


def show(made: Comparison) -> None:
    """The verdict first, then what it rests on."""
    colour = _COLOURS[made.verdict]
    say()
    say(f"[bold {colour}]{escape(made.sentence)}[/]")
    say()
    say(f"  [dim]{'':<34}{'A':>11}{'B':>11}  {'B against A, 95 %':<26}{'p':>7}  verdict[/]")
    routes = 0
    for row in made.rows:
        routes += bool(row.route)
        if routes <= ROUTES:
            say(_line(row))
    if routes > ROUTES:
        say(f"  [dim]and {routes - ROUTES} more routes[/]")
    say()
    for remark in made.remarks:
        say(f"  [yellow]![/] {escape(remark)}")
    if routes:
        say(f"  [dim]{ABOUT_ROUTES}[/]")
    say(f"  [dim]{_BY[made.by].format(made.rounds)} p is after Holm's correction for {_tested(made)} questions.[/]")


_BY: Final = {
    "rounds": "{} rounds in turns; ranks inside blocks of ABBA, added up (van Elteren).",
    "runs": "{} runs a side, not in turns: what drifts counts as a difference (Mann and Whitney).",
    "seconds": "One run a side, in {} pieces of time; the same seconds stand against each other.",
}


def _tested(made: Comparison) -> int:
    return sum(row.word != "not tested" for row in made.rows)


def _line(row: Row) -> str:
    name = f"{row.route or 'all requests'}, {row.what}"
    name = name if len(name) <= 34 else f"{row.route[: 32 - len(row.what)]}…, {row.what}"
    change = "" if row.ratio is None else f"{row.ratio - 1:+.1%}"
    if row.low is not None and row.high is not None:
        change += f" ({row.low - 1:+.1%} to {row.high - 1:+.1%})"
    p = "" if row.adjusted is None else f"{row.adjusted:.3f}"
    word = "" if row.word == "not tested" else f"[{_COLOURS[row.word]}]{row.word}[/]"
    if row.word == "not enough power":
        word += f" [dim]{f'{row.needed} rounds' if row.needed else 'too noisy'}[/]"
    return f"  {escape(name):<34}{_amount(row, row.a):>11}{_amount(row, row.b):>11}  {change:<26}{p:>7}  {word}"


def _amount(row: Row, value: float | None) -> str:
    if value is None:
        return "n/a"
    return f"{value:,.2f} ms" if row.unit == "ms" else f"{value:,.1f}/s"


def status(made: Comparison, most: float) -> int:
    """1 when something of B is shown to be slower by more than that share, its whole interval, or B is not comparable."""
    return int(made.verdict == "not comparable" or any(_beyond(row, 1 + most) for row in made.slower()))


def _beyond(row: Row, most: float) -> bool:
    if row.low is None or row.high is None:
        return False
    return row.low > most if row.unit == "ms" else row.high < 1 / most
