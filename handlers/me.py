"""`/api/v1/me?on=<path>`: all that belongs to one visitor on a page that is the same for everybody."""

import asyncio
import re
from urllib.parse import parse_qs, unquote

from handlers.boards import SLUG, seen
from handlers.files import tools
from handlers.inputs import Input
from handlers.own_ballots import OwnBallot, own_on
from handlers.signing import Signing
from handlers.standings import OwnPlace, own
from handlers.v1 import V1, Output, call
from models.comments import may
from models.errors import NotFound
from models.periods import WINDOWS
from models.roles import EDITOR, OPERATOR, has
from models.users import User

_POST_PATH = re.compile(r"/blog/([0-9]{1,18})(?:-|$)")
_BOARD_PATH = re.compile(f"/boards/{SLUG}")


class Where(Input):
    """`on`: the path of the page that is looked at, with its query."""

    on: str = "/"


class Person(Output):
    id: int
    name: str
    url: str
    image: str


class Link(Output):
    rel: str
    href: str
    text: str


class Mine(Output):
    """`user` is None for a visitor; `comments`: what may be done with which; `boards`: one's place, by the board's slug; `polls`:
    one's ballot, by the poll's id, that of a visitor too; `scripts`, `styles`: of what the page does for who is signed in, or for
    staff."""

    user: Person | None
    links: list[Link]
    comments: dict[str, list[str]]
    boards: dict[str, OwnPlace] = {}
    polls: dict[str, OwnBallot] = {}
    scripts: list[str] = []
    styles: list[str] = []


class Me(Signing, V1):
    public = False

    @call(asks=Where, gives=Mine)
    async def get(self) -> None:
        """Who is signed in, the links they have on the page `on`, and which of its comments they may change."""
        path, _, query = self.asked(Where).on[:2000].partition("?")
        polls = await own_on(self, path)
        if self.user is None:
            if self.get_cookie("member"):
                self.clear_cookie("member", path="/", secure=self.https, samesite="Lax")
            self.answer({"user": None, "links": [], "comments": {}, "polls": polls})
            return
        if self.session:
            await self._renew()
        links = [{"rel": "account", "href": self.reverse_url("account"), "text": self.user.name}]
        if has(self.bits, EDITOR) or has(self.bits, OPERATOR):
            links.append({"rel": "manage", "href": self.reverse_url("manage"), "text": self.translate("Manage")})
        if has(self.bits, EDITOR):
            links += [
                {"rel": "edit", "href": self.reverse_url("manage_poll", id), "text": self.translate("Edit")}
                for id in polls
            ]
        found = _POST_PATH.match(unquote(path))
        comments: dict[str, list[str]] = {}
        if found:
            post = await self.app.models.posts.find(int(found[1]))
            if post and has(self.bits, EDITOR):
                href = f"{self.reverse_url('manage_edit')}?id={post.id}"
                links.append({"rel": "edit", "href": href, "text": self.translate("Edit")})
            after = parse_qs(query).get("after", ["0"])[0]
            comments = await self._comments(
                self.user, int(found[1]), int(after) if after.isdecimal() and len(after) < 19 else 0
            )
        image = {
            "id": self.user.id,
            "name": self.user.name,
            "url": self.reverse_url("user", self.user.id),
            "image": self.user.image,
        }
        links += await tools(self, self.user, unquote(path))
        static = self.app.views.static
        scripts, styles = [static("files-send.js"), static("files-insert.js")] if found else [], list[str]()
        if self.may_see_times:
            scripts, styles = [*scripts, static("timing.js")], [static("timing.css")]
        boards = await self._boards(self.user, unquote(path), parse_qs(query).get("window", ["ever"])[0])
        self.answer({"user": image, "links": links, "comments": comments, "boards": boards, "polls": polls,
                     "scripts": scripts, "styles": styles})  # fmt: skip

    async def _comments(self, user: User, post_id: int, after: int) -> dict[str, list[str]]:
        """Comment id -> what the user may do with it, for those shown on this part of the page."""
        talk = await self.app.models.comments.discussion(post_id, after=after)
        allowed: dict[str, list[str]] = {}
        for comment in (c for thread in talk.threads for c in (thread.comment, *thread.replies) if c.status == "shown"):
            edit, delete = may(user, self.bits, comment)
            if edit or delete:
                allowed[str(comment.id)] = [*(["edit"] if edit else []), *(["delete"] if delete else [])]
        return allowed

    async def _boards(self, user: User, path: str, window: str) -> dict[str, OwnPlace]:
        """The user's own place on the board of the page, with their neighbours; on all boards, where the page shows these."""
        models = self.app.models
        if path == self.reverse_url("boards"):
            shown = [board for board in await models.boards.listed() if board.subjects == "users"]
            places = await asyncio.gather(*(own(self, board, "ever", user, around=False) for board in shown))
            return {board.slug: place for board, place in zip(shown, places, strict=True)}
        found = _BOARD_PATH.fullmatch(path)
        if not found or window not in WINDOWS:
            return {}
        try:
            board = await seen(self, found[1])
        except NotFound:
            return {}
        if board.subjects != "users":
            return {}
        return {board.slug: await own(self, board, window, user, around=True)}

    async def _renew(self) -> None:
        """A session is renewed here and in POSTs alone, so that no public page ever sets a cookie."""
        if self.session is None:
            return
        days = self.app.settings.session_days
        if await self.app.models.sessions.seen(self.session, days=days, ip=self.packed_address):
            token = self.get_cookie(self.cookie_name)
            if token:
                self.give_cookies(token)
