"""`plaza restart`: one process after another, each ready again before the next; no request fails."""

import click

import settings as knobs
from commands import nginx, releases, starting
from commands.console import Trouble, say, step
from commands.instance import alone, current
from commands.replacing import replace, replace_all
from commands.supervision import Supervisor
from settings import Settings


@click.command()
def command() -> None:
    """Restart the web processes and the worker, one after another, as after a change of the program or of plaza.toml.

    Nginx reads its configuration again if that changed, and Supervisor how they are started. The database and the cache are
    left alone.
    """
    settings = current()
    supervisor = Supervisor(settings)
    if supervisor.pid() is None:
        raise Trouble("Plaza is not up; start it with: plaza up")
    with alone(settings, "up"):
        if (now := releases.current(settings)) not in (None, knobs.ROOT):
            raise Trouble(f"release {now.name if now else ''} has become current meanwhile; call plaza restart again")
        if refusal := nginx.refusal_aside(settings):
            raise Trouble(f"all goes on as it was, for Nginx refuses its new configuration: {refusal}")
        starting.render_programs(settings)
        redefined = supervisor.reread()
        _web(settings, supervisor, redefined="web" in redefined)
        with step("Restarting worker"):
            if "worker" in redefined:
                supervisor.replace("worker")
            else:
                supervisor.stop("worker")
            supervisor.start("worker")
        if "events" in redefined or _is_of_another_release(supervisor, "events"):
            supervisor.replace("events")
        if others := sorted(redefined - {"web", "worker", "events"}):
            say(
                f"[yellow]![/] How {', '.join(others)} is started has changed; that comes in with: plaza down, plaza up"
            )
        if nginx.render_files(settings) or not nginx.is_read(settings):
            supervisor.signal("nginx", "HUP")
            nginx.mark_read(settings)
            say("[green]✓[/] Nginx reads its configuration again")


def _web(settings: Settings, supervisor: Supervisor, *, redefined: bool) -> None:
    names = [process.name for process in supervisor.processes() if process.group == "web"]
    names.sort(key=lambda name: int(name.rpartition("-")[2]))
    if redefined:
        with step("Restarting the web processes, as they are defined now"):
            replace_all(settings, supervisor, names)
        return
    for name in names:
        with step(f"Restarting {name}"):
            replace(settings, supervisor, name, names)


def _is_of_another_release(supervisor: Supervisor, name: str) -> bool:
    return any(
        process.name == name and process.pid and releases.code_of(process.pid) not in (knobs.ROOT, None)
        for process in supervisor.processes()
    )
