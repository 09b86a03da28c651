"""`plaza dev`: one web process for programmers, restarted at each change of a source file."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
from watchfiles import DefaultFilter, watch

import settings as knobs
from commands import embedded
from commands.children import end
from commands.console import Trouble, say, step
from commands.instance import choices
from commands.migrate import migrate, reachable
from commands.starting import check_port
from settings import ROOT, Settings

WATCHED = ("cache", "content", "handlers", "jobs", "locale", "models", "replay", "static", "templates")
PAUSE = 300  # ms to wait for more changes after the first; editors write in bursts


class Sources(DefaultFilter):
    """Files that a web process reads, and nothing that tools write beside them."""

    def __call__(self, change: object, path: str) -> bool:
        kinds = (".py", ".html", ".css", ".js", ".po", ".mo", ".md", ".sql", ".toml")
        return path.endswith(kinds) and "/__pycache__/" not in path and not os.path.basename(path).startswith(".")


@click.command()
@click.option("--port", type=int, help="The port to listen at.  [default: 8000]")
@click.option("--host", help="The address to listen at.  [default: 127.0.0.1]")
def command(port: int | None, host: str | None) -> None:
    """Run one web process, and restart it at each change of a source file. Ctrl-C ends it.

    Without Nginx, and with the database of `plaza up`: the running one, or one for as long as this lasts.
    """
    told = {name: str(value) for name, value in {"port": port, "host": host}.items() if value is not None}
    settings = knobs.load(**(choices(knobs.load()) if not told else {}), **told)
    check_port(settings.host, settings.port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with embedded.servers(settings):
        reachable(settings)
        with step("Bringing the tables up to date"):
            migrate(settings)
        _serve(settings, told)


def _serve(settings: Settings, told: dict[str, str]) -> None:
    paths = [path for name in WATCHED if (path := ROOT / name).exists()]
    process = _start(settings, told)
    say(f"  [bold]{settings.site_url}/[/]  [dim]restarts at each change; Ctrl-C ends it[/]")
    try:
        for changes in watch(*paths, *ROOT.glob("*.py"), watch_filter=Sources(), debounce=PAUSE, raise_interrupt=True):
            names = sorted({str(Path(path).relative_to(ROOT)) for _, path in changes})
            say(f"[dim]changed: {', '.join(names[:3])}{' …' if len(names) > 3 else ''}[/]")
            end(process, 5)
            process = _start(settings, told)
    except KeyboardInterrupt:
        say("\nEnded.")
    finally:
        end(process, 5)


def _start(settings: Settings, told: dict[str, str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-P", str(ROOT / "server.py"), "--listen", f"{settings.host}:{settings.port}"]
    try:
        return subprocess.Popen(
            command, cwd=ROOT, env=knobs.environment(told | {"var": str(settings.var)}), start_new_session=True
        )
    except OSError as error:
        raise Trouble(f"the web process does not start: {error.strerror}") from None
