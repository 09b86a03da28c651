"""`plaza deploy`: a new version beside the old one, checked, then switched to, process by process; and back again."""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import click
from rich.table import Table

import settings as knobs
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
    _by_its_own_settings(settings)
    make_folders(settings)
    _let_no_signal_pass()
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
    if Supervisor(settings).pid() is not None and releases.current(settings) is None:
        _keep_what_runs(settings, source)
    with step("Copying the new version"):
        release = _copied(settings, source)
    try:
        with step("Preparing its environment"):
            rolling.prepare_environment(settings, release)
        with step("Checking it"):
            rolling.candidate(settings, release, "check")
        if not rolling.switch_while_down(settings, release):
            with step("Bringing the tables up to date"):
                migrations = rolling.candidate(settings, release, "migrate")
            for name in migrations.split():
                say(f"[dim]  migration {name}[/]")
            with step("Trying it beside the running processes"):
                rolling.trial(settings, release)
            rolling.switch(settings, release)
    except BaseException:
        # One that was current for a moment may have processes; it goes when it is too old and they have ended.
        if releases.current(settings) != release and not (release / releases.SWITCHED).exists():
            shutil.rmtree(release, ignore_errors=True)
        raise
    return release


def _let_no_signal_pass() -> None:
    """A terminal that goes away, and a TERM, are as Ctrl-C: what has begun is taken back."""

    def interrupt(number: int, _: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, interrupt)


def _by_its_own_settings(settings: Settings) -> None:
    """Called in another checkout than the site was started from: begin again with the plaza.toml of the site."""
    home, told = (_home(settings) / "plaza.toml").resolve(), knobs.environment(knobs.from_environment())
    if home.is_file() and home != (ROOT / "plaza.toml").resolve() and "PLAZA_CONFIG" not in told:
        program = str(ROOT / "plaza")
        told |= {"PLAZA_CONFIG": str(home), "PLAZA_VAR": str(settings.var), "PYTHONPATH": ""}
        os.execve(program, [program, *sys.argv[1:]], told)  # noqa: S606 - a program of our own


def _keep_what_runs(settings: Settings, source: str) -> None:
    """At the first deploy: the checkout that the site runs from becomes a release, so that there is a way back."""
    checkout = rolling.checkout(settings)
    if checkout == Path(source or ROOT).expanduser().resolve():
        return  # it was changed in place: what runs is nowhere any more
    if not all((checkout / name).is_file() for name in sources.NEEDED):
        say(f"[yellow]![/] What runs from {checkout} is too old to be kept: there will be no way back to it")
        return
    with step("Keeping what runs now as a release"):
        release = _copied(settings, str(checkout))
        rolling.prepare_environment(settings, release)
        releases.mark(release, releases.RAN)


def _copied(settings: Settings, source: str) -> Path:
    """A new release; half a one is never seen under its name."""
    folder = releases.folder(settings)
    for left in folder.glob(".new*"):  # by a deploy that was killed
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    new = folder / ".new"
    try:
        about = sources.copy(source, new)
        # What a release needs beside its files: the site's own plaza.toml and var, and an environment.
        (new / "var").symlink_to("../..")
        (new / "plaza.toml").symlink_to((_home(settings) / "plaza.toml").resolve())
        venv = releases.environment_of(settings, new)
        venv.mkdir(exist_ok=True)
        (new / ".venv").symlink_to(f"../venvs/{venv.name}")
        (new / releases.ABOUT).write_text(json.dumps(about, indent=1) + "\n")
        release = folder / f"{releases.next_stamp(settings)}-{about['hash']}"
        os.sync()
        new.rename(release)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return release


def _home(settings: Settings) -> Path:
    """Whose plaza.toml is the site's: that of what runs, wherever the new version comes from."""
    if (now := releases.current(settings)) is not None:
        return now
    return ROOT if Supervisor(settings).pid() is None else rolling.checkout(settings)


def _back(settings: Settings) -> Path:
    now, target = releases.current(settings), releases.before(settings)
    if now is None or target is None:
        raise Trouble("there is no release to go back to; see: plaza deploy --list")
    releases.mark(now, releases.WITHDRAWN)
    try:
        if not rolling.switch_while_down(settings, target.path):
            with step("Trying it beside the running processes"):
                rolling.trial(settings, target.path)
            rolling.switch(settings, target.path)
    except BaseException:
        (now / releases.WITHDRAWN).unlink(missing_ok=True)
        raise
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
