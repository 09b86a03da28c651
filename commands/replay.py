"""`plaza replay COMMAND`: the load laboratory, each of its commands in a file of its own in replaying/."""

from typing import Any

import click

from commands.console import err
from commands.groups import Group
from commands.replaying.exits import OF_VERDICT

COMMANDS = {
    "import": ("import_", "Make a record file of an access log."),
    "inspect": ("inspect", "Tell what is in a record file."),
    "scrub": ("scrub", "Look for secrets that are left in a record file."),
    "prepare": ("prepare", "Make accounts and sessions on a replay target, as a record file needs them."),
    "run": ("run", "Replay a record file against a site, and measure it."),
    "compare": ("compare", "Tell whether one of two runs was faster, and how sure that is."),
    "ab": ("ab", "Replay against two sites in turn, and compare them."),
    "ceiling": ("ceiling", "The classic short form: so many users, so many requests to one address."),
    "selfcheck": ("selfcheck", "Tell how fast this machine can send, and how exactly."),
    "export": ("export", "Write a record file as a Locust test."),
}


class Laboratory(Group):
    """Whoever interrupts before there is anything to be told has interrupted, and missed no objective."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            err.print("[yellow]![/] interrupted")
            ctx.exit(OF_VERDICT["interrupted"])


@click.group(cls=Laboratory, package="commands.replaying", table=COMMANDS)
def command() -> None:
    """Record real traffic (plaza record), replay it at the times it came or at any rate, and compare what was measured.

    It works against any HTTP site. Exit status: 0 pass, 1 an objective was missed, 2 wrong usage, 3 the target is no replay
    target, 4 the run is invalid, 5 answers differ, 130 interrupted.
    """
