"""What a post said after each save: the list, what each save changed, and going back to one."""

from handlers.manage import ManagePage
from handlers.manage_editor import changes, rendered, revision_values
from models.posts import tags_in
from models.writing import Draft

PER_PAGE = 50


class RevisionsOfPost(ManagePage):
    async def get(self) -> None:
        models = self.app.models
        post = await models.posts.fresh().one(self.asked_id())
        found = await models.revisions.of_post(post.id, before=self.query_number("before") or None, most=PER_PAGE + 1)
        shown = found[:PER_PAGE]
        self.show(
            "manage/revisions.html", post=post, revisions=shown, people=await models.users.by_ids([r.author_id for r in shown]),
            older=f"?id={post.id}&before={shown[-1].id}" if len(found) > PER_PAGE else None,
        )  # fmt: skip


class OneRevision(ManagePage):
    """`id` is the revision's. GET: what it changed, or with `to=now` what has changed since. POST: make it the post's text."""

    async def get(self) -> None:
        models = self.app.models
        revision = await models.revisions.one(self.asked_id())
        post = await models.posts.fresh().one(revision.post_id)
        body = await models.bodies.fresh().one(post.id)
        now = {"title": post.title, "summary": post.summary, "body": body.md, "tags": ", ".join(post.tags)}
        mine = revision_values(revision)
        since = self.get_query_argument("to", "") == "now"
        earlier = None if since else await models.revisions.before(revision)
        if since:
            fields = await changes(mine, now)
        else:
            fields = await changes(revision_values(earlier) if earlier else {}, mine)
        self.show(
            "manage/revision.html", post=post, revision=revision, since=since, fields=fields, earlier=earlier,
            present=mine == now, html=await rendered(revision.md), person=await models.users.find(revision.author_id),
        )  # fmt: skip

    async def post(self) -> None:
        models = self.app.models
        revision = await models.revisions.one(self.asked_id())
        draft = Draft(revision.title, revision.summary, revision.md, tags_in(revision.tags, most=0))
        post = await models.writing.edit(revision.post_id, draft, by=self.member())
        self.redirect(f"{self.reverse_url('manage_edit')}?id={post.id}&done=restored", status=303)
