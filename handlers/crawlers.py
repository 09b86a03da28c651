"""What programs that walk the site ask for: robots.txt, the sitemap in parts, llms.txt."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import quote

from content.slugs import excerpt
from handlers.feeds import FeedPage
from handlers.syndication import rfc3339
from models.errors import NotFound
from models.posts import Post
from models.sitemaps import Place

# Forms, what belongs to one visitor, and pages without end. A crawler has no use for them; they are no secret.
_KEEP_OUT = (
    "/manage", "/account", "/api/", "/comments/", "/confirm", "/forgot", "/language/", "/register", "/reset", "/search",
    "/signin", "/unsubscribe/", "/polls/*/ballot",
)  # fmt: skip
_XML = "application/xml; charset=UTF-8"
_TEXT = "text/plain; charset=UTF-8"
_XMLNS = "http://www.sitemaps.org/schemas/sitemap/0.9"
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


class Robots(FeedPage):
    async def get(self) -> None:
        self.set_header("Content-Type", _TEXT)
        lines = ["User-agent: *", *(f"Disallow: {path}" for path in _KEEP_OUT), "", f"Sitemap: {self.whole('sitemap')}"]
        self.finish("\n".join(lines) + "\n")


class SitemapIndex(FeedPage):
    async def get(self) -> None:
        parts = await self.app.models.sitemaps.parts()
        self.set_header("Content-Type", _XML)
        maps = [
            f"<sitemap><loc>{self.whole('sitemap_part', n)}</loc><lastmod>{_day_and_time(at)}</lastmod></sitemap>\n"
            for n, at in parts
        ]
        first = f"<sitemap><loc>{self.whole('sitemap_site')}</loc></sitemap>\n"
        self.finish(f'{_HEAD}<sitemapindex xmlns="{_XMLNS}">\n{first}{"".join(maps)}</sitemapindex>\n')


class SitemapOfSite(FeedPage):
    """The pages that are no posts and lead to all others; and the newest polls, from which links lead to the older ones."""

    async def get(self) -> None:
        self.set_header("Content-Type", _XML)
        polls = self.app.models.polls
        places = [self.whole(name) for name in ("front", "archive", "boards", "polls", "about")]
        places += [self.whole("poll", poll.id) for poll in (*await polls.open(), *await polls.closed())]
        urls = "".join(f"<url><loc>{place}</loc></url>\n" for place in places)
        self.finish(f'{_HEAD}<urlset xmlns="{_XMLNS}">\n{urls}</urlset>\n')


class SitemapPart(FeedPage):
    async def get(self, number: str) -> None:
        n = int(number)
        if str(n) != number:  # one address for each part
            raise NotFound(f"sitemap {number}")
        places = await self.app.models.sitemaps.part(n)
        if not places:
            raise NotFound(f"sitemap {number}")
        self.set_header("Content-Type", _XML)
        # Ten thousand lines take 20 ms: not on the loop.
        self.finish(await asyncio.to_thread(_urls, self.whole("post", 0, "-").removesuffix("0--"), places))


class Llms(FeedPage):
    """https://llmstxt.org: what the site is and where its texts are, in Markdown."""

    async def get(self) -> None:
        page = await self.app.models.posts.front(1)
        feed, sitemap, archive = (self.whole("feed", "json"), self.whole("sitemap"), self.whole("archive"))
        self.set_header("Content-Type", _TEXT)
        drawn = self.app.views.render(
            "machines/llms.txt", self.lang, site=self.site, lines=[self._line(post) for post in page.items],
            feed=feed, sitemap=sitemap, archive=archive, about=self.whole("about"), line=_one_line,
        )  # fmt: skip
        self.finish(drawn)

    def _line(self, post: Post) -> str:
        title = _one_line(post.title).replace("[", "(").replace("]", ")")
        summary = _one_line(post.summary)
        return f"- [{title}]({self.whole('post', post.id, post.slug)})" + (f": {summary}" if summary else "")


def _urls(prefix: str, places: list[Place]) -> str:
    """`prefix`: the address of a post up to its number. Slugs are quoted as reverse_url does it."""
    lines = [
        f"<url><loc>{prefix}{place.id}-{quote(place.slug)}</loc><lastmod>{_day_and_time(place.changed)}</lastmod></url>\n"
        for place in places
    ]
    return f'{_HEAD}<urlset xmlns="{_XMLNS}">\n{"".join(lines)}</urlset>\n'


def _day_and_time(seconds: int) -> str:
    return rfc3339(datetime.fromtimestamp(seconds, UTC))


def _one_line(text: str) -> str:
    return excerpt(text, 400)
