"""`plaza replay compare`: tells whether one of two runs was faster, and how sure that is."""

import json
import sys
from pathlib import Path
from typing import Final

import click

from commands.console import Trouble
from commands.replaying import verdicts
from commands.replaying.choices import Share
from commands.replaying.exits import OF_VERDICT, BadInput, NotWritten
from replay import rounds
from replay.comparing import Comparison, compare
from replay.report.pairs import html_of_two
from replay.results import NoRun, Run
from replay.rounds import COUNTS, Turns

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("files", metavar="A.json B.json | AB.json", nargs=-1, type=FILE)
@click.option("-a", "of_a", metavar="FILE", multiple=True, type=FILE, help="A run of A; give it once for each.")
@click.option("-b", "of_b", metavar="FILE", multiple=True, type=FILE, help="A run of B; give it once for each.")
@click.option("--turns", is_flag=True, help="The first -a ran beside the first -b, and so on, in the order ABBA BAAB.")
@click.option("--slower", metavar="SHARE", type=Share(), default="5%", show_default=True,
              help="How much slower B may be; what is shown to be beyond gives status 1.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--html", "html_file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
              help="Write a page there that shows both sides beside each other, and needs no other.")  # fmt: skip
def command(
    files: tuple[Path, ...],
    of_a: tuple[Path, ...],
    of_b: tuple[Path, ...],
    turns: bool,
    slower: float,
    as_json: bool,
    html_file: Path | None,
) -> None:
    """Compare the runs of A and B: two files that `plaza replay run --out` wrote, several of each (-a, -b), or what `ab` wrote.

    Single runs tell of themselves alone: the machine's state is part of each. Status 1 when B is shown to be slower, 4 when no
    run of a side counts, because all were invalid or broken off.
    """
    if html_file and not html_file.absolute().parent.is_dir():
        raise BadInput(f"there is no folder {html_file.absolute().parent}")
    sides = _sides(files, of_a, of_b, turns, slower)
    try:
        made = (
            sides.compare() if isinstance(sides, Turns) else compare(*sides, ("A", "B"), paired=turns, matters=slower)
        )
    except ValueError as error:
        raise Invalid(f"nothing can be compared: {error}") from None
    if as_json:
        print(json.dumps(made.as_json(), ensure_ascii=False, indent=1))
    else:
        verdicts.show(made)
    if html_file:
        _write(html_file, sides, made)
    sys.exit(verdicts.status(made, slower))


class Invalid(Trouble):
    exit_code = OF_VERDICT["invalid"]


Sides = tuple[list[Run | None], list[Run | None]]


def _write(path: Path, sides: Turns | Sides, made: Comparison) -> None:
    a, b = (sides.of("A"), sides.of("B")) if isinstance(sides, Turns) else sides
    try:
        path.write_text(html_of_two(a, b, made), encoding="utf-8")
    except OSError as error:
        raise NotWritten(f"{path} could not be written: {error.strerror or error}") from None


def _sides(
    files: tuple[Path, ...], of_a: tuple[Path, ...], of_b: tuple[Path, ...], turns: bool, slower: float
) -> Turns | Sides:
    if files and (of_a or of_b):
        raise click.UsageError("either two files, or several of each side by -a and -b")
    if len(files) == 1:
        found = _read(files[0])
        if isinstance(found, Run):
            raise click.UsageError(f"{files[0]} is a single run: with what is it to be compared?")
        found.matters = slower
        return found
    if len(files) == 2:
        of_a, of_b = files[:1], files[1:]
    if not of_a or not of_b or len(files) > 2:
        raise click.UsageError("give two runs, one file of `ab`, or -a and -b once for each run")
    if turns and len(of_a) != len(of_b):
        raise click.UsageError("--turns: there are not as many runs of A as of B")
    return [_counted(_read(one), one) for one in of_a], [_counted(_read(one), one) for one in of_b]


def _read(path: Path) -> Turns | Run:
    try:
        return rounds.read(path)
    except NoRun as error:
        raise BadInput(str(error)) from None
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from None


def _counted(found: Turns | Run, path: Path) -> Run | None:
    if isinstance(found, Turns):
        raise click.UsageError(f"{path} holds the runs of both sides: compare it alone")
    return found if found.verdict in COUNTS else None
