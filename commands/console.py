"""How the commands speak: calm lines, one step after another, and trouble in one sentence."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Trouble(click.ClickException):
    """What went wrong in one line, and the log file that tells more; the command ends with status 1."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log

    def show(self, file: object = None) -> None:
        err.print(f"[red]✗[/] {_plain(self.message)}")
        if self.log is not None:
            err.print(f"  [dim]log: {_plain(str(self.log))}[/]")


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show what is being done while it is done, then how long it took."""
    started = time.monotonic()
    if out.is_terminal:
        with out.status(f"{text} …", spinner="dots"):
            yield
    else:
        yield
    took = time.monotonic() - started
    out.print(f"[green]✓[/] {text:<44} [dim]{took:5.1f} s[/]")


def say(text: str = "") -> None:
    """A line for the reader; rich markup is understood."""
    out.print(text)


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
