"""Boards: what is ranked on each, by which scores, and who may change that."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from pymysql.err import IntegrityError

from cache import Index, Key, List, Scope, Slot
from cache.boards import MOST_POINTS
from models import audit
from models.asking import answers
from models.base import Table, Write
from models.errors import Forbidden, Invalid, NotFound, Stale, Taken
from models.retrying import retried
from models.roles import OPERATOR, require
from models.users import User

Sense = Literal["highest", "lowest"]
Keep = Literal["best", "last", "sum"]
Status = Literal["open", "closed", "hidden"]
PER_PAGE = 50
LONGEST_TITLE, LONGEST_ABOUT, LONGEST_PAGE = 120, 400, 200  # characters

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?", re.ASCII)
_PAGE = re.compile(r"/(?![/\\])[^\s\\]*")


@dataclass(frozen=True, slots=True)
class Board:
    """`least` and `most`: what a score may be, in thousandths (None: no bound). `subjects`: who or what is ranked. `page`:
    where one plays, a path of this site or "". `builtin`: its scores come from what members write, and from nowhere
    else."""

    id: int
    slug: str
    title: str
    about: str
    sense: Sense
    keep: Keep
    subjects: Literal["users", "posts"]
    least: int | None
    most: int | None
    status: Status
    page: str
    builtin: bool
    created_at: datetime
    version: int

    @property
    def sign(self) -> int:
        """A score times this are points: the smaller the better."""
        return -1 if self.sense == "highest" else 1


@dataclass(frozen=True, slots=True)
class NewBoard:
    """What an operator fills in."""

    slug: str
    title: str
    about: str = ""
    sense: Sense = "highest"
    keep: Keep = "best"
    least: int | None = None
    most: int | None = None
    page: str = ""


BY_ID = Key("board", Board, ttl=600)
BY_SLUG = Index("board.slug", by=("slug",), ttl=600)
EVERYWHERE = Scope("boards")
LISTED = List("boards.listed", by=("after",), scopes=(EVERYWHERE,), ttl=600)


def shown_in(board: Board) -> tuple[Slot, ...]:
    """Every remembered answer this row appears in. A new key is not done until it is here."""
    return BY_ID(board.id), BY_SLUG(board.slug), EVERYWHERE()


class Boards(Table[Board]):
    key: ClassVar = BY_ID
    rows_sql: ClassVar = (
        "SELECT id, slug, title, about, sense, keep, subjects, least, most, status, page, builtin, created_at, version "
        "FROM boards WHERE id IN %s"
    )

    def make(self, *columns: Any) -> Board:
        before, (builtin, created_at, version) = columns[:11], columns[11:]
        return Board(*before, bool(builtin), created_at, version)  # type: ignore[call-arg]  # mypy does not count

    @answers(BY_SLUG)
    async def by_slug(self, slug: str) -> Board:
        """Hidden ones too. Raises NotFound."""
        sql = "SELECT id FROM boards WHERE slug = %s"
        board = await self.by_index(BY_SLUG(slug), lambda row: row.slug == slug, sql, slug)
        if board is None:
            raise NotFound(f"board {slug!r}")
        return board

    @answers(LISTED)
    async def listed(self, after: int = 0) -> list[Board]:
        """Those that readers see, by id, at most `PER_PAGE`, from the one after `after` on."""
        sql = "SELECT id FROM boards WHERE status <> 'hidden' AND id > %s ORDER BY id LIMIT %s"
        return await self.all(LISTED(after), sql, after, PER_PAGE)

    @retried
    async def create(self, new: NewBoard, *, by: User | None) -> Board:
        """Open at once. `by` is None for a board that Plaza brings. Raises Invalid, Taken, Forbidden."""
        new = _checked(new)
        async with self.write() as w:
            if by:
                await require(w, by.id, OPERATOR)
            now = datetime.now(UTC)
            try:
                id = await w.insert(
                    "INSERT INTO boards (slug, title, about, sense, keep, least, most, page, created_at) "
                    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                    new.slug, new.title, new.about, new.sense, new.keep, new.least, new.most, new.page, now,
                )  # fmt: skip
            except IntegrityError:
                raise _slug_taken() from None
            board = Board(
                id, new.slug, new.title, new.about, new.sense, new.keep, "users", new.least, new.most, "open", new.page,
                False, now, 1,
            )  # fmt: skip
            w.touch(*shown_in(board))
            await audit.note(w, by.id if by else None, "board.create", f"board {id}", None, board)
        return board

    @retried
    async def edit(self, id: int, new: NewBoard, *, by: User, version: int | None = None) -> Board:
        """Other words, bounds and page. The sense, and what is kept, can change only while there are no scores; of a
        built-in board only title and words. Raises Stale when it is no longer at `version`; Invalid, Taken, Forbidden,
        NotFound."""
        new = _checked(new)
        async with self.write() as w:
            await require(w, by.id, OPERATOR)
            old = await w.locked(self.make, self.rows_sql + " FOR UPDATE", (id,))
            if version is not None and version != old.version:
                raise Stale(old.version)
            became = replace(
                old, slug=new.slug, title=new.title, about=new.about, sense=new.sense, keep=new.keep, least=new.least,
                most=new.most, page=new.page, version=old.version + 1,
            )  # fmt: skip
            if old.builtin and became != replace(old, title=new.title, about=new.about, version=became.version):
                raise Forbidden(f"board {id} is built in")
            if (old.sense, old.keep) != (new.sense, new.keep) and await w.fetch(
                "SELECT id FROM scores WHERE board_id = %s LIMIT 1", id
            ):
                field = "sense" if old.sense != new.sense else "keep"
                raise Invalid({field: "This cannot change any more: the board has scores."})
            try:
                await w.execute(
                    "UPDATE boards SET slug = %s, title = %s, about = %s, sense = %s, keep = %s, least = %s, most = %s, "
                    "page = %s, version = version + 1 WHERE id = %s",
                    new.slug, new.title, new.about, new.sense, new.keep, new.least, new.most, new.page, id,
                )  # fmt: skip
            except IntegrityError:
                raise _slug_taken() from None
            w.touch(*shown_in(old), *shown_in(became))
            await audit.note(w, by.id, "board.edit", f"board {id}", old, became)
        return became

    @retried
    async def set_status(self, id: int, status: Status, *, by: User) -> Board:
        """Open it, close it (it is shown, and takes no scores), or hide it. Twice is as once. Raises Forbidden, NotFound."""
        async with self.write() as w:
            await require(w, by.id, OPERATOR)
            old = await w.locked(self.make, self.rows_sql + " FOR UPDATE", (id,))
            if old.status == status:
                return old
            became = replace(old, status=status, version=old.version + 1)
            await w.execute("UPDATE boards SET status = %s, version = version + 1 WHERE id = %s", status, id)
            w.touch(*shown_in(old), *shown_in(became))
            await audit.note(w, by.id, "board.status", f"board {id}", {"status": old.status}, {"status": status})
        return became

    async def held(self, w: Write, ids: Collection[int]) -> dict[int, Board]:
        """The boards as they are now, and stay until the transaction ends."""
        rows = await w.fetch(self.rows_sql + " LOCK IN SHARE MODE", tuple(ids))
        return {row[0]: self.make(*row) for row in rows}

    async def every_id(self, most: int = 10_000) -> list[int]:
        """The ids of all boards, from MySQL; for the worker and for `plaza check`."""
        rows = await self.db.fetch("SELECT id FROM boards ORDER BY id LIMIT %s", most)
        return [row[0] for row in rows]


def _slug_taken() -> Taken:
    return Taken({"slug": "There is a board with this address. Use another one."})


def _checked(new: NewBoard) -> NewBoard:
    """The board with its blanks taken off. Raises Invalid with all that is wrong."""
    new = replace(new, slug=new.slug.strip(), title=new.title.strip(), about=new.about.strip(), page=new.page.strip())
    wrong: dict[str, str] = {}
    if not _SLUG.fullmatch(new.slug):
        wrong["slug"] = (
            "An address has 1 to 60 small letters, digits and hyphens, and neither begins nor ends with one of those."
        )
    if not 0 < len(new.title) <= LONGEST_TITLE:
        wrong["title"] = "A title has 1 to 120 characters."
    if len(new.about) > LONGEST_ABOUT:
        wrong["about"] = "This has at most 400 characters."
    if new.sense not in ("highest", "lowest"):
        wrong["sense"] = "Either the highest or the lowest score wins."
    if new.keep not in ("best", "last", "sum"):
        wrong["keep"] = "What counts is a player's best score, the last one, or the sum."
    if new.page and not (_PAGE.fullmatch(new.page) and len(new.page) <= LONGEST_PAGE):
        wrong["page"] = "This must be a path of this site, like /play."
    for name, bound in (("least", new.least), ("most", new.most)):
        if bound is not None and abs(bound) > MOST_POINTS:
            wrong[name] = "This number is too large."
    if not wrong and new.least is not None and new.most is not None and new.least > new.most:
        wrong["most"] = "The highest score must not be below the lowest."
    if wrong:
        raise Invalid(wrong)
    return new
