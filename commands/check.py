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
from models.check_files import check_files


@click.command()
@click.option("--deep", is_flag=True, help="Read every stored file too, and see that its bytes are still the same.")
def command(deep: bool) -> None:
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
            *await check_files(models.db, models.storage, deep=deep),
        ]

    found = with_models(settings, count)
    for sentence in found:
        err.print(f"[red]✗[/] {sentence}", markup=True)
    if found:
        sys.exit(1)
    say("[green]✓[/] All agrees.")
