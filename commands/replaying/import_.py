"""`plaza replay import`: makes a record file of an access log, of this site or of another."""

import gzip
import io
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, cast
from zlib import error as DamagedGzip  # noqa: N812

import click
from rich.markup import escape

from commands.console import err, say
from commands.replaying import inputs
from commands.replaying.exits import BadInput
from replay import access_logs, places, writing
from replay.access_logs import Entry, Refused
from replay.importing import GAP_US, Sessions, Spool, Told, requests
from replay.keys import new_key
from replay.mapping import Kind, Places, Popularity
from replay.plaza import Plaza
from replay.records import Header
from replay.redaction import POLICY, Redactor
from replay.sites import AnySite

LOG_POLICY: Final = "of a log: no addresses, no queries of referrers"
_GZIP: Final = b"\x1f\x8b"


@click.command()
@click.argument("kind", type=click.Choice(list(access_logs.KINDS)))
@click.argument("source", metavar="IN", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--out", "target_file", metavar="F", required=True, type=click.Path(dir_okay=False, path_type=Path),
              help="The record file, such as blog.rec.jsonl.gz.")  # fmt: skip
@click.option("--map", "how", type=click.Choice(["popularity", "none"]),
              help="Whose addresses: by popularity onto those of this site, or as they stand in the log."
              "  [default: popularity with --target or --addresses, else none]")  # fmt: skip
@click.option("--target", metavar="URL", help="The site to be tested: its sitemap and links give the addresses.")
@click.option("--addresses", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Its addresses in a file, one a line, the most popular of each kind first.")  # fmt: skip
@click.option("--insecure", is_flag=True, help="Believe any certificate of --target.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed spreads a second in the same way.")
@click.option("--force", is_flag=True, help="Put it in the place of a file that is there.")
def command(
    kind: str,
    source: Path,
    target_file: Path,
    how: str | None,
    target: str | None,
    addresses: Path | None,
    insecure: bool,
    seed: int,
    force: bool,
) -> None:
    """Make a record file of the access log IN (plain or gzip; - for standard input): "nginx" is the JSON that Plaza's own Nginx
    writes, "combined" the format of Apache and of most Nginx.

    A session is an address with a user agent, until half an hour without a request. Neither is told by the file: a session's
    name is made under a key that is thrown away. What an access log does not know is not made up: writes, whose bodies it
    does not hold, are left out; lines that do not fit are counted and shown.
    """
    how = how or ("popularity" if target or addresses else "none")
    if how == "popularity" and bool(target) == bool(addresses):
        raise click.UsageError("--map popularity takes the site's addresses from --target or from --addresses")
    inputs.free(target_file, force=force)
    refused, told = Refused(), Told()
    try:
        popularity = Popularity(Places(_addresses(target, addresses, insecure))) if how == "popularity" else None
        with ExitStack() as stack:
            spool = stack.enter_context(Spool())
            for entry in access_logs.entries(_lines(source, stack), kind, refused):
                spool.add(entry)
                if popularity:
                    popularity.saw(entry.target, entry.status)
            if not spool.entries:
                _refusals(refused)
                raise BadInput(f"{source} holds no request of the kind {kind}")
            kinds = popularity.settle() if popularity else []
            sessions = Sessions(secrets.token_bytes(32))
            redactor = Redactor(new_key(), Plaza() if kind == "nginx" else AnySite())
            header = _header(kind, target, spool, popularity, redactor)
            with writing.writing(target_file, header, force=force) as writer:
                for request in requests(spool, sessions, seed, _mapper(popularity), redactor, told):
                    writer.add(request)
                writer.finish(told.dropped | refused.counts)
    except places.NoPlaces as error:
        raise BadInput(str(error)) from None
    except OSError as error:
        raise BadInput(f"cannot write {target_file}: {error.strerror or error}") from None
    _tell(target_file, header, spool, sessions, told)
    _mapped(kinds)
    _refusals(refused)


def _addresses(target: str | None, file: Path | None, insecure: bool) -> list[str]:
    return places.of_file(file) if file else places.of_site(target or "", verify=not insecure)


def _lines(source: Path, stack: ExitStack) -> Iterator[bytes]:
    """Raises OSError."""
    if str(source) == "-":
        piped = io.BufferedReader(cast(io.RawIOBase, sys.stdin.buffer))
        stack.callback(piped.detach)  # it is not ours to close
        file, begin = cast(BinaryIO, piped), piped.peek(2)
    else:
        opened = stack.enter_context(source.open("rb"))
        file, begin = cast(BinaryIO, opened), opened.peek(2)
    packed = begin[:2] == _GZIP
    try:
        yield from access_logs.lines(cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file)
    except (EOFError, gzip.BadGzipFile, DamagedGzip):
        err.print(f"[yellow]![/] {escape(str(source))} is cut off or damaged: what stands before is taken")


def _mapper(popularity: Popularity | None) -> Callable[[Entry], str | None]:
    if popularity is None:
        return lambda entry: entry.target
    return lambda entry: popularity.place_of(entry.target, entry.status)


def _header(kind: str, target: str | None, spool: Spool, popularity: Popularity | None, redactor: Redactor) -> Header:
    exact = "+-500 ms" if spool.whole_seconds else "+-2 ms"
    started_ns = (spool.started_us or 0) * 1000
    mapping = {redactor.target(was): place for was, place in popularity.mapping.items()} if popularity else {}
    return Header("", started_ns, 0, target or "", kind, policy=f"{POLICY}; {LOG_POLICY}", clock=exact, mapping=mapping)


def _tell(file: Path, header: Header, spool: Spool, sessions: Sessions, told: Told) -> None:
    say(f"[green]✓[/] {told.requests:,} requests in {sessions.count:,} sessions: {escape(str(file))}")
    say(f"  [dim]clock {header.clock}; a session ends after {GAP_US // 60_000_000} minutes without a request[/]")
    if spool.disorder:
        say(f"  {spool.disorder:>8,}  stood behind a later one, and were put in order")
    if told.conditional:
        say(
            f"  {told.conditional:>8,}  were answered 304: no log tells what the client had, so a replay gets the whole"
        )
    if told.ranges:
        say(
            f"  {told.ranges:>8,}  were answered 206: no log tells which part was asked for, so a replay gets the whole"
        )
    for reason, count in sorted(told.dropped.items()):
        say(f"  {count:>8,}  left out: {reason}")


def _mapped(kinds: list[Kind]) -> None:
    if kinds:
        say()
        say(f"  [dim]{'kind':<12}{'requests':>10}{'addresses':>11}   onto this site's[/]")
    for one in kinds:
        lost = (
            f"   [red]{one.unmapped:,} not mapped[/], such as {escape(', '.join(one.examples))}" if one.unmapped else ""
        )
        say(f"  {one.kind:<12}{one.asked:>10,}{one.distinct:>11,}{one.places:>8,}{lost}")


def _refusals(refused: Refused) -> None:
    for reason, count in refused.counts.most_common():
        say(f"[yellow]![/] {count:,} {'line' if count == 1 else 'lines'}: {escape(reason)}")
        for example in refused.examples[reason]:
            say(f"    [dim]{escape(example)}[/]")
