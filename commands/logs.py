"""`plaza logs`: the end of the logs, and what is added to them."""

import os
import sys
import time
from pathlib import Path
from typing import TextIO

import click

from commands.console import Trouble, say
from commands.instance import current

TAIL = 64 * 1024  # bytes read back from the end of each log


@click.command()
@click.argument("name", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on showing what is added.")
@click.option("-n", "--lines", default=20, show_default=True, help="How many lines of each log.")
def command(name: str | None, follow: bool, lines: int) -> None:
    """Show the logs, all or the one called NAME (web-0, nginx, access, exits, ...)."""
    folder = current().var / "log"
    files = sorted(path for path in folder.glob("*") if path.suffix in (".log", ".jsonl"))
    if name is not None:
        names = ", ".join(path.stem for path in files) or "none yet"
        files = [path for path in files if path.stem == name]
        if not files:
            raise Trouble(f"there is no log called {name}; there are: {names}")
    if not files:
        say(f"There are no logs in {folder} yet.")
    opened = {path: _show_end(path, lines, titled=len(files) > 1) for path in files}
    if follow:
        _follow(opened, titled=len(files) > 1)


def _show_end(path: Path, lines: int, *, titled: bool) -> TextIO:
    file = path.open(errors="replace")
    file.seek(max(0, path.stat().st_size - TAIL))
    found = file.read().splitlines()[-lines:] if lines > 0 else []
    if found and titled:
        say(f"[bold]{path.name}[/]")
    for line in found:
        sys.stdout.write(line + "\n")
    if found and titled:
        say()
    sys.stdout.flush()
    return file


def _follow(files: dict[Path, TextIO], *, titled: bool) -> None:
    while True:
        quiet = True
        for path, file in files.items():
            for line in file.read().splitlines():
                quiet = False
                sys.stdout.write(f"{path.stem}: {line}\n" if titled else f"{line}\n")
            if path.exists() and os.fstat(file.fileno()).st_ino != path.stat().st_ino:  # it was rotated
                file.close()
                files[path] = path.open(errors="replace")
        sys.stdout.flush()
        if quiet:
            time.sleep(0.2)
