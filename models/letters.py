"""Writes the text of a mail at the moment it is sent: what it says is so then, and its link is made then, kept only as a hash."""

from dataclasses import dataclass
from typing import Any

from content import letters
from models import links
from models.comments import Comments
from models.links import Links
from models.mails import Mail
from models.notices import Notices
from models.posts import Posts
from models.site import Sites
from models.users import User, Users


@dataclass(frozen=True, slots=True)
class Letter:
    """`unsubscribe`: the address where one request ends mails of this kind (RFC 8058), or ""."""

    subject: str
    text: str
    sender: str
    unsubscribe: str = ""


class Letters:
    """One method for each kind of mail; each answers the facts that its template wants, or None when there is nothing to say."""

    def __init__(
        self, users: Users, posts: Posts, comments: Comments, links: Links, notices: Notices, sites: Sites
    ) -> None:
        # Read around the cache: the worker must not write what was so a moment ago.
        self.users, self.posts, self.comments = users.fresh(), posts.fresh(), comments.fresh()
        self.links, self.notices, self.sites = links, notices, sites
        self._facts = {
            "confirm": self._confirm, "reset": self._reset, "change": self._change, "changed": self._changed,
            "reply": self._reply,
        }  # fmt: skip

    async def write(self, mail: Mail) -> Letter | None:
        """The letter, or None when it need not be sent any more."""
        facts = await self._facts[mail.kind](mail)
        if facts is None:
            return None
        kind = facts.pop("kind", mail.kind)
        site = await self.sites.now()
        about = {**mail.facts, "title": site.title, "url": site.url, **facts}
        return Letter(
            mail.subject if kind == mail.kind else letters.subject(kind, mail.language, **about),
            letters.text(kind, mail.language, **about),
            site.title,
            str(facts.get("unsubscribe", "")),
        )

    async def _confirm(self, mail: Mail) -> dict[str, Any] | None:
        user = await self.users.find(mail.facts["user_id"])
        if user is None or user.email != mail.recipient or user.confirmed_at:
            return None
        return {"name": user.name, "token": await self.links.make(links.CONFIRM, user.id, user.email)}

    async def _reset(self, mail: Mail) -> dict[str, Any] | None:
        """Only now it is looked up whose address it is, so that who asked can learn nothing from how long that takes."""
        user = await self._active(mail.recipient)
        if user is None:
            return None
        return {"name": user.name, "token": await self.links.make(links.RESET, user.id, user.email)}

    async def _change(self, mail: Mail) -> dict[str, Any] | None:
        user = await self.users.find(mail.facts["user_id"])
        if user is None or not user.active or user.email == mail.recipient:
            return None
        if await self.users.by_email(mail.recipient):
            return {"kind": "taken"}
        return {"name": user.name, "token": await self.links.make(links.CHANGE, user.id, mail.recipient)}

    async def _changed(self, mail: Mail) -> dict[str, Any] | None:
        return {}

    async def _reply(self, mail: Mail) -> dict[str, Any] | None:
        """Not when it was deleted meanwhile, or its reader wants no more of them."""
        user = await self._active(mail.recipient)
        comment = await self.comments.find(mail.facts["comment_id"])
        if user is None or comment is None or comment.status != "shown" or not await self.notices.wanted(user.id):
            return None
        post, author = await self.posts.find(comment.post_id), await self.users.find(comment.author_id)
        if post is None or post.status != "published" or author is None:
            return None
        unsubscribe = f"{self.sites.defaults.url}/unsubscribe/{self.notices.ticket(user.id)}"
        return {
            "name": user.name, "author": author.name, "post": post.title, "words": comment.md,
            "comment_id": comment.id, "unsubscribe": unsubscribe,
        }  # fmt: skip

    async def _active(self, email: str) -> User | None:
        user = await self.users.by_email(email)
        return user if user and user.active and not user.email.startswith("imported:") else None
