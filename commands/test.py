"""`plaza test`: everything that a change must pass, in the order of how fast it tells."""

import os
import subprocess
import sys
import time

import click

from commands.console import err, say
from settings import ROOT, environment

# Folders with types; what is not there yet is left out.
TYPED = ("cache", "commands", "content", "handlers", "jobs", "models", "replay", "tests")
TYPED_FILES = ("server.py", "settings.py", "worker.py")


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--long", "long", is_flag=True, help="What takes longer, too.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(long: bool, arguments: tuple[str, ...]) -> None:
    """Run ruff, mypy and pytest. Arguments go to pytest; with any, pytest alone is run.

    The servers and the browser that the tests need are installed first, where they are missing.
    """
    mark = [] if long else ["-m", "not long"]
    if any(argument.startswith("-m") for argument in arguments):
        mark = []
    tests = ["-m", "pytest", *mark, *arguments]
    if arguments:
        sys.exit(_run(tests))
    typed = [*(name for name in (*TYPED, *TYPED_FILES) if (ROOT / name).exists())]
    steps = {
        "ruff": ["-m", "ruff", "check", "."],
        "ruff format": ["-m", "ruff", "format", "--check", "."],
        "mypy": ["-m", "mypy", *typed],
        # A worker for each core, at most four. Each begins with a stretch of neighbouring tests, which share their instances.
        "pytest": [*tests, "-n", str(min(4, os.cpu_count() or 1)), "--dist", "worksteal"],
    }
    failed = []
    for name, line in steps.items():
        started = time.monotonic()
        say(f"[bold]{name}[/]")
        if _run(line) != 0:
            failed.append(name)
        say(f"[dim]{time.monotonic() - started:.0f} s[/]\n")
    if failed:
        err.print(f"[red]✗[/] failed: {', '.join(failed)}")
        sys.exit(1)
    say("[green]✓[/] All passed.")


def _run(line: list[str]) -> int:
    return subprocess.run([sys.executable, *line], cwd=ROOT, env=environment({}), check=False).returncode
