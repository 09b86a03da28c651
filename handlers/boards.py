"""The leaderboards as readers see them: all with their first places, each one in four windows, and the demo's game."""

import asyncio
from typing import Any

from handlers.base import Base
from handlers.pages import HtmlPage
from handlers.standings import Line, in_words, lines
from models.boards import PER_PAGE, Board
from models.errors import NotFound
from models.periods import WINDOWS, Window
from models.standings import Top

FIRST, SHORT, LONG = 3, 10, 100  # places of a board on the page of all, on its own page, and there when asked for more
SLUG = r"([a-z0-9-]{1,60})"  # of a board, in a route
GAME = "ripples"  # the board that the game of static/play.js sends its scores to


class _Standings(HtmlPage):
    async def top(self, board: Board, window: Window, n: int) -> tuple[list[Line], Top]:
        """(those of the first n places that readers see, what all of them are)."""
        models = self.app.models
        top = await models.standings.top(board, window, n)
        return await lines(models, board, top.places), top


class BoardsPage(_Standings):
    arguments = ("after",)

    async def get(self) -> None:
        boards = await self.app.models.boards.listed(self.query_number("after"))
        tops = await asyncio.gather(*(self.top(board, "ever", FIRST) for board in boards))
        shown = [
            (in_words(self, board), places, top.players) for board, (places, top) in zip(boards, tops, strict=True)
        ]
        self.show("boards.html", boards=shown, more=f"?after={boards[-1].id}" if len(boards) == PER_PAGE else None)


class BoardPage(_Standings):
    arguments = ("window", "n")

    async def get(self, slug: str) -> None:
        board, window = await seen(self, slug), asked_window(self)
        n = self.query_number("n", SHORT)
        if n not in (SHORT, LONG):
            raise NotFound(f"n={n}")
        places, top = await self.top(board, window, n)
        more = f"?window={window}&n={LONG}" if n == SHORT and len(top.places) == SHORT else None
        self.show(
            "board.html", board=board, window=window, windows=WINDOWS, places=places, players=top.players, more=more,
            facts=self._facts(board, places), time_zone=self.app.settings.time_zone,
        )  # fmt: skip

    def _facts(self, board: Board, places: list[Line]) -> dict[str, Any]:
        """https://schema.org/ItemList, as JSON-LD."""
        home = self.site.url
        return {
            "@context": "https://schema.org", "@type": "ItemList", "name": board.title, "description": board.about,
            "url": home + self.reverse_url("board", board.slug), "numberOfItems": len(places),
            "itemListElement": [
                {"@type": "ListItem", "position": n, "name": line.name, "url": home + self.reverse_url(*line.path)}
                for n, line in enumerate(places, 1)
            ],
        }  # fmt: skip


class PlayPage(HtmlPage):
    """The game, where there is a board for it: the demo content brings one."""

    async def get(self) -> None:
        board = await seen(self, GAME)
        if board.page != self.request.path:
            raise NotFound("no game here")
        self.show("play.html", board=board)


async def seen(handler: Base, slug: str) -> Board:
    """The board in the reader's language, if readers see it. Raises NotFound."""
    board = await handler.app.models.boards.by_slug(slug)
    if board.status == "hidden":
        raise NotFound(f"board {slug}")
    return in_words(handler, board)


def asked_window(handler: Base) -> Window:
    """The `window` of the address; "ever" when none is named. Raises NotFound."""
    name = handler.get_query_argument("window", "ever")
    if name not in WINDOWS:
        raise NotFound(f"window {name}")
    return name
