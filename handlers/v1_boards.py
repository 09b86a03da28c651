"""Leaderboards for programs: what is on a board, who stands where, and where games send their scores."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from handlers.boards import seen
from handlers.inputs import Input
from handlers.standings import Line, in_words, lines, points
from handlers.statuses import Told
from handlers.v1 import V1, Output, call
from models.boards import PER_PAGE, Board, NewBoard
from models.errors import Invalid, NotFound
from models.periods import Window
from models.roles import LOGIN, OPERATOR
from models.scores import thousandths
from models.standings import Standing
from models.tokens import SCORES

_HERE = {"least": "min", "most": "max"}  # what the models call it, and what this API does


class AskedBoards(Input):
    after: int = Field(0, ge=0, lt=10**18, description="Where the list goes on, as `Link` says")


class AskedBoard(Input):
    window: Window = Field(
        "ever", description="Since the beginning of the site's day, week (from Monday) or month, or ever"
    )
    n: int = Field(10, ge=0, le=100, description="How many places; 0: the board alone, whose ETag no score changes")


class AskedWindow(Input):
    window: Window = "ever"


class SentBoard(Input):
    slug: str
    title: str
    about: str = ""
    sense: Literal["highest", "lowest"] = "highest"
    keep: Literal["best", "last", "sum"] = "best"
    min: Decimal | None = Field(None, description="The lowest score that is taken, with at most three decimals")
    max: Decimal | None = Field(None, description="The highest one")
    page: str = Field("", description="A path of this site where one plays")


class ChangedBoard(Input):
    """What is not sent stays; null takes a bound away."""

    slug: str | None = None
    title: str | None = None
    about: str | None = None
    sense: Literal["highest", "lowest"] | None = None
    keep: Literal["best", "last", "sum"] | None = None
    min: Decimal | None = None
    max: Decimal | None = None
    page: str | None = None


class SentScore(Input):
    score: Decimal = Field(description="With at most three decimals, within the board's bounds")
    id: str = Field(description="The sender's own name for this score, 1 to 64 characters: sent again it counts once")


class Subject(Output):
    """A member by name, or a post by title."""

    id: int
    name: str
    url: str


class Standee(Output):
    """`rank` is null while it is being counted; equal scores have equal ranks (1, 2, 2, 4)."""

    rank: int | None
    user: Subject | None = None
    post: Subject | None = None
    score: float
    achieved_at: datetime


class BoardShape(Output):
    slug: str
    title: str
    about: str
    sense: str
    keep: str
    of: Literal["users", "posts"]
    min: float | None
    max: float | None
    status: str
    builtin: bool
    page: str
    url: str


class BoardWithTop(BoardShape):
    """`players` is null while they are being counted."""

    window: Window
    top: tuple[Standee, ...]
    players: int | None


class PlayerShape(Output):
    """`beats`: percent of the other players whose score is worse; null for who is alone, and while it is being counted."""

    rank: int | None
    score: float
    beats: float | None
    players: int | None
    around: tuple[Standee, ...]


class Place(Output):
    rank: int | None
    score: float
    beats: float | None
    players: int | None


class TakenScore(Output):
    """`standing`: where the player stands now, ever; null when a moderator has taken all their scores away."""

    id: int
    score: float
    standing: Place | None


class _Resource(V1):
    def refusal(self, error: BaseException | None, status: int) -> Told:
        told = super().refusal(error, status)
        return told._replace(fields={_HERE.get(name, name): text for name, text in told.fields.items()})

    def shape(self, board: Board) -> BoardShape:
        return BoardShape(
            slug=board.slug, title=board.title, about=board.about, sense=board.sense, keep=board.keep, of=board.subjects,
            min=_number(board.least), max=_number(board.most), status=board.status, builtin=board.builtin, page=board.page,
            url=self.reverse_url("v1_board", board.slug),
        )  # fmt: skip

    def standees(self, board: Board, places: Sequence[Line]) -> tuple[Standee, ...]:
        return tuple(
            Standee(rank=line.rank, score=float(line.score), achieved_at=line.place.achieved_at,
                    **{"post" if board.subjects == "posts" else "user": self._subject(line)}) for line in places
        )  # fmt: skip

    def _subject(self, line: Line) -> Subject:
        return Subject(id=line.place.subject_id, name=line.name, url=self.reverse_url(*line.path))


class ManyBoards(_Resource):
    @call(asks=AskedBoards, gives=tuple[BoardShape, ...])
    async def get(self) -> None:
        """The boards that readers see, by age, fifty at a time."""
        found = await self.app.models.boards.listed(self.asked(AskedBoards).after)
        if len(found) == PER_PAGE:
            self.set_header("Link", f'<{self.reverse_url("v1_boards")}?after={found[-1].id}>; rel="next"')
        self.answer([self.shape(in_words(self, board)) for board in found])

    @call(takes=SentBoard, gives=BoardShape, status=201)
    async def post(self) -> None:
        """Make a board; operators may."""
        me, sent = self.member(OPERATOR), self.sent(SentBoard)
        new = NewBoard(
            sent.slug, sent.title, sent.about, sent.sense, sent.keep, _bound("min", sent.min), _bound("max", sent.max),
            sent.page,
        )  # fmt: skip
        board = await self.app.models.boards.create(new, by=me)
        self.answer(self.shape(board), location=self.reverse_url("v1_board", board.slug))


class OneBoard(_Resource):
    @call(asks=AskedBoard, gives=BoardWithTop)
    async def get(self, slug: str) -> None:
        """A board and its first places; with `n=0` the board alone."""
        board, asked = await seen(self, slug), self.asked(AskedBoard)
        if not asked.n:
            self.answer(self.shape(board))
            return
        models = self.app.models
        top = await models.standings.top(board, asked.window, asked.n)
        places = self.standees(board, await lines(models, board, top.places))
        alone = self.shape(board).model_dump()
        self.answer(BoardWithTop(**alone, window=asked.window, top=places, players=top.players))

    @call(takes=ChangedBoard, gives=BoardShape)
    async def patch(self, slug: str) -> None:
        """Change a board; operators may. `If-Match` is the ETag of the board alone, `?n=0`, or of the last change."""
        me, sent = self.member(OPERATOR), self.sent(ChangedBoard)
        board = await self.app.models.boards.fresh().by_slug(slug)
        self.match(self.shape(in_words(self, board)))
        changed = await self.app.models.boards.edit(board.id, _changed(board, sent), version=board.version, by=me)
        self.answer(self.shape(in_words(self, changed)))


class Player(_Resource):
    @call(asks=AskedWindow, gives=PlayerShape)
    async def get(self, slug: str, id: str) -> None:
        """Where a member (on a board of posts: a post) stands, and who beside them."""
        board, window = await seen(self, slug), self.asked(AskedWindow).window
        models = self.app.models
        standing = await models.standings.place(board, window, int(id), neighbours=2)
        if standing is None:
            raise NotFound(f"{id} on {slug}")
        around = self.standees(board, await lines(models, board, standing.around))
        self.answer(PlayerShape(**_place(standing).model_dump(), around=around))


class NewScores(_Resource):
    @call(takes=SentScore, gives=TakenScore, status=201, scope=SCORES)
    async def post(self, slug: str) -> None:
        """Send a score. The same one under the same id again is 200 and counts once; another one under that id is 409."""
        me, models, limits = self.member(LOGIN), self.app.models, self.app.limits
        self.tell_standing(await limits.hit(limits.score, str(me.id)))
        sent, board = self.sent(SentScore), await seen(self, slug)
        taken = await models.scores.submit(board, sent.score, sent.id, by=me)
        standing = await models.standings.place(board, "ever", me.id)
        shown = TakenScore(
            id=taken.id, score=float(points(taken.score)), standing=_place(standing) if standing else None
        )
        player = self.reverse_url("v1_player", board.slug, me.id)
        self.answer(shown, 201 if taken.created else 200, location=player)


def _place(standing: Standing) -> Place:
    beats = None if standing.beats is None else round(standing.beats, 1)
    return Place(rank=standing.rank, score=float(points(standing.score)), beats=beats, players=standing.players)


def _number(bound: int | None) -> float | None:
    return None if bound is None else float(points(bound))


def _bound(name: str, given: Decimal | None) -> int | None:
    """A bound in thousandths. Raises Invalid."""
    try:
        return None if given is None else thousandths(given)
    except Invalid as error:
        raise Invalid({name: error.fields["score"]}) from None


def _changed(board: Board, sent: ChangedBoard) -> NewBoard:
    given = sent.model_dump(exclude_unset=True)
    bounds = {name: _bound(name, given.pop(name)) for name in ("min", "max") if name in given}
    kept = {name: value for name, value in given.items() if value is not None}
    return NewBoard(**{
        "slug": board.slug, "title": board.title, "about": board.about, "sense": board.sense, "keep": board.keep,
        "page": board.page, **kept, "least": bounds.get("min", board.least), "most": bounds.get("max", board.most),
    })  # fmt: skip
