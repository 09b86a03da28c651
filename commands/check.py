"""`plaza check`: counts again what is kept counted."""

import sys

import click

from commands.console import err, say
from commands.instance import current
from commands.migrate import reachable
from commands.tables import with_models
from models import Models
from models.check import check
from models.check_boards import check_boards


@click.command()
def command() -> None:
    """Count again what is kept counted, and look for rows that point at nothing. Ends with 0 when all agrees.

    Reads one snapshot, so it may run while the site serves.
    """
    settings = current()
    reachable(settings)

    async def count(models: Models) -> list[str]:
        return [
            *await check(models.db),
            *await models.indexing.check(),
            *await check_boards(models.boards, models.standings),
        ]

    found = with_models(settings, count)
    for sentence in found:
        err.print(f"[red]✗[/] {sentence}", markup=True)
    if found:
        sys.exit(1)
    say("[green]✓[/] All agrees.")
