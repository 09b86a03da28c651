"""The editor's form: writing a post, changing it, and seeing it as readers will."""

from handlers.base import tell_of
from handlers.manage import ManagePage
from models.errors import Invalid, Stale
from models.posts import Post, tags_in
from models.writing import Draft

FIELDS = ("title", "summary", "body", "tags")


class _Editor(ManagePage):
    """The form of a post, new or old."""

    def filled_in(self) -> tuple[Draft, dict[str, str]]:
        """(what to save, what was typed)."""
        values = {name: self.get_body_argument(name, "", strip=name != "body") for name in FIELDS}
        body = values["body"].replace("\r\n", "\n")
        return Draft(values["title"], values["summary"], body, tags_in(values["tags"], most=0)), values

    def refuse(self, error: Invalid | Stale, values: dict[str, str], post: Post | None) -> None:
        told = tell_of(error, 422)
        errors = told.fields or {
            "form": "Somebody has saved this post since you opened it. Your text is kept here; saving again replaces theirs."
        }
        if isinstance(error, Stale):
            values = {**values, "version": str(error.version)}
        self.show_wrong("manage/edit.html", told.status, errors, post=post, values=values)

    async def saved(self, post: Post, action: str) -> None:
        """Go on from a saved post: to its page when it is published, else back to the form."""
        if action == "publish" and post.status != "published":
            post = await self.app.models.publishing.publish(post.id, by=self.member())
        if post.status == "published":
            self.redirect(self.reverse_url("post", post.id, post.slug), status=303)
        else:
            self.redirect(f"{self.reverse_url('manage_edit')}?id={post.id}&done=saved", status=303)


class CreatePost(_Editor):
    async def get(self) -> None:
        self.show("manage/edit.html", post=None)

    async def post(self) -> None:
        draft, values = self.filled_in()
        action = self.get_body_argument("action", "save")
        try:
            post = await self.app.models.writing.create(draft, by=self.member(), publish=action == "publish")
        except Invalid as error:
            self.refuse(error, values, None)
            return
        await self.saved(post, action)


class EditPost(_Editor):
    async def get(self) -> None:
        post = await self.app.models.posts.fresh().one(self.asked_id())
        body = await self.app.models.bodies.fresh().one(post.id)
        values = {
            "title": post.title, "summary": post.summary, "body": body.md, "tags": ", ".join(post.tags),
            "version": str(post.version),
        }  # fmt: skip
        self.show("manage/edit.html", post=post, values=values, notice=self.get_query_argument("done", ""))

    async def post(self) -> None:
        id = self.asked_id()
        draft, values = self.filled_in()
        version = self.get_body_argument("version", "")
        try:
            post = await self.app.models.writing.edit(
                id, draft, by=self.member(), version=int(version) if version.isascii() and version.isdecimal() else 0
            )
        except (Invalid, Stale) as error:
            self.refuse(error, values, await self.app.models.posts.fresh().one(id))
            return
        await self.saved(post, self.get_body_argument("action", "save"))


class PreviewPost(ManagePage):
    """The post as readers would see it; drafts are seen here alone."""

    async def get(self) -> None:
        models = self.app.models
        post = await models.posts.fresh().one(self.asked_id())
        body = await models.bodies.fresh().one(post.id)
        self.show("manage/preview.html", post=post, html=body.html, author=await models.users.find(post.author_id))
