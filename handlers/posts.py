"""A post's own page, with its comments."""

import asyncio

from content.absolute import first_image
from handlers.pages import HtmlPage
from handlers.presenters import posting
from models.comments import PER_PART


class PostPage(HtmlPage):
    arguments = ("after",)

    async def get(self, id: str, slug: str | None = None) -> None:
        models = self.app.models
        post = await models.posts.published(int(id))
        here = self.reverse_url("post", post.id, post.slug)
        if slug != post.slug:
            self.redirect(here, permanent=True)
            return
        after = self.query_number("after")
        body, talk = await asyncio.gather(models.bodies.one(post.id), models.comments.discussion(post.id, after=after))
        people = await models.users.by_ids(
            [post.author_id, *(c.author_id for thread in talk.threads for c in (thread.comment, *thread.replies))]
        )
        author = people.get(post.author_id)
        theirs = self.site.url + self.reverse_url("user", author.id) if author else ""
        image = first_image(body.html, self.site.url + here)
        facts = posting(post, author, theirs, self.site, here, image=image, comments=talk.count)
        self.show(
            "post.html", post=post, html=body.html, facts=facts, author=author, threads=talk.threads, people=people,
            comment_count=talk.count, older=here + "#comments" if talk.older else None,
            more=f"{here}?after={talk.more_after}#comments" if talk.more_after else None, part_size=PER_PART,
        )  # fmt: skip


class PostById(HtmlPage):
    """`/blog/<id>` leads to the address with the title in it."""

    async def get(self, id: str) -> None:
        post = await self.app.models.posts.published(int(id))
        self.redirect(self.reverse_url("post", post.id, post.slug), permanent=True)
