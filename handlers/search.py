"""The search page. The same bytes for everybody; any text in its field is a question, and gets a calm answer."""

import asyncio
from urllib.parse import urlencode

from content.marking import LONGEST_HTML, marked, plain
from content.queries import LONGEST, MOST_TERMS
from handlers.pages import ListPage
from models.posts import Post
from models.search import MOST_FOUND


class SearchPage(ListPage[int]):
    async def get(self) -> None:
        text = self.text
        n = self.page_number(self.get_query_argument("page", None))
        if n is None:
            return
        models = self.app.models
        found = await models.search.posts(text, page=n)
        if found.page_index > found.page_count:
            self.redirect(self.address_of(found.page_count), status=302)
            return
        posts = [post for post in await models.posts.many(found.ids) if post.status == "published"]
        bodies, authors = await asyncio.gather(
            models.bodies.beginnings([post.id for post in posts], LONGEST_HTML), self.authors(posts)
        )
        # Of ten long bodies and twelve short words it takes half a second: not on the loop.
        excerpts = await asyncio.to_thread(_excerpts, posts, bodies, found.marks)
        self.show(
            "search.html", text=text, page=found, posts=posts, authors=authors, href=self.address_of,
            titles={post.id: marked(post.title, found.marks, None) for post in posts},
            excerpts=excerpts,
            most_found=MOST_FOUND, most_terms=MOST_TERMS, longest=LONGEST,
        )  # fmt: skip

    @property
    def text(self) -> str:
        return self.get_query_argument("q", "")

    def address_of(self, n: int) -> str:
        """A text longer than any search is cut in the links: the rest of it was not looked for."""
        asked = {"q": self.text[: LONGEST + 30], **({"page": str(n)} if n > 1 else {})}
        return f"{self.reverse_url('search')}?{urlencode(asked)}"


def _excerpts(posts: list[Post], bodies: dict[int, str], marks: tuple[str, ...]) -> dict[int, list[tuple[str, bool]]]:
    return {post.id: _excerpt(post, bodies.get(post.id, ""), marks) for post in posts}


def _excerpt(post: Post, html: str, marks: tuple[str, ...]) -> list[tuple[str, bool]]:
    """The place of the body that has the words, else the summary."""
    text = plain(html)
    pieces = marked(text, marks)
    if any(hit for _, hit in pieces):
        return pieces
    return marked(post.summary, marks, None)
