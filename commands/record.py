"""`plaza record`: writes down what the site is asked and what it answers, as long as it is let, without its secrets."""

import asyncio
import errno
import os
import re
import signal
from pathlib import Path
from time import monotonic_ns, time_ns
from typing import Any, Final

import click
from rich.markup import escape
from rich.status import Status

from commands.benchmarks.facts import commit
from commands.console import Trouble, out, say
from commands.instance import alone, current
from commands.replaying.choices import Duration, Share
from commands.replaying.exits import BadInput
from replay.keys import Key, keep_key, new_key
from replay.listening import record
from replay.plaza import Plaza
from replay.recorder import Recorder
from replay.records import Footer, Header
from replay.redaction import POLICY, Redactor
from replay.stored import StoredAnswers
from replay.visitors import Visitors
from replay.writing import Occupied, Writer
from settings import Settings

CAPTURES: Final = Path("secrets") / "captures"  # in var: the keys
NICER: Final = 10  # than the site, to which the machine belongs
CALM: Final = 10.0  # s between two lines where nobody watches
_BYTES: Final = {"": 1, "k": 1 << 10, "m": 1 << 20}


def _size(_: click.Context, __: click.Parameter, told: str) -> int:
    number = re.fullmatch(r"(\d{1,9})([kKmM]?)", told)
    if not number or (size := int(number[1]) * _BYTES[number[2].lower()]) > 1 << 23:
        raise click.BadParameter("say how many bytes, such as 64k or 1M, 8M at most")
    return size


@click.command()
@click.option("--out", "path", metavar="F", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--sample", default="100%", metavar="SHARE", type=Share(), help="Of so many of the sessions, each whole.")
@click.option("--duration", metavar="T", type=Duration(), help="Stop after 90s, 10m, 1h.  [default: at Ctrl-C]")
@click.option("--max-body", default="1M", metavar="SIZE", callback=_size, help="Of a longer body the beginning.")
@click.option("--snapshot", default="", metavar="NAME", help="The backup that goes with it, as it will be called.")
@click.option("--force", is_flag=True, help="Put it in the place of a file that is there, at its end.")
def command(path: Path, sample: float, duration: float | None, max_body: int, snapshot: str, force: bool) -> None:
    """Record what the site is asked into F, such as monday.rec.jsonl.gz, until Ctrl-C or for a while.

    Passwords, cookies, tokens, mail addresses and the addresses of visitors are taken out before anything is written; a
    key in var/secrets/captures can tell `plaza replay prepare` whose they were. Whatever goes wrong here, the site goes on.

    F can be read while it grows, and a recorder that is killed leaves it as it is, cut off. With --force the file that is there
    stays until the end, and the new one is F~ until then; of a recorder that is killed it stays F~.
    """
    settings = current()
    if not settings.run.is_dir():
        raise Trouble("no site runs here; start it with: plaza up")
    with alone(settings, "record", wait=False):
        started, monotonic = time_ns(), monotonic_ns()
        key = new_key()
        header = Header(
            commit(), started, monotonic, settings.site_url, snapshot=snapshot, policy=POLICY, key_id=key.id,
            sampling="all" if sample == 1 else f"{sample:.4%}".rstrip("0%").rstrip(".") + "% of sessions",
            clock="exact; what Nginx answered by itself: +-2 ms",
        )  # fmt: skip
        try:
            writer = Writer(path, header, force=force)
        except Occupied as error:
            raise BadInput(str(error)) from None
        except OSError as error:
            raise BadInput(f"{path} cannot be written: {error.strerror or error}") from None
        _keep(key, settings.var / CAPTURES, writer)
        os.nice(NICER)
        site = Plaza()
        recorder = Recorder(
            writer, Redactor(key, site), site, Visitors(key.secret, sample), monotonic, settings.site_url
        )
        _run(settings, recorder, writer, StoredAnswers(_log(settings), started, monotonic), max_body, duration)


def _log(settings: Settings) -> Path:
    return settings.var / "log" / "access.log"


def _keep(key: Key, folder: Path, writer: Writer) -> None:
    try:
        keep_key(key, folder)
    except OSError as error:
        writer.close()
        writer.at.unlink(missing_ok=True)
        raise Trouble(f"the key of the recording cannot be kept in {folder}: {error.strerror or error}") from None


def _run(
    settings: Settings,
    recorder: Recorder,
    writer: Writer,
    stored: StoredAnswers,
    most_body: int,
    duration: float | None,
) -> None:
    shown = _Shown(recorder, writer)
    try:
        asyncio.run(_until_told(settings, recorder, writer, stored, most_body, duration, shown))
        footer = writer.finish(recorder.dropped)
    except OSError as error:
        why = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error.strerror or error)
        writer.close()
        kept = writer.kept or writer.at == writer.path
        left = "holds what was asked until then" if kept else "is as it was: nothing had been asked"
        raise Trouble(f"{why}: recording has stopped, the site goes on; {writer.path} {left}") from None
    finally:
        shown.close()
        writer.close()
        stored.close()
    _tell(writer, recorder, footer)


async def _until_told(
    settings: Settings, recorder: Recorder, writer: Writer, stored: StoredAnswers, most_body: int,
    duration: float | None, shown: "_Shown",
) -> None:  # fmt: skip
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, over.set)
    if duration:
        loop.call_later(duration, over.set)
    await record(settings.run, recorder, writer, stored, most_body=most_body, over=over, tell=shown.tell)


class _Shown:
    """One line that changes; where nobody watches, one every ten seconds."""

    def __init__(self, recorder: Recorder, writer: Writer) -> None:
        self._recorder, self._writer = recorder, writer
        self._last: float | None = None
        self._status: Status | None = None
        if out.is_terminal:
            self._status = out.status("Recording", spinner="dots")
            self._status.start()

    def tell(self, processes: int) -> None:
        text = f"{self._recorder.requests:,} requests, {self._recorder.sessions:,} sessions"
        text += f", {self._recorder.dropped.total():,} dropped, {_bytes(self._writer.size)}"
        text += f", from {processes} web processes" if processes else "; no web process has come yet"
        now = monotonic_ns() / 1e9
        if self._status:
            self._status.update(f"Recording: {text}. Ctrl-C ends it")
        elif self._last is None or now - self._last >= CALM:
            self._last = now
            say(f"  {text}")

    def close(self) -> None:
        if self._status:
            self._status.stop()


def _tell(writer: Writer, recorder: Recorder, footer: Footer) -> None:
    what = f"{footer.requests:,} requests of {recorder.sessions:,} sessions, {_bytes(writer.size)}"
    say(f"[green]✓[/] {what} in {escape(str(writer.path))}")
    dropped: dict[str, Any] = footer.dropped
    for reason, count in sorted(dropped.items()):
        say(f"[yellow]![/] {count:,} were not recorded: {reason}")
    say("  Look into it with: plaza replay inspect; for secrets that are left: plaza replay scrub --check")


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
