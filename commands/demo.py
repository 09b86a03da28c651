"""The demo content: three accounts, posts that show all that the renderer can, comments, a poll, a game and its board."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from content.articles import article
from content.frontmatter import parse
from models import Models
from models.boards import NewBoard
from models.errors import NotFound
from models.imports import Imported
from models.poll_rules import NewPoll
from models.polls import Poll
from models.users import User

FOLDER = Path(__file__).parent / "demo_content"
EDITOR = "Rosa Lindqvist"
MEMBERS = ("Tomás Okafor", "陈思远")
GAME = NewBoard(
    "ripples", "Ripples · 涟漪", "Twenty rings, each to be stopped on its line. 二十个圆环，每个都要停在虚线上。",
    least=0, most=1_000_000, page="/play",
)  # fmt: skip
GAMES = ((MEMBERS[0], 655), (MEMBERS[1], 861), (MEMBERS[0], 742))  # who played, and the points
POLL = NewPoll(
    "Where could we meet in spring? 春天我们可以在哪里见面？",
    ("At the market · 集市上", "Under the linden trees · 椴树下", "By the fountain · 喷泉边", "At the library · 图书馆"),
    kind="multiple",
)  # fmt: skip
VOTES = {MEMBERS[0]: (0, 2), MEMBERS[1]: (1, 2)}  # who chose what
_AGE = re.compile(r"(\d+(?:\.\d+)?)([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment of the demo: who, how long after the post, what, and the replies to it."""

    by: str
    after: timedelta
    text: str
    replies: tuple["Remark", ...]


async def load(models: Models) -> None:
    """Write the demo content into the site. Loading it again does nothing; after a crash it goes on where it stopped.

    The accounts have no password, so nobody can sign in with them. Ages in the files count back from the first load.
    """
    people = {name: await models.users.import_author(name) for name in (EDITOR, *MEMBERS)}
    editor = people[EDITOR]
    if editor.roles:  # given last, so it tells that all before was done
        return
    now = editor.created_at
    poll = await _ask(models, editor)
    for file in sorted(FOLDER.glob("*.md"), reverse=True):  # the oldest first
        fields, _ = parse(file.read_text("utf-8"))
        name, published_at = f"demo/{file.name}", now - _span(fields["age"])
        await models.imports.post(_imported(file, name, published_at, poll))
        await _discuss(models, people, name, published_at, tuple(_remarks(fields.get("comments"))))
    for name in MEMBERS:
        await models.users.grant(people[name].id, "member")
    await _play(models, people)
    for name, places in VOTES.items():
        await models.ballots.cast(poll, [poll.choices[place].id for place in places], voter=people[name])
    await models.users.grant(editor.id, "editor")


async def _ask(models: Models, editor: User) -> Poll:
    """The poll, unless it has been made."""
    asked = await models.polls.by_author(editor.id)
    return asked[0] if asked else await models.polls.place(POLL, by=editor)


async def _play(models: Models, people: dict[str, User]) -> None:
    """The board of the game, and some scores on it."""
    try:
        board = await models.boards.by_slug(GAME.slug)
    except NotFound:
        board = await models.boards.create(GAME, by=None)
    for n, (name, points) in enumerate(GAMES):
        await models.scores.submit(board, points, f"demo-{n}", by=people[name])


def _imported(file: Path, name: str, published_at: datetime, poll: Poll) -> Imported:
    # The age stands for the date; any date lets the file through. What number the poll has here, no file can know.
    text = file.read_text("utf-8").replace("\nage:", f"\ndate: {published_at:%Y-%m-%d}\nage:", 1)
    text = text.replace("{{poll:demo}}", f"{{{{poll:{poll.id}}}}}")
    found = article(text, file.stem)
    return Imported(
        source_path=name,
        title=found.title,
        summary=found.summary,
        md=found.md,
        tags=found.tags,
        author=found.authors[0],
        byline=None,
        published_at=published_at,
        aliases=(),
        slug=found.slug,
    )


async def _discuss(
    models: Models, people: dict[str, User], name: str, published_at: datetime, remarks: tuple[Remark, ...]
) -> None:
    """Comments under the post, unless it has some."""
    written = [post for person in people.values() for post in await models.posts.managed(author_id=person.id)]
    post = next((post for post in written if post.source_path == name), None)
    if post is None or (await models.comments.fresh().discussion(post.id)).count:
        return
    for remark in remarks:
        at = published_at + remark.after
        root = await models.comments.place(post.id, remark.text, by=people[remark.by], at=at)
        for reply in remark.replies:
            at += reply.after
            await models.comments.place(post.id, reply.text, by=people[reply.by], at=at, parent_id=root.id)


def _remarks(listed: Any) -> Iterator[Remark]:
    for item in listed or ():
        yield Remark(item["by"], _span(item["after"]), item["text"], tuple(_remarks(item.get("replies"))))


def _span(text: str) -> timedelta:
    """A length of time written as 90m, 5h or 2.5d."""
    found = _AGE.fullmatch(text)
    assert found is not None, text
    return timedelta(**{_UNITS[found[2]]: float(found[1])})
