"""Places on a board as they are shown: to everybody, and to the member whose own they are."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from handlers.base import Base
from handlers.v1 import Output
from models import Models, contributions
from models.boards import Board
from models.periods import Window
from models.standings import Place
from models.users import User

NEIGHBOURS = 2  # that a member sees on each side
HEADINGS = ("Most active members", "Most discussed posts")  # of the built-in boards


class Line(NamedTuple):
    """One place. `path` names the route of who or what has it: ("user", id), ("post", id, slug); `user`: for the picture."""

    rank: int | None
    name: str
    path: tuple[Any, ...]
    score: Decimal
    place: Place
    user: User | None = None


class Neighbour(Output):
    """A row of the table, as it is written."""

    rank: str
    name: str
    href: str
    score: str
    you: bool


class OwnPlace(Output):
    """A member's place on a board, for board.js to show: in their language, and numbers as they are written in it."""

    words: str
    around: tuple[Neighbour, ...] = ()


def in_words(handler: Base, board: Board) -> Board:
    """A built-in board in the reader's language, as far as no operator has given it other words."""
    if not board.builtin:
        return board
    number, text = partial(handler.app.views.number, handler.lang), "Each comment counts %(comment)s."
    counts = {"comment": number(points(contributions.ANSWER))}
    if board.subjects == "users":
        text = "A post counts %(post)s, a comment %(comment)s."
        counts = {"post": number(points(contributions.POST)), "comment": number(points(contributions.COMMENT))}
    title = handler.translate(board.title) if board.title in HEADINGS else board.title
    return replace(board, title=title, about=board.about or handler.translate(text) % counts)


def points(thousandths: int) -> Decimal:
    """A score as people know it."""
    return (Decimal(thousandths) / 1000).normalize() + 0  # never -0, nor 8E+2


async def lines(models: Models, board: Board, places: Iterable[Place]) -> list[Line]:
    """The places with the names of those who have them; left out are posts that readers cannot see, and who is gone."""
    found, ids = tuple(places), [place.subject_id for place in places]
    if board.subjects == "posts":
        posts = {post.id: post for post in await models.posts.many(ids) if post.status == "published"}
        return [
            Line(place.rank, post.title, ("post", post.id, post.slug), points(place.score), place)
            for place in found
            if (post := posts.get(place.subject_id))
        ]
    users = await models.users.by_ids(ids)
    return [
        Line(place.rank, user.name, ("user", user.id), points(place.score), place, user)
        for place in found
        if (user := users.get(place.subject_id))
    ]


async def own(handler: Base, board: Board, window: Window, user: User, *, around: bool) -> OwnPlace:
    """What a page of boards tells a member: their place in words, and, with `around`, those next to it."""
    models, number = handler.app.models, partial(handler.app.views.number, handler.lang)
    standing = await models.standings.place(board, window, user.id, neighbours=NEIGHBOURS if around else 0)
    if standing is None:
        return OwnPlace(words=handler.translate("You are not on this board yet."))
    words = [handler.translate("Your points: %(n)s.") % {"n": number(points(standing.score))}]
    if standing.rank is None:
        words.append(handler.translate("Your place is being counted."))
    else:
        words.insert(0, handler.translate("Your place: %(n)s.") % {"n": number(standing.rank)})
    if standing.beats:
        beats = number(Decimal(standing.beats).quantize(Decimal("0.1")))
        words.append(handler.translate("Better than %(n)s%% of the others.") % {"n": beats})
    near = await lines(models, board, standing.around) if around else []
    return OwnPlace(words=" ".join(words), around=tuple(
        Neighbour(rank=number(line.rank) if line.rank else "", name=line.name, href=handler.reverse_url(*line.path),
                  score=number(line.score), you=line.place.subject_id == user.id) for line in near
    ))  # fmt: skip
