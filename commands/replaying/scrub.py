"""`plaza replay scrub`: looks for secrets that are left in a record file, or writes another one without them."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
from rich.markup import escape

from commands.console import Trouble, say
from commands.replaying import inputs
from commands.replaying.exits import BadInput
from replay.keys import new_key, read_key
from replay.plaza import Plaza
from replay.reading import NoRecord, Reader
from replay.redaction import POLICY, Redactor
from replay.scrubbing import FIRST_LINE, left, scrubbed
from replay.writing import writing

MOST_SHOWN: Final = 20


@click.command()
@click.argument("file", metavar="F", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--check", is_flag=True, help="Only say what is left; status 1 if there is anything.")
@click.option("--out", metavar="G", type=click.Path(path_type=Path, dir_okay=False), help="Where the new file goes.")
@click.option(
    "--key", "key_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The key of the capture: the same secrets get the same placeholders as there.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Put G in the place of a file that is there.")
def command(file: Path, check: bool, out: Path | None, key_file: Path | None, force: bool) -> None:
    """Look through F for passwords, cookies, tokens, keys, mail addresses and IP addresses, and say in which lines they stand;
    or write G, which is F without them."""
    if check == (out is not None):
        raise click.UsageError("say either --check or --out G")
    try:
        if out is None:
            _check(file)
        else:
            _write(file, out, key_file, force=force)
    except (NoRecord, OSError) as error:
        raise BadInput(str(error)) from None


def _check(file: Path) -> None:
    site, reader, counts = Plaza(), Reader(file), Counter[str]()
    for line, request in enumerate(reader, FIRST_LINE):
        for one in left(line, request, site):
            counts[one.what] += 1
            if counts.total() <= MOST_SHOWN:
                say(f"  {escape(str(file))}:{one.line}: {one.where}: {one.what}")
    _say_if_cut(reader)
    if counts:
        if counts.total() > MOST_SHOWN:
            say(f"  and {counts.total() - MOST_SHOWN:,} more")
        kinds = ", ".join(f"{count:,} × {what}" for what, count in counts.most_common())
        raise Trouble(f"secrets are left in {file}: {kinds}; to take them out: plaza replay scrub {file} --out G")
    say(f"[green]✓[/] nothing that looks like a secret is left in {escape(str(file))}")


def _write(file: Path, out: Path, key_file: Path | None, *, force: bool) -> None:
    try:
        key = read_key(key_file) if key_file else new_key()
    except (ValueError, OSError):
        raise BadInput(f"{key_file} is no key of a capture") from None
    if out.exists() and out.samefile(file):
        raise BadInput("F and G are the same file")
    inputs.free(out, force=force)
    site, reader, changed = Plaza(), Reader(file), 0
    redactor = Redactor(key, site, again=True)
    header = replace(reader.header, policy=POLICY, key_id=reader.header.key_id or key.id)
    try:
        with writing(out, header, force=force) as writer:
            for request in reader:
                new = scrubbed(request, redactor)
                changed += new != request
                writer.add(new)
            writer.finish(reader.footer.dropped if reader.footer else {"cut off": 1})
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror or error}") from None
    _say_if_cut(reader)
    say(f"[green]✓[/] {escape(str(out))}: {changed:,} of {writer.requests:,} requests were changed")


def _say_if_cut(reader: Reader) -> None:
    if reader.cut:
        say(f"[yellow]![/] {escape(str(reader.path))} was cut off: there was more, which is lost")
