"""What is shown while one waits."""

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from commands.console import out


def bar() -> Progress:
    """A line that fills and then goes away; nothing where no person watches. Not inside a `step`, which has a line of its own."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=out, transient=True, disable=not out.is_terminal)
