"""The releases under var/releases: which there are, which is current, and which may go.

    releases/20261129T170000Z-1a2b3c4d/   the program as it was deployed; .venv, var and plaza.toml are links
    releases/venvs/0f3a.../               an environment, by the checksum of the lock file that it was made from
    current                               a link to the release that every process is started from

A site that was never deployed has neither: it runs from the checkout that `plaza up` was called in.
"""

import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import settings as knobs
from commands.console import err
from settings import ROOT, Settings

ABOUT = "release.json"  # in the release: where it came from
# Marks in a release: it was made current; all was well then; somebody went back from it.
SWITCHED, RAN, WITHDRAWN = ".switched", ".ran", ".withdrawn"
STAMP = "%Y%m%dT%H%M%SZ"
# These are of the checkout that they are called in; all others act on the site, with the code that it runs.
HERE = frozenset({"deploy", "dev", "test", "bench", "prove"})


@dataclass(frozen=True, slots=True)
class Release:
    """A folder under var/releases. `ran`: all was well with it once; `withdrawn`: somebody went back from it."""

    path: Path
    about: dict[str, Any]
    ran: bool
    withdrawn: bool

    @property
    def name(self) -> str:
        return self.path.name


def folder(settings: Settings) -> Path:
    return (settings.var / "releases").resolve()


def current(settings: Settings) -> Path | None:
    """The code that processes are started from; None for a site that runs from a checkout."""
    link = settings.var / "current"
    return link.resolve() if link.is_symlink() else None


def found(settings: Settings) -> list[Release]:
    """All of them, the oldest first."""
    paths = sorted(path for path in folder(settings).glob("[0-9]*-*") if (path / ABOUT).is_file())
    return [Release(path, about(path), (path / RAN).exists(), (path / WITHDRAWN).exists()) for path in paths]


def about(release: Path) -> dict[str, Any]:
    """Where it came from; empty when that cannot be read."""
    try:
        told: dict[str, Any] = json.loads((release / ABOUT).read_text())
    except (OSError, ValueError):
        return {}
    return told


def mark(release: Path, name: str) -> None:
    (release / name).touch()


def before(settings: Settings) -> Release | None:
    """The one to go back to: the newest older than the current one that was well, and that nobody went back from."""
    now = current(settings)
    older = [one for one in found(settings) if now and one.name < now.name and one.ran and not one.withdrawn]
    return older[-1] if older else None


def point(settings: Settings, target: Path | None) -> None:
    """Make this the current one, or with None the checkout again, at once and for everybody."""
    link = settings.var / "current"
    if target is None:
        link.unlink(missing_ok=True)
        return
    mine = link.with_name(f".current.{os.getpid()}")
    mine.unlink(missing_ok=True)
    mine.symlink_to(Path("releases") / target.name if target.parent == folder(settings) else target)
    os.sync()  # the release is on the disk before the link is
    mine.replace(link)


def code_of(pid: int) -> Path | None:
    """The folder that a web process, the worker or `events` was started from (deploy/process.sh goes there first)."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:  # it has ended
        return None


def next_stamp(settings: Settings) -> str:
    """The time, in UTC, for the name of a release: later than that of every other, for their order is told by it."""
    now = datetime.now(UTC)
    if every := found(settings):
        now = max(
            now, datetime.strptime(every[-1].name.partition("-")[0] + "+0000", f"{STAMP}%z") + timedelta(seconds=1)
        )
    return now.strftime(STAMP)


def environment_of(settings: Settings, release: Path) -> Path:
    """The folder of its Python environment; releases with the same lock file share one."""
    return folder(settings) / "venvs" / hashlib.sha256((release / "requirements.lock").read_bytes()).hexdigest()[:12]


def prune(settings: Settings, keep: int) -> list[str]:
    """Delete all but the newest `keep` and what is still needed; the names of those that went."""
    places = _in_use()
    spared = {current(settings), (one := before(settings)) and one.path}
    every = found(settings)
    gone = [r for r in every[:-keep] if r.path not in spared and not any(p.startswith(f"{r.path}/") for p in places)]
    for release in gone:
        shutil.rmtree(release.path)
    needed = {(release.path / ".venv").resolve() for release in found(settings)}
    for venv in (folder(settings) / "venvs").iterdir():
        if venv.is_dir() and venv.resolve() not in needed and not any(place.startswith(f"{venv}/") for place in places):
            venv.unlink() if venv.is_symlink() else shutil.rmtree(venv)
            venv.with_name(f"{venv.name}.lock").unlink(missing_ok=True)
    return [release.name for release in gone]


def _in_use() -> set[str]:
    """Working folders, and first words of command lines, of this machine's processes: Supervisor, and who drains, may be old."""
    places: set[str] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                places.add(f"{(entry / 'cwd').readlink()}/")
                places.add((entry / "cmdline").read_bytes().partition(b"\0")[0].decode(errors="replace"))
            except OSError:  # it has ended, or is not ours
                continue
    return places


def hand_over(arguments: list[str]) -> None:
    """Become the `plaza` of the release that runs, unless that is us or the command is of the checkout: code is never mixed."""
    name = next((word for word in arguments if not word.startswith("-")), None)
    if name is None or name in HERE or {"-h", "--help"} & set(arguments):
        return
    now = current(knobs.load())
    if now is None or now == ROOT or not (now / "plaza").is_file():
        return
    err.print(f"[dim]by release {now.name}, which runs here; {ROOT} is not deployed[/]")
    sys.stderr.flush()
    environment = knobs.environment(knobs.from_environment()) | {"PYTHONPATH": ""}
    os.execve(now / "plaza", [str(now / "plaza"), *arguments], environment)  # noqa: S606 - a program of our own
