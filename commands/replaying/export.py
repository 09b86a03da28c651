"""`plaza replay export locust`: a record as a test of Locust's, to send from more than one machine."""

from pathlib import Path

import click

from commands.console import say
from commands.replaying import inputs
from commands.replaying.exits import BadInput
from replay import locust

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Write a record file for another engine."""


@command.command("locust")
@click.argument("record", metavar="F", type=_FILE)
@click.option("--out", "path", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path),
              help="The locustfile to write.")  # fmt: skip
@click.option("--writes", is_flag=True, help="Also what is no GET, HEAD or OPTIONS; the target must allow it.")
@click.option("--sessions", metavar="N", type=click.IntRange(1, 100_000), default=1000, show_default=True,
              help="At most so many, taken evenly over the time.")  # fmt: skip
@click.option("--speed", metavar="X", type=click.FloatRange(0.001, 1_000_000), default=1.0, show_default=True,
              help="Pauses are divided by it.")  # fmt: skip
def as_locust(record: Path, path: Path, writes: bool, sessions: int, speed: float) -> None:
    """Write F as a locustfile that needs nothing of ours: each of its users plays one recorded session after another.

    Locust sends from many machines (--master, --worker), but its users are a closed loop, and its figures know nothing of the
    intended moment.
    """
    recording = inputs.recording_of(record)
    site = inputs.site_of(recording.header)
    found = locust.sessions_of(recording.requests, site, writes=writes)
    if not found:
        raise BadInput(f"{record} holds nothing that may be sent" + ("" if writes else " without --writes"))
    kept = locust.spread(found, sessions)
    try:
        path.write_text(locust.written(kept, site, writes=writes, speed=speed))
    except OSError as error:
        raise BadInput(f"{path} could not be written: {error}") from None
    requests, all = sum(map(len, kept)), f" of {len(found):,}" if len(kept) < len(found) else ""
    say(f"[green]✓[/] {requests:,} requests of {len(kept):,}{all} sessions")
    say(f"  locust -f {path} --host URL --headless -u 50 -r 10 -t 1m")
