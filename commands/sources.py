"""What `plaza deploy` copies: the files of a checkout, of one of its commits, or of an unpacked folder."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from commands.console import Trouble
from settings import ROOT

# Of the machine or of tools, where there is no git to say so.
NEVER = frozenset({"var", ".venv", ".git", "plaza.toml", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache",
                   "release.json", ".switched", ".ran", ".withdrawn", ".commit"})  # fmt: skip
# Without these it is no Plaza, or one from before there were releases.
NEEDED = ("plaza", "server.py", "worker.py", "requirements.lock", "deploy/process.sh", "commands/candidate.py")
# In an archive of deploy/fabfile.py: what it was made of, so that a release is named as where it was built.
COMMIT, HASH = ".commit", re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
PATIENCE = 120.0  # seconds for git


def copy(source: str, target: Path) -> dict[str, Any]:
    """Copy a folder (by default this checkout), or a commit of it, to a new folder; where it came from, and a short hash.

    Of a folder that is a checkout only files that git knows are copied, as they are now. Raises Trouble.
    """
    path = Path(source or ROOT).expanduser()
    about = _folder(path.resolve(), target) if path.is_dir() else _commit(source, target)
    if missing := [name for name in NEEDED if not (target / name).is_file()]:
        raise Trouble(f"{source or path} is not a version of Plaza that can be deployed: it has no {missing[0]}")
    return about | {"made_at": datetime.now(UTC).isoformat(timespec="seconds")}


def _folder(path: Path, target: Path) -> dict[str, Any]:
    is_checkout = (path / ".git").exists()
    names = sorted(_tracked(path) if is_checkout else _all(path))
    digest = hashlib.sha256()
    for name in names:
        here, there = path / name, target / name
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(here, there, follow_symlinks=False)
        digest.update(f"{name}\0".encode() + (b"" if here.is_symlink() else hashlib.sha256(here.read_bytes()).digest()))
    about = {"source": str(path), "hash": digest.hexdigest()[:8], "commit": None}
    if is_checkout and not _git(path, "status", "--porcelain", "--untracked-files=no"):
        about["commit"] = _git(path, "rev-parse", "HEAD").strip()
    elif not is_checkout:
        about["commit"] = _told(path)
    about["hash"] = about["commit"][:8] if about["commit"] else about["hash"]
    return about


def _told(path: Path) -> str | None:
    try:
        told = (path / COMMIT).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    return told if HASH.fullmatch(told) else None


def _commit(reference: str, target: Path) -> dict[str, Any]:
    if not (ROOT / ".git").exists():
        raise Trouble(f"there is no folder {reference}, and {ROOT} is no checkout that could have such a commit")
    try:
        commit = _git(ROOT, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}").strip()
    except Trouble:
        raise Trouble(f"there is neither a folder nor a commit {reference}") from None
    target.mkdir(parents=True)
    archive = target.with_name(f"{target.name}.tar")
    try:
        _git(ROOT, "archive", "--format=tar", f"--output={archive}", commit)
        subprocess.run(["tar", "-xf", archive, "-C", target], check=True, timeout=PATIENCE)
    finally:
        archive.unlink(missing_ok=True)
    return {"source": f"{ROOT} {reference}", "hash": commit[:8], "commit": commit}


def _tracked(path: Path) -> Iterator[Path]:
    for name in _git(path, "ls-files", "-z").split("\0"):
        if name and ((path / name).is_file() or (path / name).is_symlink()):  # one that was deleted is not there
            yield Path(name)


def _all(path: Path) -> Iterator[Path]:
    for entry in path.iterdir():
        if entry.name in NEVER:
            continue
        if entry.is_dir() and not entry.is_symlink():
            for within in _all(entry):
                yield Path(entry.name) / within
        elif (entry.is_file() or entry.is_symlink()) and entry.suffix != ".pyc":
            yield Path(entry.name)


def _git(path: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(path), *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except FileNotFoundError:
        raise Trouble("git is not installed, and the version to deploy is a checkout of git") from None
    except subprocess.TimeoutExpired:
        raise Trouble(f"git {arguments[0]} does not end") from None
    if done.returncode:
        raise Trouble(f"git {arguments[0]}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    return done.stdout
