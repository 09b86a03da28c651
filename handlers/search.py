"""The search page. The same bytes for everybody; any text in its field is a question, and gets a calm answer."""

import asyncio
from typing import Any
from urllib.parse import urlencode

from content.marking import LONGEST_HTML, marked, plain
from content.queries import LONGEST, MOST_TERMS
from handlers.file_addresses import not_beyond
from handlers.pages import ListPage
from models.errors import Busy, NotFound
from models.posts import Post
from models.search import MOST_FOUND, Found

NOTHING = Found((), 1, 1, 0)
WHERE = ("posts", "polls", "files")  # what is searched, as the address names it


class SearchPage(ListPage[int]):
    stored = False  # as many addresses as texts

    async def get(self) -> None:
        search, text, where = self.app.models.search, self.text, self.where
        find, drawn = {
            "posts": (search.posts, self._posts), "polls": (search.polls, self._polls), "files": (search.files, self._files),
        }[where]  # fmt: skip
        n = self.page_number(self.get_query_argument("page", None))
        if n is None:
            return
        frame = {
            "text": text, "where": where, "places": [(name, self._address(name)) for name in WHERE],
            "href": self.address_of, "most_found": MOST_FOUND, "most_terms": MOST_TERMS, "longest": LONGEST,
        }  # fmt: skip
        try:
            found = await find(text, page=n)
            if found.page_index > found.page_count:
                self.redirect(self.address_of(found.page_count), status=302)
                return
            shown = await drawn(found)
        except Busy as error:
            self.show_refused("search.html", error, page=NOTHING, **{where: ()}, **frame)
            return
        self.show("search.html", page=found, **frame, **shown)

    async def _posts(self, found: Found) -> dict[str, Any]:
        models = self.app.models
        posts = [post for post in await models.posts.many(found.ids) if post.status == "published"]
        bodies, authors = await asyncio.gather(self._beginnings(posts), self.authors(posts))
        # Of ten long bodies and twelve short words it takes half a second: not on the loop.
        excerpts = await asyncio.to_thread(_excerpts, posts, bodies, found.marks)
        titles = {post.id: marked(post.title, found.marks, None) for post in posts}
        return {"posts": posts, "authors": authors, "titles": titles, "excerpts": excerpts}

    async def _beginnings(self, posts: list[Post]) -> dict[int, str]:
        """All else of a remembered answer is in Redis: without MySQL summaries do. A page that asked MySQL itself is not kept."""
        try:
            return await self.app.models.bodies.beginnings([post.id for post in posts], LONGEST_HTML)
        except Busy:
            return {}

    async def _polls(self, found: Found) -> dict[str, Any]:
        polls = [poll for poll in await self.app.models.polls.many(found.ids) if poll.status in ("open", "closed")]
        questions = {poll.id: marked(poll.question, found.marks, None) for poll in polls}
        choices = {poll.id: [marked(choice.text, found.marks, None) for choice in poll.choices] for poll in polls}
        return {"polls": polls, "titles": questions, "choices": choices}

    async def _files(self, found: Found) -> dict[str, Any]:
        files = [file for file in await self.app.models.files.many(found.ids) if file.visible]
        not_beyond(self, files)
        return {"files": files, "titles": {file.id: marked(file.name, found.marks, None) for file in files}}

    @property
    def text(self) -> str:
        return self.get_query_argument("q", "")

    @property
    def where(self) -> str:
        """What is searched. Raises NotFound for what nothing is known of."""
        name = self.get_query_argument("in", "posts")
        if name not in WHERE:
            raise NotFound(f"in={name}")
        return name

    def address_of(self, n: int) -> str:
        return self._address(self.where, n)

    def _address(self, where: str, n: int = 1) -> str:
        """A text longer than any search is cut in the links: the rest of it was not looked for."""
        asked = {"q": self.text[: LONGEST + 30]} | ({"in": where} if where != "posts" else {})
        return f"{self.reverse_url('search')}?{urlencode(asked | ({'page': str(n)} if n > 1 else {}))}"


def _excerpts(posts: list[Post], bodies: dict[int, str], marks: tuple[str, ...]) -> dict[int, list[tuple[str, bool]]]:
    return {post.id: _excerpt(post, bodies.get(post.id, ""), marks) for post in posts}


def _excerpt(post: Post, html: str, marks: tuple[str, ...]) -> list[tuple[str, bool]]:
    """The place of the body that has the words, else the summary."""
    text = plain(html)
    pieces = marked(text, marks)
    if any(hit for _, hit in pieces):
        return pieces
    return marked(post.summary, marks, None)
