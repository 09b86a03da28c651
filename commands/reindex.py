"""`plaza reindex`: reads posts, comments, polls and names of files for search."""

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from commands.console import out, say
from commands.instance import current
from commands.migrate import reachable
from commands.tables import with_models
from models import Models


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also what search knows already.")
def command(everything: bool) -> None:
    """Read for search what it does not know of posts, comments, polls and names of files. The worker does so every ten minutes.

    May run while the site serves, be stopped, and be run again.
    """
    settings = current()
    reachable(settings)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=out, transient=True, disable=not out.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("Reading", total=None)

        async def read(models: Models) -> int:
            return await models.indexing.index(
                everything=everything, tell=lambda done, of: bar.update(task, completed=done, total=of)
            )

        count = with_models(settings, read)
    say(
        f"[green]✓[/] {count:,} posts, comments, polls and names of files read."
        if count
        else "Search knows everything already."
    )
