"""`plaza status`: each process and whether the site answers; the exit status says if all is well."""

import json
import sys

import click
from rich.table import Table

from commands import releases
from commands.console import err, out, say
from commands.instance import current
from commands.probes import fetch
from commands.supervision import Supervisor
from settings import Settings

COLOURS = {"RUNNING": "green", "STARTING": "yellow", "STOPPING": "yellow", "STOPPED": "dim"}


@click.command()
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help='Print {"url", "processes": [{"name", "state", "pid", "socket"}]}, and "release".',
)
def command(as_json: bool) -> None:
    """Show each process. Ends with 0 only if every process runs and the site is ready."""
    settings = current()
    processes = Supervisor(settings).processes()
    release = releases.current(settings)
    trouble = _unready(settings) if processes else "Plaza is not up; start it with: plaza up"
    if as_json:
        rows = [
            {"name": p.name, "state": p.state, "pid": p.pid, "socket": str(p.socket) if p.socket else None}
            for p in processes
        ]
        told: dict[str, object] = {"url": settings.site_url, "processes": rows}
        print(json.dumps(told | ({"release": release.name} if release else {}), indent=2))
    elif processes:
        say(f"[bold]{settings.site_url}/[/]" + (f"  [dim]release {release.name}[/]" if release else ""))
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        for heading in ("process", "state", "pid", "socket"):
            table.add_column(heading, overflow="fold")
        for p in processes:
            state = f"[{COLOURS.get(p.state, 'red')}]{p.state}[/]"
            table.add_row(p.name, state, str(p.pid or "–"), str(p.socket or "–"))
        out.print(table)
    well = bool(processes) and all(p.state == "RUNNING" for p in processes) and trouble is None
    if trouble:
        err.print(trouble)
    sys.exit(0 if well else 1)


def _unready(settings: Settings) -> str | None:
    try:
        status, _, body = fetch(settings, "/readyz")
    except OSError as error:
        return f"The site does not answer: {error}"
    return None if status == 200 else f"The site is not ready: {' '.join(body.decode(errors='replace').split())[:300]}"
