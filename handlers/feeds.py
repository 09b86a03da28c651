"""Feeds of the site, a tag, an author, a post's comments, and of polls: the newest entries with their whole text."""

import asyncio
from collections.abc import Awaitable, Callable
from html import escape
from typing import Any
from urllib.parse import urljoin

from content.absolute import absolute
from content.slugs import excerpt
from handlers.pages import HtmlPage
from handlers.syndication import KINDS, Entry, Feed, json_feed, rfc822, rfc3339, well_formed
from handlers.views import HTML_LANGUAGE, script
from models.base import Page
from models.comments import Comment
from models.errors import NotFound
from models.polls import PER_PAGE, Poll
from models.posts import Post
from models.site import Site
from models.users import User

PAGES = 2  # of the list that a feed follows: its twenty newest posts
LONGEST_TITLE = 80  # characters of a comment's title, which is made of its words


class FeedPage(HtmlPage):
    """A feed has one language, the site's: programs fetch it, for many readers at once."""

    def show_as(self, site: Site) -> None:
        super().show_as(site)
        self.lang = site.language
        self.set_header("Content-Language", HTML_LANGUAGE[self.lang])
        self.clear_header("Vary")

    def send(self, kind: str, title: str, here: str, home: str, entries: list[Entry]) -> None:
        """End the request with the feed; Tornado answers 304 to who has these bytes."""
        logo = urljoin(self.site.url, self.site.logo) if self.site.logo else ""
        feed = Feed(title, self.site.tagline, here, home, HTML_LANGUAGE[self.lang], logo, tuple(entries))
        self.set_header("Content-Type", KINDS[kind])
        if kind == "json":
            self.finish(json_feed(feed))
        else:
            drawn = self.app.views.render(f"machines/{kind}.xml", self.lang, feed=feed, rfc3339=rfc3339, rfc822=rfc822)
            self.finish(well_formed(drawn))

    async def newest(self, page: Callable[[int], Awaitable[Page[Post]]]) -> list[Entry]:
        """The posts of the first pages of a list. A post that moved from one to the next meanwhile counts once."""
        posts: dict[int, Post] = {}
        for n in range(1, PAGES + 1):
            found = await page(n)
            posts.update((post.id, post) for post in found.items)
            if not found.has_next:
                break
        rows, authors = await asyncio.gather(
            self.app.models.bodies.many(list(posts)), self.authors(list(posts.values()))
        )
        bodies = {body.post_id: body for body in rows}
        return [
            self._post(post, bodies[post.id].html, authors.get(post.author_id))
            for post in posts.values()
            if post.id in bodies
        ]

    def _post(self, post: Post, html: str, author: User | None) -> Entry:
        url = self.whole("post", post.id, post.slug)
        at = post.published_at or post.created_at
        name, theirs = self.author(author)
        return Entry(
            self.whole("post_id", post.id), url, post.title, post.summary, absolute(html, url), script(post.title), at,
            max(at, post.updated_at), post.byline or name, theirs, post.tags,
        )  # fmt: skip

    def comment(self, comment: Comment, post: Post, author: User | None) -> Entry:
        url = f"{self.whole('post', post.id, post.slug)}#comment-{comment.id}"
        name, theirs = self.author(author)
        said = excerpt(comment.md, LONGEST_TITLE)
        return Entry(
            self.whole("comment", comment.id), url, f"{name}: {said}", "", absolute(comment.html, url), script(said),
            comment.created_at, comment.created_at, name, theirs,
        )  # fmt: skip

    def whole(self, name: str, *args: Any) -> str:
        """The whole address of a named route, from the settings: never from what the request calls this host."""
        return self.site.url + self.reverse_url(name, *args)

    def author(self, author: User | None) -> tuple[str, str]:
        return (author.name, self.whole("user", author.id)) if author else (self.translate("Somebody"), "")


class SiteFeed(FeedPage):
    async def get(self, kind: str) -> None:
        entries = await self.newest(self.app.models.posts.front)
        self.send(kind, self.site.title, self.whole("feed", kind), self.whole("front"), entries)


class TagFeed(FeedPage):
    async def get(self, tag: str, kind: str) -> None:
        if tag != tag.lower():
            self.redirect(self.reverse_url("tag_feed", tag.lower(), kind), permanent=True)
            return
        posts = self.app.models.posts
        entries = await self.newest(lambda n: posts.tagged(tag, n))
        if not entries:
            raise NotFound(f"tag {tag}")
        here, home = self.whole("tag_feed", tag, kind), self.whole("tag", tag)
        self.send(kind, f"{tag} · {self.site.title}", here, home, entries)


class UserFeed(FeedPage):
    async def get(self, id: str, kind: str) -> None:
        posts = self.app.models.posts
        person = await self.app.models.users.by_id(int(id))
        entries = await self.newest(lambda n: posts.by_author(person.id, n))
        here, home = self.whole("user_feed", person.id, kind), self.whole("user", person.id)
        self.send(kind, f"{person.name} · {self.site.title}", here, home, entries)


class PostFeed(FeedPage):
    """The comments of a post, replies among them, newest first."""

    async def get(self, id: str, kind: str) -> None:
        models = self.app.models
        post = await models.posts.published(int(id))
        comments = await models.comments.latest_under(post.id)
        people = await models.users.by_ids([comment.author_id for comment in comments])
        entries = [self.comment(comment, post, people.get(comment.author_id)) for comment in comments]
        about = self.translate("Comments on %(title)s") % {"title": post.title}
        title = f"{about} · {self.site.title}"
        self.send(kind, title, self.whole("post_feed", post.id, kind), self.whole("post", post.id, post.slug), entries)


class PollsFeed(FeedPage):
    """The newest polls, open or closed, with what may be chosen; never how they stand, so that no vote changes an entry."""

    async def get(self, kind: str) -> None:
        models = self.app.models
        found = [*await models.polls.open(), *await models.polls.closed()]
        polls = sorted(found, key=lambda poll: poll.id, reverse=True)[:PER_PAGE]
        people = await models.users.by_ids([poll.author_id for poll in polls])
        entries = [self._poll(poll, people.get(poll.author_id)) for poll in polls]
        title = f"{self.translate('Polls')} · {self.site.title}"
        self.send(kind, title, self.whole("polls_feed", kind), self.whole("polls"), entries)

    def _poll(self, poll: Poll, author: User | None) -> Entry:
        url = self.whole("poll", poll.id)
        name, theirs = self.author(author)
        choices = "".join(f"<li>{escape(choice.text)}</li>" for choice in poll.choices)
        html = f'<ul>{choices}</ul><p><a href="{escape(url)}">{escape(self.translate("To the poll"))}</a></p>'
        return Entry(
            url, url, poll.question, "", html, script(poll.question), poll.opens_at, poll.opens_at, name, theirs
        )
