"""`plaza export`: all posts as Markdown files with front matter, so that an import of them gives the same posts."""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import click
from rich.markup import escape

import models
from commands.backup import bar
from commands.console import Trouble, say
from commands.instance import current
from commands.migrate import reachable
from content.exports import Own, file_name, markdown
from models import Models
from models.errors import Busy
from models.posts import Post
from settings import Settings

PART = 200  # posts in memory at once
_OF_POST = re.compile(r"/blog/(\d+)-")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def command(folder: Path) -> None:
    """Write every post but the trashed ones into DIR, which must be empty: one Markdown file each, with all that it takes to
    make the same post again by `plaza import DIR`: text, title, summary, tags, author, dates, address, old addresses, status.

    Comments, members and settings are not in it; those are in a backup.
    """
    settings = current()
    reachable(settings)
    if folder.exists() and any(folder.iterdir()):
        raise Trouble(f"{folder} is not empty")
    try:
        counts = asyncio.run(_export(settings, folder))
    except Busy as error:
        raise Trouble(f"the database does not keep up: {error}") from None
    for status in ("published", "scheduled", "draft"):
        say(f"  {status:<9} [{'green' if counts[status] else 'dim'}]{counts[status]:>7,}[/]")
    say(f"[green]✓[/] {sum(counts.values()):,} posts in {escape(str(folder))}")


async def _export(settings: Settings, folder: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    folder.mkdir(parents=True, exist_ok=True)
    async with models.connected(settings) as tables:
        aliases: defaultdict[int, list[str]] = defaultdict(list)
        for redirect in await tables.redirects.leading_to("/blog/"):
            if to := _OF_POST.match(redirect.target):
                aliases[int(to[1])].append(redirect.path)
        with bar() as progress:
            task = progress.add_task("Writing", total=None)
            async for part in _parts(tables):
                bodies = {
                    body.post_id: body.md for body in await tables.bodies.fresh().many([post.id for post in part])
                }
                authors = {user.id: user.name for user in await tables.users.many([post.author_id for post in part])}
                for post in part:
                    if post.id in bodies:  # else it has gone meanwhile
                        _write(folder, post, bodies[post.id], authors.get(post.author_id, ""), tuple(aliases[post.id]))
                        counts[post.status] += 1
                        progress.advance(task)
    return counts


async def _parts(tables: Models) -> AsyncIterator[list[Post]]:
    before: int | None = None
    while part := await tables.posts.managed(before=before, most=PART):
        yield part
        before = part[-1].id


def _write(folder: Path, post: Post, md: str, author: str, aliases: tuple[str, ...]) -> None:
    own = Own(post.id, post.status, post.created_at, post.updated_at, post.published_at, post.byline, post.source_path)
    path = folder / file_name(own, post.slug)
    path.parent.mkdir(exist_ok=True)
    text = markdown(
        own,
        title=post.title,
        summary=post.summary,
        md=md,
        tags=post.tags,
        author=author,
        slug=post.slug,
        aliases=aliases,
    )
    path.write_text(text, "utf-8", newline="")
