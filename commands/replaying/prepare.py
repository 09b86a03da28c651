"""`plaza replay prepare`: makes on a replay target the accounts, sessions and tokens that a record file needs."""

import json
import os
from pathlib import Path

import click
from rich.markup import escape

from commands.benchmarks.live import bar
from commands.console import say
from commands.instance import current
from commands.migrate import reachable
from commands.record import CAPTURES
from commands.replaying.exits import BadInput, NotWritten, TargetRefused
from commands.replaying.members import Members
from commands.tables import with_models
from models import Models
from replay import values
from replay.keys import Key, read_key
from replay.needs import Needs, needs_of
from replay.plaza import Plaza
from replay.reading import NoRecord, Reader
from settings import Settings


@click.command()
@click.argument("file", metavar="F", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--key", "key_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The key of the capture, from var/secrets/captures of the site that was recorded.",
)  # fmt: skip
def command(file: Path, key_file: Path | None) -> None:
    """Make what F needs on the site of PLAZA_VAR, which must be a replay target (the setting replay_target): a copy of the site
    that was recorded, or any other.

    Members of the copy are recognised by the key: they get a new password, new sessions and tokens. For all others there are
    accounts of their own. What stands for which placeholder is written beside F, for `plaza replay run`.
    """
    settings = current()
    if not settings.replay_target:
        raise TargetRefused(
            f"the site in {settings.var} is no replay target: the setting replay_target is not on; nothing was made"
        )
    reachable(settings)
    needs, key = _needs(file, key_file, settings)
    members = with_models(settings, lambda models: _made(settings, models, needs, key))
    try:
        _write(values.beside(file), members.values)
    except OSError as error:
        raise NotWritten(f"{values.beside(file)} could not be written: {error.strerror or error}") from None
    for what, number in members.counts.items():
        say(f"  {what:<32}{number:>9,}")
    say(f"[green]✓[/] {len(members.values):,} values in {escape(str(values.beside(file)))}")
    say(f"  Replay it with: plaza replay run {escape(str(file))} --target {settings.site_url} --writes")


def _needs(file: Path, key_file: Path | None, settings: Settings) -> tuple[Needs, Key | None]:
    try:
        reader = Reader(file)
        needs = needs_of(reader, Plaza())
    except (NoRecord, OSError) as error:
        raise BadInput(str(error)) from None
    if reader.cut:
        say(f"[yellow]![/] {escape(str(file))} was cut off: its end is missing, and what is there is prepared.")
    key = _key(key_file or settings.var / CAPTURES / (reader.header.key_id or "none"))
    if key is None and key_file:
        raise BadInput(f"{key_file} is no key of a capture")
    if key and key.id != reader.header.key_id:
        raise BadInput(f"{file} was recorded under the key {reader.header.key_id or 'of nobody'}, and this is {key.id}")
    if key is None and reader.header.key_id:
        say(f"[yellow]![/] The key {reader.header.key_id} is not here (--key): no member of this copy is recognised.")
    return needs, key


def _key(path: Path) -> Key | None:
    try:
        return read_key(path)
    except (OSError, ValueError):
        return None


async def _made(settings: Settings, models: Models, needs: Needs, key: Key | None) -> Members:
    members = Members(settings, models, needs, key)
    with bar() as progress:
        task = progress.add_task("Recognising", total=None)
        await members.recognise()
        progress.update(task, description="Preparing", total=len(needs))
        await members.make(lambda: progress.advance(task))
    return members


def _write(path: Path, found: dict[str, str]) -> None:
    """Whole or not at all, for the owner alone: it opens accounts."""
    new = path.with_name(f"{path.name}.{os.getpid()}~")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        json.dump(found, target, indent=1)
    new.replace(path)
