"""What a command of the laboratory is given: files to read and to write, a target; what is wrong with one is said in a line."""

import asyncio
import os
from pathlib import Path

import click

from commands.console import err
from commands.replaying.exits import BadInput, TargetRefused
from replay import planning, reading, targets, values
from replay.planning import Choices, NoPlan
from replay.plans import Plan
from replay.plaza import Plaza
from replay.reading import NoRecord, Recording
from replay.records import Header
from replay.sites import AnySite, Site
from replay.targets import Refused, Target
from replay.writing import occupied

SITES: dict[str, type[Site]] = {"any": AnySite, "plaza": Plaza}


def free(path: Path, *, force: bool) -> None:
    """Whether a file can be put there is said before the work, not after it. Raises BadInput."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise BadInput(f"nothing can be written into {folder}")
    if why := occupied(path, force=force):
        raise BadInput(why)


def recording_of(path: Path) -> Recording:
    """One that was cut off is used as far as it goes, and that is said."""
    try:
        recording = reading.read(path)
    except (NoRecord, OSError) as error:
        raise BadInput(str(error)) from None
    if recording.cut:
        err.print(f"[yellow]![/] {path} was cut off: its end is missing, and what is there is replayed.")
    return recording


def site_of(header: Header, site: str | None = None) -> Site:
    """By its name; without one whose the record is, or this one where addresses were mapped onto it."""
    return SITES[site or ("plaza" if header.source == "plaza" or header.mapping else "any")]()


def plan_of(recording: Recording, site: str | None, chosen: Choices) -> Plan:
    """`site`: whose routes, as for `site_of`."""
    header = recording.header
    try:
        return planning.plan(recording.requests, site_of(header, site), chosen, header.base_url)
    except NoPlan as error:
        raise BadInput(str(error)) from None


def values_of(path: Path | None, record: Path) -> dict[str, str]:
    """Without a path those beside the record, where there are any."""
    if path is None and not values.beside(record).exists():
        return {}
    try:
        return values.load(path or values.beside(record))
    except (values.NoValues, OSError) as error:
        raise BadInput(str(error)) from None


def target_of(url: str, *, writes: bool, run_id: str, insecure: bool) -> Target:
    """One that may be sent to."""
    try:
        return asyncio.run(_admitted(url, writes=writes, run_id=run_id, insecure=insecure))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except Refused as error:
        raise TargetRefused(str(error)) from None


async def _admitted(url: str, *, writes: bool, run_id: str, insecure: bool) -> Target:
    target = await targets.find(url, insecure=insecure)
    await targets.ask(target, writes=writes, run_id=run_id)
    return target
