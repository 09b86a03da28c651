"""`plaza cache`: what is remembered, how well, and whether it is true."""

import math
import sys
from collections.abc import Sequence

import click
from rich.markup import escape
from rich.table import Table

from commands.console import Trouble, err, out, say
from commands.instance import current
from commands.migrate import reachable
from commands.tables import with_models
from handlers.keeping import keys_of
from models import Models, sampling
from models.comparing import Difference
from models.hits import Answered, by_family, counted, together
from models.inspector import Looked, PageKept
from models.questions import asked, family, shown_name, shown_value
from models.snapshots import Snapshot
from settings import Settings


@click.group()
def command() -> None:
    """Look into the cache of the running site."""


@command.command()
def stats() -> None:
    """How reads were answered, by family, and how each process fares; since the processes began."""

    async def ask(models: Models) -> list[Snapshot]:
        return await models.figures.of_all()

    snapshots = with_models(_reached(), ask)
    if not snapshots:
        raise Trouble("no process of this host is running; start them with: plaza up")
    families = by_family(counted(snapshots))
    _print(
        ("read", "times", "memory", "Redis", "joined", "MySQL", "early"),
        [_row(one) for one in (*families, together(families))],
    )
    say()
    _print(
        ("process", "in memory", "of", "fence, s", "push lag, ms", "Redis"),
        [
            (
                one.process, _bytes(one.gauges.get(("plaza_l1_bytes",))), _bytes(one.gauges.get(("plaza_l1_limit_bytes",))),
                _number(one.gauges.get(("plaza_fence_age_seconds",)), ".2f"),
                _number(one.gauges.get(("plaza_push_lag_seconds",)), ".1f", 1000),
                "asked" if one.gauges.get(("plaza_redis_up",)) else "[red]not asked[/]",
            )
            for one in snapshots
        ],
    )  # fmt: skip


@command.command()
@click.argument("key", nargs=-1, required=True)
def show(key: Sequence[str]) -> None:
    """What each level holds for KEY: "post 12", a name as it stands in Redis, or the path of a page."""
    settings, wanted = _reached(), " ".join(key)

    async def ask(models: Models) -> Looked | list[PageKept]:
        slot = asked(wanted, settings.namespace)
        return await (models.inspector.pages(keys_of(slot)) if isinstance(slot, str) else models.inspector.look(slot))

    looked = with_models(settings, ask)
    if isinstance(looked, Looked):
        _show(looked)
    else:
        _show_pages(looked)


@command.command()
@click.argument("key", nargs=-1, required=True)
@click.option("--family", "whole", is_flag=True, help="KEY is a family: all of it is forgotten at once.")
def drop(key: Sequence[str], whole: bool) -> None:
    """Have KEY read again, on every level and in every process. The log of changes tells of it."""
    settings, wanted = _reached(), " ".join(key)

    async def ask(models: Models) -> str:
        inspector = models.inspector
        if whole:
            known = family(wanted)
            await inspector.drop_family(known, by=None)
            return f"All of {known.family} is read again."
        slot = asked(wanted, settings.namespace)
        if isinstance(slot, str):
            return f"{await inspector.drop_pages(slot, keys_of(slot), by=None)} kept pages are made again."
        await inspector.drop(slot, by=None)
        return f"{shown_name(slot.name)} is read again."

    say(f"[green]✓[/] {escape(with_models(settings, ask))}")


@command.command()
@click.option("--sample", metavar="N", type=click.IntRange(1, 10_000_000), default=10_000, show_default=True,
              help="How many names on levels are compared.")  # fmt: skip
def verify(sample: int) -> None:
    """Compare what is remembered with MySQL, at random. Ends with 1 when something is older than it may be."""
    settings = _reached()

    async def compare(models: Models) -> tuple[int, int, list[Difference]]:
        places = untold = 0
        found: list[Difference] = []
        async for names in sampling.names(models.cache, models.redis, settings.run):
            compared = await models.comparing.compare(names)
            places, untold = places + compared.places, untold + compared.untold
            found += compared.differences
            if places >= sample:
                break
        return places, untold, found

    places, untold, found = with_models(settings, compare)
    for one in found:
        err.print(f"[red]✗[/] {escape(shown_name(one.name))} of {one.level} is older than it may be")
    if untold:
        say(f"[dim]{untold:,} names do not tell what is to be asked of MySQL; they were left out.[/]")
    if not places:
        raise Trouble("nothing is remembered that could be compared")
    least = sampling.least_true(places, len(found)) * 100
    say(f"{places:,} looked at, {len(found):,} old: at least {_nines(least)} % is true (95 % certain).")
    sys.exit(1 if found else 0)


def _reached() -> Settings:
    settings = current()
    reachable(settings)
    return settings


def _show(looked: Looked) -> None:
    say(f"[bold]{escape(shown_name(looked.slot.name))}[/]")
    rows = []
    for level in looked.levels:
        same = {True: "[green]as MySQL[/]", False: "[red]not as MySQL[/]", None: ""}[level.equal]
        rows.append((level.name, level.held.kind, "[green]yes[/]" if level.held.served else "no", same, level.held.why))
    _print(("level", "holds", "given", "", "why"), rows)
    say()
    facts = [(level.name, name, _fact(value)) for level in looked.levels for name, value in level.held.facts.items()]
    _print(("level", "what", ""), facts)
    say()
    if looked.untold:
        say(f"[yellow]MySQL was not asked: {escape(looked.untold)}[/]")
    else:
        _print(("MySQL", ""), [(name, escape(text)) for name, text in shown_value(looked.truth)] or [("nothing", "")])


def _show_pages(pages: list[PageKept]) -> None:
    if not pages:
        say("No process keeps this page whole: it is made when it is asked for.")
    for page in pages:
        say(f"[bold]{page.process}[/] {escape(page.key)}  [dim]{page.weight:,} bytes, of {len(page.names)} names[/]")
        if page.at_once:
            say("  It is given at once: nothing that it was made of has changed.")
        elif not page.asked:
            say("  Redis does not answer, so nobody can say whether it is right: it is made anew when it is asked for.")
        elif page.changed:
            say(
                f"  It is old, and is made anew: changed has {', '.join(escape(shown_name(name)) for name in page.changed)}"
            )
        else:
            say("  It is given after one question to Redis; nothing that it was made of has changed.")


def _row(one: Answered) -> tuple[str, ...]:
    shares = [one.share(of) for of in (one.l1, one.l2, one.joined, one.loads)]
    return (
        one.family or "[bold]together[/]",
        f"{one.reads:,}",
        *(_percent(share) for share in shares),
        f"{one.refreshes:,}",
    )


def _print(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for at, heading in enumerate(headings):
        numbers = at and rows and all(_is_number(row[at]) for row in rows)
        table.add_column(heading, overflow="fold", justify="right" if numbers else "left")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or text == "–"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _bytes(value: float | None) -> str:
    return "–" if value is None else f"{value / 2**20:.1f} MiB"


def _number(value: float | None, form: str, times: float = 1) -> str:
    return "–" if value is None else f"{value * times:{form}}"


def _fact(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else escape(str(value))


def _nines(percent: float) -> str:
    """So many digits that it is not rounded up to 100."""
    digits = max(2, math.ceil(-math.log10(100 - percent)))
    return f"{math.floor(percent * 10**digits) / 10**digits:.{digits}f}"
