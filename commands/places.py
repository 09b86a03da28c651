"""The folders under var, and the configuration that is rendered into them from deploy/."""

import errno
import os
import pwd
import resource
import shlex
import shutil
import stat
from pathlib import Path
from typing import Any

import jinja2

from commands.console import Trouble
from settings import ROOT, Settings

DEPLOY = ROOT / "deploy"
ENOUGH_DISK = 200 * 1024 * 1024  # bytes; less than this and MariaDB cannot even make its first files
ROOM_FOR_PEOPLE = 30  # database connections beside the pools
# Nginx quotes with ", Supervisor expands % (twice), and both read line by line.
UNFIT = set("\"'\\$%\n\r\t;{}")


def binary(*names: str) -> str | None:
    """The first of these programs that is installed; sbin counts, even for people who do not have it in PATH."""
    path = os.pathsep.join([*os.get_exec_path(), "/usr/sbin", "/sbin"])
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def nginx_user(settings: Settings) -> str:
    """Whom Nginx's workers run as when root starts it: www-data or nobody if they can reach var, else root."""
    reachable = all(p.stat().st_mode & stat.S_IXOTH for p in (settings.var, *settings.var.parents))
    for name in ("www-data", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name if reachable else "root"
    return "root"


def make_folders(settings: Settings) -> None:
    """Make every folder that a process expects. Raises Trouble for one that cannot be written, and for a full disk."""
    if bad := UNFIT & set(str(settings.var) + str(ROOT)):
        raise Trouble(f"{settings.var} cannot be used: its path has a sign that configuration files read: {min(bad)!r}")
    folder = settings.var
    try:
        for folder, mode in _folders(settings):
            folder.mkdir(parents=True, exist_ok=True)
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                raise Trouble(f"{folder} belongs to somebody else; run plaza as its owner, or set PLAZA_VAR")
            if mode is not None:
                folder.chmod(mode)
            if mode == 0o710 and os.geteuid() == 0:
                os.chown(folder, 0, pwd.getpwnam(nginx_user(settings)).pw_gid)
        probe = settings.var / "etc" / ".probe"
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Trouble(f"the disk of {settings.var} is full") from None
        raise Trouble(f"cannot write to {folder}: {error.strerror}") from None
    free = shutil.disk_usage(settings.var).free
    if free < ENOUGH_DISK:
        raise Trouble(f"the disk of {settings.var} is full: {free // 1024**2} MB free, 200 are needed")


def _folders(settings: Settings) -> list[tuple[Path, int | None]]:
    """Folder and mode; 0710 lets Nginx's group pass through to names that it knows, and nobody else."""
    var = settings.var
    return [
        (var, None),
        *((var / name, 0o700) for name in ("mysql", "redis", "secrets", "etc", "tmp", "templates")),
        *((var / name, 0o755) for name in ("static", "pages", "nginx")),
        *((folder, 0o710 if os.geteuid() == 0 else 0o700) for folder in (var / "files", var / "log", settings.run)),
    ]


def render(template: str, values: dict[str, Any], target: Path, mode: int = 0o600) -> bool:
    """Write the template with these values to target, all at once. True when that changed the file."""
    text = _environment.get_template(template).render(values)
    if target.exists() and target.read_text() == text:
        return False
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    fresh.chmod(mode)
    fresh.replace(target)
    return True


def values(settings: Settings) -> dict[str, Any]:
    """What the templates may name."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = 65_536 if files == resource.RLIM_INFINITY else min(files, 65_536)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    current = settings.var / "current"
    code = current if current.exists() else ROOT
    return settings.model_dump(exclude={"mysql_url", "redis_url"}) | {
        "root": os.geteuid() == 0,
        "code": code,
        "process": f"/bin/sh {_quoted(code)}/deploy/process.sh {_quoted(code)}",
        "run": settings.run,
        "run_quoted": _quoted(settings.run),
        "var_quoted": _quoted(settings.var),
        "listen": f"{host}:{settings.port}",
        "listen_http": f"{host}:{settings.http_port}",
        "tls": settings.tls_cert is not None,
        "drain": int(settings.drain_seconds),
        "minfds": min(files, 1024),
        "connections": (2 * settings.web + 2) * settings.mysql_pool + ROOM_FOR_PEOPLE,
        "nginx_user": nginx_user(settings),
        "nginx_workers": min(os.cpu_count() or 1, 8),
        "nginx_files": files,
        "nginx_connections": min(16_384, files // 2),  # a listener of live results takes two of them, and stays
        "own_mysql": settings.mysql_url is None,
        "own_redis": settings.redis_url is None,
    }


def program_line(command: list[str]) -> str:
    """A command as Supervisor's configuration wants it written."""
    return " ".join(_quoted(word) for word in command)


def _quoted(path: Path | str) -> str:
    return shlex.quote(str(path))


_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(DEPLOY),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - configuration files, filled from settings
)
