"""`plaza deploy`: a new version beside the old one, checked, then switched to, process by process; and back again."""

import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from commands import releases, rolling, sources
from commands.console import Trouble, out, say, step
from commands.instance import alone, current
from commands.places import make_folders
from commands.supervision import Supervisor
from settings import ROOT, Settings


@click.command()
@click.argument("source", default="")
@click.option("--rollback", is_flag=True, help="Go back to the release before; the tables stay as they are.")
@click.option("--list", "listing", is_flag=True, help="Show the releases, the newest first.")
@click.option("--keep", default=5, show_default=True, type=click.IntRange(min=2), help="How many releases stay.")
def command(source: str, rollback: bool, listing: bool, keep: int) -> None:
    """Bring in the version in SOURCE, a folder or a commit of this checkout; by default this checkout as it is.

    It is copied to var/releases, gets its environment, is checked, brings the tables up to date and answers a trial request; only
    then var/current points to it, and one process after another is started from there. Whatever fails, the site runs as before.
    """
    settings = current()
    if listing:
        _list(settings)
        return
    if rollback and source:
        raise click.UsageError("--rollback goes back to the release before, and takes no SOURCE.")
    make_folders(settings)
    with alone(settings, "deploy", wait=False):
        started = time.monotonic()
        if rollback:
            release = _back(settings)
        else:
            release = _bring_in(settings, source)
            for name in releases.prune(settings, keep):
                say(f"[dim]  deleted release {name}[/]")
    say()
    if Supervisor(settings).pid() is None:
        say(f"  Release [bold]{release.name}[/] is current. Plaza is not up; start it with: plaza up")
        return
    say(f"  Plaza runs release [bold]{release.name}[/]  [dim]after {time.monotonic() - started:.0f} s[/]")
    say("\n  [dim]plaza status · plaza deploy --list · plaza deploy --rollback[/]")


def _bring_in(settings: Settings, source: str) -> Path:
    folder = releases.folder(settings)
    (folder / "venvs").mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".new*"):  # by a deploy that was killed
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    new = folder / ".new"
    release = new
    try:
        with step("Copying the new version"):
            about = sources.copy(source, new)
            release = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{about['hash']}"
            _furnish(settings, new, about)
            new.rename(release)
        with step("Preparing its environment"):
            rolling.prepare_environment(settings, release)
        with step("Checking it"):
            rolling.candidate(settings, release, "check")
        if Supervisor(settings).pid() is not None:
            with step("Bringing the tables up to date"):
                migrations = rolling.candidate(settings, release, "migrate")
            for name in migrations.split():
                say(f"[dim]  migration {name}[/]")
            with step("Trying it beside the running processes"):
                rolling.trial(settings, release)
        rolling.switch(settings, release)
    except BaseException:
        if releases.current(settings) != release:
            shutil.rmtree(release, ignore_errors=True)
        raise
    return release


def _furnish(settings: Settings, new: Path, about: dict[str, Any]) -> None:
    """What a release needs beside its files: the site's own plaza.toml and var, an environment, and where it came from."""
    (new / "var").symlink_to("../..")
    (new / "plaza.toml").symlink_to((ROOT / "plaza.toml").resolve())
    venv = releases.environment_of(settings, new)
    venv.mkdir(exist_ok=True)
    (new / ".venv").symlink_to(f"../venvs/{venv.name}")
    (new / releases.ABOUT).write_text(json.dumps(about, indent=1) + "\n")


def _back(settings: Settings) -> Path:
    now, target = releases.current(settings), releases.before(settings)
    if now is None or target is None:
        raise Trouble("there is no release to go back to; see: plaza deploy --list")
    if Supervisor(settings).pid() is not None:
        with step("Trying it beside the running processes"):
            rolling.trial(settings, target.path)
    rolling.switch(settings, target.path)
    (now / releases.WITHDRAWN).touch()
    return target.path


def _list(settings: Settings) -> None:
    every = releases.found(settings)
    if not every:
        say("Nothing was deployed yet: the site runs from a checkout.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for heading in ("release", "", "from"):
        table.add_column(heading, overflow="fold")
    now = releases.current(settings)
    for release in reversed(every):
        word = "[green]current[/]" if release.path == now else "[yellow]rolled back[/]" if release.withdrawn else ""
        table.add_row(release.name, word, str(release.about.get("source", "")))
    out.print(table)
