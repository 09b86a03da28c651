"""A whole site as visitors meet it: a web process of its own behind a real Nginx. For browser tests and tests of Nginx."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import nginx
from commands.places import make_folders
from settings import ROOT, Settings, environment
from tests.harness.compiled import give_templates
from tests.harness.servers import Databases

PATIENCE = 60.0  # s until the site must answer


@dataclass(frozen=True, slots=True)
class Site:
    """`url` is Nginx's; the database is empty but for the people."""

    url: str
    settings: Settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_site(databases: Databases, *, compiled: bool = True, **choices: Any) -> Iterator[Site]:
    """Start Nginx and one web process for as long as the block lasts. Limits are wide, unless chosen otherwise. Where
    it is not `compiled` already, the process has to compile its templates."""
    port = free_port()
    wide = {"comments_per_minute": 1000, "registrations_per_hour": 1000}
    with databases.fresh(web=1, port=port, **{**wide, **choices}) as settings, ExitStack() as stack:
        make_folders(settings)
        if compiled:
            give_templates(settings.var)
        nginx.render_files(settings)
        told = {
            name: ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            for name in settings.model_fields_set
            if (value := getattr(settings, name)) is not None
        }
        web = [sys.executable, "-P", f"{ROOT}/server.py", "--socket", f"{settings.run}/web-0.sock"]
        for name, command in (("web", web), ("nginx", nginx.command(settings))):
            stack.enter_context(_running(command, settings.var / "log" / f"{name}.log", environment(told)))
        scheme = "https" if settings.tls_cert else "http"
        url = f"{scheme}://localhost:{port}"
        if scheme == "http":
            _wait(f"{url}/readyz", settings.var / "log")
        yield Site(url, settings)


@contextmanager
def nginx_before(settings: Settings, web_port: int) -> Iterator[str]:
    """A real Nginx before an application in the test's own process, at that port of this machine; the address it answers at.

    The application has to trust 127.0.0.1 as a proxy.
    """
    own = settings.model_copy(update={"port": free_port(), "upstreams": (f"127.0.0.1:{web_port}",)})
    make_folders(own)
    nginx.render_files(own)
    with _running(nginx.command(own), own.var / "log" / "nginx.log", environment({})):
        until = time.monotonic() + PATIENCE
        while not _answers(own.port):
            if time.monotonic() > until:
                raise RuntimeError((own.var / "log" / "nginx.log").read_text())
            time.sleep(0.01)
        yield f"http://localhost:{own.port}"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _running(command: list[str], log: Path, env: dict[str, str]) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=env)
    try:
        yield
    finally:
        process.terminate()
        process.wait(15)


def _wait(url: str, logs: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() > until:
                said = "\n".join(log.read_text(errors="replace")[-2000:] for log in sorted(logs.glob("*.log")))
                raise RuntimeError(f"the site does not start: {error}\n{said}") from error
        time.sleep(0.03)
