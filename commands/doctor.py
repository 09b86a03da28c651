"""`plaza doctor`: looks at everything that is known to go wrong, and says what to do about it."""

import sys
from collections.abc import Callable, Iterator

import click
from rich.table import Table

from commands import surroundings, wellness
from commands.console import out, say
from commands.findings import BAD, GOOD, WARNING, Finding
from commands.instance import current
from settings import Settings

SIGNS = {GOOD: "[green]✓[/]", WARNING: "[yellow]![/]", BAD: "[red]✗[/]"}
CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    surroundings.versions,
    surroundings.disk,
    surroundings.open_files,
    surroundings.secrets,
    surroundings.socket_paths,
    surroundings.addresses,
    wellness.mysql,
    wellness.redis_server,
    wellness.mail,
    wellness.nginx,
    wellness.release,
    wellness.site,
    wellness.proxy_headers,
)


@click.command()
def command() -> None:
    """Look for what is wrong, and say what to do about each thing. Ends with 1 when something must be mended."""
    settings = current()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    worst = GOOD
    for check in CHECKS:
        for finding in check(settings):
            worst = max(worst, finding.grade)
            advice = f"\n[bold]→[/] {finding.advice}" if finding.advice else ""
            table.add_row(SIGNS[finding.grade], finding.about, f"{finding.seen}{advice}")
    out.print(table)
    say()
    say(
        {
            GOOD: "All is well.",
            WARNING: "It works; what is marked ! could be better.",
            BAD: "What is marked ✗ needs you.",
        }[worst]
    )
    sys.exit(1 if worst == BAD else 0)
