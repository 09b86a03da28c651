"""What `plaza doctor` looks at on this machine, whether or not Plaza is up."""

import ipaddress
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from commands.findings import BAD, WARNING, Finding, judged
from commands.places import ENOUGH_DISK, binary, nginx_user
from settings import Settings

GIB = 1024**3
FILES = 4096  # two for each of some two thousand clients
LONGEST_SOCKET = 107  # bytes in sockaddr_un.sun_path, without the closing zero


def versions(settings: Settings) -> Iterator[Finding]:
    """The programs that are needed, and whether they are new enough."""
    yield judged("python", sys.version_info >= (3, 11), platform.python_version(), "install Python 3.11 or newer")
    if settings.mysql_url is None:
        yield _program("database", ("mariadbd", "mysqld"), "--version", (8, 0), "mariadb-server-core", mariadb=(10, 6))
    if settings.redis_url is None:
        yield _program("redis", ("redis-server",), "--version", (6, 2), "redis-server")
    yield _program("nginx", ("nginx",), "-v", (1, 20), "nginx")


def _program(
    about: str,
    names: tuple[str, ...],
    flag: str,
    least: tuple[int, int],
    package: str,
    mariadb: tuple[int, int] = (0, 0),
) -> Finding:
    found = binary(*names)
    if found is None:
        return Finding(about, BAD, "not installed", f"apt-get install {package}")
    done = subprocess.run([found, flag], capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).strip()
    least = mariadb if "MariaDB" in said else least
    version = re.search(r"(\d+)\.(\d+)(?:\.\d+)?", said)
    new = version is not None and (int(version[1]), int(version[2])) >= least
    wanted = ".".join(map(str, least))
    kind = "MariaDB " if "MariaDB" in said else ""
    return judged(about, new, kind + (version[0] if version else said), f"version {wanted} or newer is needed")


def disk(settings: Settings) -> Iterator[Finding]:
    """Room for the database and the logs."""
    place = next(path for path in (settings.var, *settings.var.parents) if path.exists())
    free = shutil.disk_usage(place).free
    seen = f"{free / GIB:.1f} GiB free at {place}"
    grade = BAD if free < ENOUGH_DISK else WARNING
    yield judged("disk", free >= GIB, seen, "make room; a database that cannot write stops the site", grade=grade)
    yield judged("var", os.access(place, os.W_OK), str(settings.var), "it cannot be written; run plaza as its owner")


def open_files(settings: Settings) -> Iterator[Finding]:
    """Each client takes two files of Nginx."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    enough = hard == resource.RLIM_INFINITY or hard >= FILES
    seen = "no limit" if hard == resource.RLIM_INFINITY else str(hard)
    yield judged("open files", enough, seen, f"raise the limit (ulimit -Hn) to {FILES} at least", grade=WARNING)


def secrets(settings: Settings) -> Iterator[Finding]:
    """Nobody but the owner reads them."""
    folder = settings.var / "secrets"
    if not folder.exists():
        return
    loose = [path for path in (folder, *folder.iterdir()) if path.stat().st_mode & 0o077]
    strange = [path for path in (folder, *folder.iterdir()) if path.stat().st_uid != os.geteuid()]
    names = ", ".join(path.name for path in loose or strange)
    count = sum(1 for _ in folder.iterdir())
    if loose:
        yield Finding("secrets", BAD, f"others may read {names}", f"chmod -R go= {folder}")
    else:
        yield judged(
            "secrets", not strange, f"{count}, for the owner alone", f"{names}: not yours; run plaza as the owner"
        )


def socket_paths(settings: Settings) -> Iterator[Finding]:
    """The kernel takes 107 bytes; the folder must be ours."""
    longest = max(
        len(os.fsencode(settings.run / name)) for name in ("supervisor.sock.4194304~", "web-63.sock.4194304~")
    )
    fits = longest <= LONGEST_SOCKET
    yield judged("socket paths", fits, f"{settings.run} ({longest} of 107 bytes)", "set PLAZA_VAR to a shorter path")
    if settings.run.exists():
        folder = settings.run.stat()
        closed = folder.st_uid == os.geteuid() and not folder.st_mode & 0o007
        yield judged("socket folder", closed, f"mode {folder.st_mode & 0o777:o}", "plaza down, then plaza up, mends it")
    if os.geteuid() == 0 and settings.var.exists():
        user = nginx_user(settings)
        seen = f"workers of Nginx run as {user}"
        advice = "put Plaza where other accounts can pass (/srv), or run it as an account of its own"
        yield judged("account", user != "root", seen, advice, grade=WARNING)


def addresses(settings: Settings) -> Iterator[Finding]:
    """Passwords must not cross a network in the clear."""
    secure = settings.site_url.startswith("https://")
    outside = not _is_loopback(settings.host)
    advice = "set tls_cert and tls_key, or put a proxy with TLS in front and set site_url to https://..."
    yield judged("plain http", secure or not outside, f"{settings.site_url} at {settings.host}", advice, grade=WARNING)
    if secure and settings.tls_cert is None:
        advice = "name the proxy that ends TLS in trusted_proxies, or every visitor has the proxy's address"
        yield judged("proxy", bool(settings.trusted_proxies), "TLS ends elsewhere", advice, grade=WARNING)
    for name in ("tls_cert", "tls_key"):
        path: Path | None = getattr(settings, name)
        if path is not None:
            yield judged(name, os.access(path, os.R_OK), str(path), "it cannot be read")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
