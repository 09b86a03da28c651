"""`plaza import`: brings in folders of Markdown posts; the same folder again changes only what has changed."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import models
from commands.console import Trouble, out, say
from commands.instance import current
from commands.migrate import reachable
from content.articles import Article, Refused, byline, read
from content.markdown import TooLong
from models import Models
from models.errors import Busy, Invalid
from models.imports import Imported
from settings import Settings

SUFFIXES = {".md", ".markdown"}
LONGEST_PATH = 500  # characters of source_path
OUTCOMES = ("created", "changed", "same", "refused")


@dataclass(slots=True)
class Report:
    """What became of the files: counts by outcome, and (name, reason) of each that was refused."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, str]] = field(default_factory=list)


@click.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--author", metavar="NAME", help="Who wrote the posts that name nobody.  [default: the site's title]")
def command(folders: tuple[Path, ...], author: str | None) -> None:
    """Bring in the Markdown posts (*.md) under DIR, with TOML (+++) or YAML (---) front matter.

    Each needs a title and a date, or a dated path; one without is refused by name, the rest comes in, and the
    status is 1. Posts are known again by the folder's name and their path in it. See docs/writing.md.
    """
    files = [(name, file) for folder in folders for name, file in found_in(folder)]
    settings = current()
    reachable(settings)
    try:
        report = asyncio.run(bring_in(settings, files, author or settings.title))
    except Busy as error:
        raise Trouble(f"the database does not keep up: {error}; import the folder again to go on") from None
    show(report)
    sys.exit(1 if report.refused else 0)


def found_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each Markdown file with the name it is known by: "<folder>/<path in it>". Raises Trouble."""
    if not folder.is_dir():
        raise Trouble(f"there is no folder {folder}")
    root = folder.resolve()
    files = sorted(
        path
        for path in root.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not _hidden(path.relative_to(root))
    )
    if not files:
        raise Trouble(f"there are no .md files in {folder}")
    return ((f"{root.name}/{path.relative_to(root).as_posix()}", path) for path in files)


async def bring_in(settings: Settings, files: list[tuple[str, Path]], author: str) -> Report:
    """Import the files, the oldest post first, so that a post's number tells its age. Raises Busy."""
    report = Report()
    zone = ZoneInfo(settings.time_zone)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=out, transient=True, disable=not out.is_terminal,
    )  # fmt: skip
    with bar:
        articles: list[tuple[str, Article]] = []
        for name, file in bar.track(files, description="Reading"):
            try:
                articles.append((name, read(file, zone)))
            except Refused as refusal:
                report.refused.append((name, str(refusal)))
        articles.sort(key=lambda item: (item[1].published_at, item[0]))
        async with models.connected(settings) as tables:
            for name, article in bar.track(articles, description="Writing"):
                try:
                    report.counts[await _write(tables, name, article, author)] += 1
                except Refused as refusal:
                    report.refused.append((name, str(refusal)))
    report.counts["refused"] = len(report.refused)
    report.refused.sort()
    return report


async def _write(tables: Models, name: str, article: Article, author: str) -> str:
    """Raises Refused, Busy."""
    if len(name) > LONGEST_PATH:
        raise Refused(f"its path has more than {LONGEST_PATH} characters")
    try:
        return await tables.imports.post(
            Imported(
                source_path=name,
                title=article.title,
                summary=article.summary,
                md=article.md,
                tags=article.tags,
                author=article.authors[0] if article.authors else author,
                byline=byline(article.authors),
                published_at=article.published_at,
                aliases=article.aliases,
                slug=article.slug,
                own=article.own,
            )
        )
    except (TooLong, Invalid) as error:
        raise Refused(str(error)) from None


def show(report: Report) -> None:
    """The counts under one another, and why each refused file was refused."""
    for outcome in OUTCOMES:
        count = report.counts[outcome]
        colour = "red" if outcome == "refused" and count else "green" if count else "dim"
        say(f"  {outcome:<8} [{colour}]{count:>7,}[/]")
    width = max((len(name) for name, _ in report.refused), default=0)
    for name, reason in report.refused:
        say(f"[red]✗[/] {escape(name.ljust(width))}  {escape(reason)}")


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
