"""The boards of the site: new ones, their words and bounds, open or not; and the scores on them, which can be taken away."""

from dataclasses import replace
from typing import Any, cast

from handlers.manage import ManagePage
from handlers.manage_lists import Did, ManageList
from handlers.standings import in_words, points
from models.boards import Board, Keep, NewBoard, Sense
from models.errors import Invalid, ModelError
from models.refereeing import ACTIONS, RULINGS, Action, Done, Ruling
from models.roles import OPERATOR
from models.scores import thousandths

FIELDS = ("slug", "title", "about", "sense", "keep", "least", "most", "page")


class ManageBoards(ManageList):
    needs = OPERATOR
    actions = ACTIONS

    async def get(self) -> None:
        sheet = await self.app.models.refereeing.sheet(self.place())
        shown = replace(sheet, items=tuple(in_words(self, board) for board in sheet.items))
        self.show("manage/boards.html", list=self.listing(shown))

    async def act(self, action: str, ids: list[int]) -> Did:
        return did(action, await self.app.models.refereeing.act(cast(Action, action), ids, by=self.member()))

    async def undo(self, batch: int) -> Did:
        return did("undo", await self.app.models.refereeing.undo(batch, by=self.member()))


class _BoardForm(ManagePage):
    needs = OPERATOR

    def filled(self) -> dict[str, str]:
        return {name: self.get_body_argument(name, "") for name in FIELDS}

    def wanted(self, filled: dict[str, str]) -> NewBoard:
        """What the form says; the model checks the rest. Raises Invalid."""
        bounds, wrong = dict[str, int | None](), dict[str, str]()
        for name in ("least", "most"):
            text = filled[name].strip()
            try:
                bounds[name] = thousandths(text) if text else None
            except Invalid as error:
                wrong[name] = error.fields["score"]
        if wrong:
            raise Invalid(wrong)
        return NewBoard(
            filled["slug"], filled["title"], filled["about"].replace("\r\n", "\n"), cast(Sense, filled["sense"]),
            cast(Keep, filled["keep"]), bounds["least"], bounds["most"], filled["page"],
        )  # fmt: skip


class CreateBoard(_BoardForm):
    async def get(self) -> None:
        self.show("manage/board.html", board=None, values={"sense": "highest", "keep": "best"})

    async def post(self) -> None:
        filled = self.filled()
        try:
            board = await self.app.models.boards.create(self.wanted(filled), by=self.member())
        except ModelError as error:
            self.show_refused("manage/board.html", error, board=None, values=filled)
            return
        self.redirect(f"{self.reverse_url('manage_board', board.id)}?done=created", status=303)


class ManageBoard(_BoardForm):
    """One board."""

    async def get(self, id: str) -> None:
        board = await self.app.models.boards.fresh().one(int(id))
        notice = self.get_query_argument("done", "")
        self.show("manage/board.html", board=in_words(self, board), values=_values(board), notice=notice)

    async def post(self, id: str) -> None:
        board = await self.app.models.boards.fresh().one(int(id))
        filled, version = self.filled(), self.get_body_argument("version", "")
        if board.builtin:  # its form has no more than the words
            filled = {**_values(board), "title": filled["title"], "about": filled["about"]}
        try:
            seen = int(version) if version.isascii() and version.isdecimal() and len(version) < 19 else 0
            await self.app.models.boards.edit(board.id, self.wanted(filled), version=seen, by=self.member())
        except ModelError as error:
            self.show_refused("manage/board.html", error, board=in_words(self, board), values=filled)
            return
        self.redirect(f"{self.reverse_url('manage_board', board.id)}?done=saved", status=303)


class ManageScores(ManageList):
    """The scores of one board, the newest first."""

    needs = OPERATOR
    filters = ("member",)
    actions = RULINGS

    async def get(self, id: str) -> None:
        models = self.app.models
        board = await models.boards.fresh().one(int(id))
        member_id = await self.asked_member("member")
        sheet = await models.refereeing.scores_sheet(board, member_id, self.place())
        ids = list({score.subject_id for score in sheet.items})
        posts = {post.id: post for post in await models.posts.many(ids)} if board.subjects == "posts" else {}
        people = await models.users.by_ids([*ids, member_id or 0]) if board.subjects == "users" else {}
        self.show(
            "manage/scores.html", board=in_words(self, board), list=self.listing(sheet), people=people, posts=posts,
            points=points, member_id=member_id,
        )  # fmt: skip

    async def post(self, id: str) -> None:  # type: ignore[override]
        await super().post()

    async def act(self, action: str, ids: list[int]) -> Did:
        referee, board = self.app.models.refereeing, await self._board()
        return did(action, await referee.rule(cast(Ruling, action), ids, board=board, by=self.member()))

    async def undo(self, batch: int) -> Did:
        board = await self._board()
        return did("undo", await self.app.models.refereeing.overrule(batch, board=board, by=self.member()))

    async def _board(self) -> Board:
        return await self.app.models.boards.fresh().one(int(self.path_args[0]))


def did(action: str, done: Done) -> Did:
    return Did(action, done.changed, done.left, done.batch)


def _values(board: Board) -> dict[str, Any]:
    """The board as its form shows it."""
    bounds = {"least": board.least, "most": board.most}
    written = {name: "" if bound is None else str(points(bound)) for name, bound in bounds.items()}
    return {**{name: getattr(board, name) for name in FIELDS if name not in bounds}, **written}
