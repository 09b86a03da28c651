"""`/api/v1/me?on=<path>`: all that belongs to one visitor on a page that is the same for everybody."""

import re
from urllib.parse import parse_qs, unquote

from handlers.inputs import Input
from handlers.signing import Signing
from handlers.v1 import V1, Output, call
from models.comments import may
from models.roles import EDITOR, OPERATOR, has
from models.users import User

_POST_PATH = re.compile(r"/blog/([0-9]{1,18})(?:-|$)")


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
    """`user` is None for a visitor; `comments`: what may be done with which; `scripts`, `styles`: for staff."""

    user: Person | None
    links: list[Link]
    comments: dict[str, list[str]]
    scripts: list[str] = []
    styles: list[str] = []


class Me(Signing, V1):
    public = False

    @call(asks=Where, gives=Mine)
    async def get(self) -> None:
        """Who is signed in, the links they have on the page `on`, and which of its comments they may change."""
        if self.user is None:
            if self.get_cookie("member"):
                self.clear_cookie("member", path="/", secure=self.https, samesite="Lax")
            self.answer({"user": None, "links": [], "comments": {}})
            return
        if self.session:
            await self._renew()
        path, _, query = self.asked(Where).on[:2000].partition("?")
        links = [{"rel": "account", "href": self.reverse_url("account"), "text": self.user.name}]
        if has(self.bits, EDITOR) or has(self.bits, OPERATOR):
            links.append({"rel": "manage", "href": self.reverse_url("manage"), "text": self.translate("Manage")})
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
        badge: dict[str, list[str]] = {}
        if self.may_see_times:
            static = self.app.views.static
            badge = {"scripts": [static("timing.js")], "styles": [static("timing.css")]}
        self.answer({"user": image, "links": links, "comments": comments, **badge})

    async def _comments(self, user: User, post_id: int, after: int) -> dict[str, list[str]]:
        """Comment id -> what the user may do with it, for those shown on this part of the page."""
        talk = await self.app.models.comments.discussion(post_id, after=after)
        allowed: dict[str, list[str]] = {}
        for comment in (c for thread in talk.threads for c in (thread.comment, *thread.replies) if c.status == "shown"):
            edit, delete = may(user, self.bits, comment)
            if edit or delete:
                allowed[str(comment.id)] = [*(["edit"] if edit else []), *(["delete"] if delete else [])]
        return allowed

    async def _renew(self) -> None:
        """A session is renewed here and in POSTs alone, so that no public page ever sets a cookie."""
        if self.session is None:
            return
        days = self.app.settings.session_days
        if await self.app.models.sessions.seen(self.session, days=days, ip=self.packed_address):
            token = self.get_cookie(self.cookie_name)
            if token:
                self.give_cookies(token)
