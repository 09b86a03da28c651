"""The pages that readers open: lists of posts, the archive, members, the text about the site. The same bytes for everybody."""

import asyncio
import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from html import escape
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from content.markdown import TooLong, render
from handlers.base import Base
from handlers.statuses import HEADINGS, Told, tell_of
from models.base import Page
from models.errors import ModelError, NotFound
from models.posts import PER_MONTH, Post
from models.roles import PERMISSIONS, has
from models.users import User

Item = TypeVar("Item")
MOST_PAGE = 10**9
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
_PASSING = frozenset({401, 429, 500, 503})  # statuses under which the same form may be taken a little later
_SECRETS = frozenset({"password", "current", "new"})


class HtmlPage(Base):
    """A page drawn from a template, with errors in the site's own look."""

    def show(self, template: str, **context: Any) -> None:
        """Draw the page and end the request."""
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        seen_by = (
            {"user": self.user, "can": self._can} if not self.public or self.user else {"user": None, "can": _nobody}
        )
        defaults: dict[str, Any] = {
            "site": self.site,
            "path": self.request.uri,
            "values": {},
            "errors": {},
            "notice": "",
            **seen_by,
        }
        self.finish(self.app.views.render(template, self.lang, **{**defaults, **context}))

    def show_wrong(self, template: str, status: int, errors: dict[str, str], **context: Any) -> None:
        """The page of a form again, its errors beside their fields and what was entered kept."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.show(template, errors={name: self.translate(text) for name, text in errors.items()}, **context)

    def show_refused(self, template: str, error: ModelError, **context: Any) -> None:
        """The page of a form again, with what a model had against it, under the status and headers of that."""
        told = tell_of(error, 500)
        for name, value in told.headers.items():
            self.set_header(name, value)
        self.show_wrong(template, told.status, told.fields or {"form": told.message}, **context)

    def tell(self, told: Told) -> None:
        text = " ".join(self.translate(message) for message in (told.fields.values() or (told.message,)) if message)
        heading = self.translate(HEADINGS.get(told.status, "Not accepted" if told.status < 500 else "Our mistake"))
        facts = {"status": told.status, "heading": heading, "message": text, "user": None}
        kept = self._typed() if self.keeps(told) else []
        self.show("send_again.html" if kept else "error.html", **facts, **({"kept": kept} if kept else {}))

    def keeps(self, told: Told) -> bool:
        """Whether what the form brought is shown again, to be sent once more."""
        return told.status in _PASSING

    def _typed(self) -> list[tuple[str, str]]:
        """What a form brought, so that its page can send it again; nothing of a form with a password, which is not shown back."""
        sent = self.request.body_arguments
        if self.request.method != "POST" or not _SECRETS.isdisjoint(sent):
            return []
        # Not by get_body_argument: it refuses what is not UTF-8, and this page may tell of just that.
        return [
            (name, _CONTROLS.sub(" ", value.decode("utf-8", "replace")))
            for name, values in sent.items()
            for value in values
        ]

    def _can(self, permission: str) -> bool:
        return has(self.bits, PERMISSIONS[permission])

    async def authors(self, posts: Sequence[Post]) -> dict[int, User]:
        return await self.app.models.users.by_ids([post.author_id for post in posts])


def _nobody(_: str) -> bool:
    return False


class ListPage(HtmlPage, Generic[Item]):
    """A list in pages by number: page 1 has one address only, and beyond the last page the reader is led to it."""

    def page_number(self, text: str | None) -> int | None:
        """The page asked for; None when the answer has been sent already."""
        if text is None:
            return 1
        n = int(text) if re.fullmatch(r"[0-9]{1,12}", text, re.ASCII) else 0
        if not 1 <= n <= MOST_PAGE:
            raise NotFound("page")
        if n == 1 or text != str(n):
            self.redirect(self.address_of(n), permanent=True)
            return None
        return n

    def beyond(self, page: Page[Item]) -> bool:
        """Whether the page is behind the last one; then the reader is led to that."""
        if page.page_index <= page.page_count:
            return False
        self.redirect(self.address_of(page.page_count), status=302)
        return True

    def address_of(self, n: int) -> str:
        raise NotImplementedError


class FrontPage(ListPage[Post]):
    async def get(self, number: str | None = None) -> None:
        n = self.page_number(number)
        if n is None:
            return
        page = await self.app.models.posts.front(n)
        if not self.beyond(page):
            self.show("front.html", page=page, authors=await self.authors(page.items), href=self.address_of)

    def address_of(self, n: int) -> str:
        return self.reverse_url("front") if n == 1 else self.reverse_url("front_page", n)


class TagPage(ListPage[Post]):
    async def get(self, tag: str, number: str | None = None) -> None:
        if tag != tag.lower():
            self.redirect(self.reverse_url("tag", tag.lower()), permanent=True)
            return
        n = self.page_number(number)
        if n is None:
            return
        page = await self.app.models.posts.tagged(tag, n)
        if not page.item_count:
            raise NotFound(f"tag {tag}")
        if not self.beyond(page):
            self.show("tag.html", tag=tag, page=page, authors=await self.authors(page.items), href=self.address_of)

    def address_of(self, n: int) -> str:
        tag = self.path_args[0].lower()
        return self.reverse_url("tag", tag) if n == 1 else self.reverse_url("tag_page", tag, n)


class UserPage(ListPage[Post]):
    async def get(self, id: str, number: str | None = None) -> None:
        n = self.page_number(number)
        if n is None:
            return
        models = self.app.models
        person, page, comments = await asyncio.gather(
            models.users.by_id(int(id)), models.posts.by_author(int(id), n), models.comments.latest_of(int(id))
        )
        if self.beyond(page):
            return
        posts = {
            post.id: post
            for post in await models.posts.many([c.post_id for c in comments])
            if post.status == "published"
        }
        shown = [comment for comment in comments if comment.post_id in posts]
        self.show("user.html", person=person, page=page, comments=shown, posts=posts, href=self.address_of,
                  authors={person.id: person})  # fmt: skip

    def address_of(self, n: int) -> str:
        id = self.path_args[0]
        return self.reverse_url("user", id) if n == 1 else self.reverse_url("user_page", id, n)


class ArchivePage(HtmlPage):
    async def get(self) -> None:
        years: dict[int, list[tuple[date, int]]] = {}
        for month, n in await self.app.models.posts.months():
            years.setdefault(month.year, []).append((month, n))
        self.show("archive.html", years=list(years.items()))


class MonthPage(HtmlPage):
    arguments = ("after",)

    async def get(self, name: str) -> None:
        try:
            wanted = date.fromisoformat(f"{name}-01")
        except ValueError:
            raise NotFound("month") from None
        found = await self.app.models.posts.months()
        months, counts = [first for first, _ in found], [n for _, n in found]
        if wanted not in months:
            raise NotFound("month")
        at, after = months.index(wanted), self.query_number("after")
        if after % PER_MONTH or after >= counts[at]:  # no link of ours; MySQL would walk to it through the whole month
            raise NotFound(f"after={after}")
        posts, more = await self.app.models.posts.of_month(wanted, after=after)
        self.show(
            "archive_month.html", month=wanted, posts=posts, newer=months[at - 1] if at else None,
            older=months[at + 1] if at + 1 < len(months) else None, more=f"?after={more}" if more else None,
            authors=await self.authors(posts),
        )  # fmt: skip


class AboutPage(HtmlPage):
    async def get(self) -> None:
        self.show("about.html", html=await asyncio.to_thread(_about, self.site.about))


@lru_cache(2)  # it hardly ever changes, and the longest takes a second
def _about(md: str) -> str:
    try:
        return render(md).html
    except TooLong:  # of the settings file; on the page of the site it is refused
        return f"<pre>{escape(md)}</pre>"


class NoSuchPage(HtmlPage):
    """Any other address: an old one that leads to a new one, or nothing."""

    async def get(self) -> None:
        target = await self.app.models.redirects.target(self.request.path)
        if target is None:
            raise NotFound(self.request.path)
        self.redirect(quote(target, safe="/%"), permanent=True)

    async def post(self) -> None:
        raise NotFound(self.request.path)

    put = patch = delete = options = post
