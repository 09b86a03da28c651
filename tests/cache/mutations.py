"""The guards of the cache, one by one: how each is taken out of the code, and which tests must then fail."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("cache", "commands", "content", "handlers", "jobs", "models", "replay", "tests")  # copied
AT_HAND = ("locale", "static", "templates")  # linked

LUA = "cache/scripts/"
FILLS, KILLED, LISTS, LOADERS, LOCAL, RESTARTS, WRITERS = (
    f"tests/cache/test_races_{name}.py::test_"
    for name in ("fills", "killed", "lists", "loaders", "local", "restarts", "writers")
)
EDGES, FAMILIES, PAGES, WEATHER = (
    f"tests/cache/test_{name}.py::test_" for name in ("edges", "families", "pages", "edges_of_redis")
)
DATABASE = "tests/models/test_database.py::test_"


@dataclass(frozen=True, slots=True)
class Mutation:
    """A guard; its lines (file, what stands there exactly once, what stands there without the guard); the tests that need it."""

    guard: str
    edits: tuple[tuple[str, str, str], ...]
    tests: tuple[str, ...]


def guard(name: str, *edits: tuple[str, str, str], needed_by: tuple[str, ...]) -> Mutation:
    return Mutation(name, edits, needed_by)


class Moved(AssertionError):
    """The guard's lines are not where the mutation looks for them: it must follow the code."""


def copy_tree(folder: Path) -> Path:
    """A copy of what the tests of the cache run."""
    for name in NEEDED:
        shutil.copytree(ROOT / name, folder / name)
    for name in AT_HAND:
        (folder / name).symlink_to(ROOT / name)
    for file in (*ROOT.glob("*.py"), ROOT / "pyproject.toml"):
        shutil.copy2(file, folder)
    return folder


@contextmanager
def without(mutation: Mutation, copy: Path) -> Iterator[None]:
    """The copy without the guard, for as long as the block lasts. Raises Moved."""
    before = {copy / file: (copy / file).read_text() for file, _, _ in mutation.edits}
    try:
        for file, old, new in mutation.edits:
            text = (copy / file).read_text()
            if text.count(old) != 1:
                raise Moved(f"{mutation.guard}: {file} holds {text.count(old)} times:\n{old}")
            _write(copy / file, text.replace(old, new))
        yield
    finally:
        for path, text in before.items():
            _write(path, text)


def _write(path: Path, text: str) -> None:
    """Its byte code goes with it: Python tells the old one from the new one by second and size only."""
    path.write_text(text)
    if path.suffix == ".py":
        Path(cache_from_source(str(path))).unlink(missing_ok=True)
