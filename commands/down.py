"""`plaza down`: stops everything in the right order; nothing is lost."""

import click

from commands import orphans
from commands.console import say, step
from commands.instance import alone, current
from commands.supervision import Supervisor


@click.command()
def command() -> None:
    """Stop everything. Requests that are being answered are finished; `plaza up` goes on where it stopped."""
    settings = current()
    supervisor = Supervisor(settings)
    if not (settings.var / "etc").exists():
        say("Plaza is not up.")
        return
    with alone(settings, "up"):
        if supervisor.pid() is None:
            left = orphans.end(settings)
            say(
                "Plaza was not up; processes that a killed Supervisor had left were ended."
                if left
                else "Plaza is not up."
            )
            return
        with step("Stopping"):
            supervisor.shutdown()
