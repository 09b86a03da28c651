"""The instance under var: which settings it was started with, and the locks that its commands hold."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import settings as knobs
from commands.console import Trouble
from settings import Settings


def current() -> Settings:
    """The settings of the instance under var: what `plaza up` was told counts for the other commands too."""
    return knobs.load(**choices(knobs.load()))


def choices(settings: Settings) -> dict[str, str]:
    """What `up` was told by its command line and environment; empty before the first `up`."""
    try:
        found = json.loads((settings.var / "etc" / "choices.json").read_text())
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in found.items() if name in Settings.model_fields}


def keep_choices(settings: Settings, told: dict[str, str]) -> None:
    """Keep them for the other commands; they may hold passwords, so only the owner reads them."""
    path = settings.var / "etc" / "choices.json"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(told, file, indent=1)


def mark_of_restore(settings: Settings) -> Path:
    """The file that is there while a restore is under way, and after one that was cut short."""
    return settings.var / "restoring"


def refuse_half_restored(settings: Settings) -> None:
    """Raises Trouble for a site of which only a part is there."""
    if mark_of_restore(settings).exists():
        raise Trouble(f"a restore into {settings.var} has not ended; run it again with the same file")


@contextmanager
def alone(settings: Settings, name: str, *, wait: bool = True) -> Iterator[None]:
    """Hold the instance's lock of that name; a second command waits for the first, or is refused (raises Trouble)."""
    with (settings.var / "etc" / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(f"another plaza {name} is under way") from None
        yield
