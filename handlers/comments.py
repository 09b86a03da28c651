"""Writing, changing and deleting comments by plain forms; what was typed is never lost."""

import asyncio

from handlers import doorman
from handlers.pages import HtmlPage
from handlers.statuses import tell_of
from models.comments import Comment
from models.errors import Forbidden, ModelError, NotFound
from models.posts import Post
from models.roles import LOGIN


class _Standing(HtmlPage):
    """Knows where a comment stands."""

    async def where(self, post: Post, comment: Comment) -> str:
        """The part of the post's page that shows the comment."""
        root = comment.parent_id or comment.id
        first = await self.app.models.comments.discussion(post.id)
        here: str = self.reverse_url("post", post.id, post.slug)
        on_first = any(thread.comment.id == root for thread in first.threads)
        return f"{here}{'' if on_first else f'?after={root - 1}'}#comment-{comment.id}"


class CreateComment(_Standing):
    public = False

    async def post(self, post_id: str) -> None:
        models = self.app.models
        text, parent = self.get_body_argument("body", "", strip=False), self.get_body_argument("parent_id", "")
        post: Post | None = None
        try:
            post = await models.posts.published(int(post_id))
            if self.user is None:
                self._again(
                    post,
                    text,
                    parent,
                    401,
                    "You are not signed in. Your text is kept here: sign in, then send it again.",
                )
                return
            if doorman.trapped(self):
                self._again(post, text, parent, 422, doorman.TRAPPED)
                return
            self.tell_standing(await self.app.limits.hit(self.app.limits.comment, str(self.user.id)))
            comment = await models.comments.create(post.id, text, by=self.user, parent_id=_id(parent))
        except ModelError as error:
            told = tell_of(error, 500)
            for name, value in told.headers.items():
                self.set_header(name, value)
            self._again(post, text, parent, told.status, " ".join(told.fields.values()) or told.message)
            return
        if comment.status == "held":
            self.redirect(f"{self.reverse_url('comment_edit', comment.id)}?done=held", status=303)
        else:
            self.redirect(await self.where(post, comment), status=303)

    def _again(self, post: Post | None, text: str, parent: str, status: int, message: str) -> None:
        self.show_wrong(
            "comment_again.html", status, {"body": message}, post=post, reply_to=parent or None, values={"body": text}
        )


class ReplyToComment(HtmlPage):
    """The form of a reply beside what it answers, for who has no script: with one it opens on the post's page."""

    public = False
    needs = LOGIN

    async def get(self, id: str) -> None:
        models = self.app.models
        comment = await models.comments.one(int(id))
        if comment.status != "shown":
            raise NotFound(f"comment {id}")
        post, people = await asyncio.gather(
            models.posts.published(comment.post_id), models.users.by_ids([comment.author_id])
        )
        self.show("comment_reply.html", comment=comment, post=post, people=people)


class EditComment(HtmlPage):
    public = False
    needs = LOGIN

    async def get(self, id: str) -> None:
        comment, post = await self._own(int(id))
        told = self.get_query_argument("done", "")
        self.show("comment_edit.html", comment=comment, post=post, values={"body": comment.md}, notice=told)

    async def post(self, id: str) -> None:
        comment, post = await self._own(int(id))
        text = self.get_body_argument("body", "", strip=False)
        try:
            await self.app.models.comments.edit(comment.id, text, by=self.member())
        except ModelError as error:
            told = tell_of(error, 500)
            errors = {"body": " ".join(told.fields.values()) or told.message}
            self.show_wrong("comment_edit.html", told.status, errors, comment=comment, post=post, values={"body": text})
            return
        if comment.status == "held":
            self.redirect(f"{self.reverse_url('comment_edit', comment.id)}?done=saved", status=303)
        else:
            self.redirect(self.reverse_url("comment", comment.id), status=303)

    async def _own(self, id: int) -> tuple[Comment, Post]:
        comment = await self.app.models.comments.fresh().one(id)
        if comment.status == "trashed":
            raise NotFound(f"comment {id}")
        if comment.author_id != self.member().id:
            raise Forbidden(f"comment {id}")
        return comment, await self.app.models.posts.one(comment.post_id)


class DeleteComment(HtmlPage):
    public = False
    needs = LOGIN

    async def post(self, id: str) -> None:
        comment = await self.app.models.comments.trash(int(id), by=self.member())
        post = await self.app.models.posts.one(comment.post_id)
        if self.get_body_argument("from", "") == "account" or post.status != "published":
            self.redirect(self.reverse_url("account"), status=303)
        else:
            self.redirect(self.reverse_url("post", post.id, post.slug) + "#comments", status=303)


class CommentAddress(_Standing):
    """`/comments/<id>`: the part of the post's page where the comment stands."""

    async def get(self, id: str) -> None:
        comment = await self.app.models.comments.one(int(id))
        if comment.status != "shown":
            raise NotFound(f"comment {id}")
        post = await self.app.models.posts.published(comment.post_id)
        self.redirect(await self.where(post, comment), status=302)


def _id(text: str) -> int | None:
    """The comment that is answered; 0, which is none, for what no form of ours sends."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
