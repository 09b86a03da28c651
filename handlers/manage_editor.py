"""The editor's form: writing a post, changing it, setting its time, and telling two editors of each other."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from content.diffs import Line, difference
from content.markdown import TooLong, render
from handlers.manage import ManagePage
from handlers.statuses import Told, tell_of
from handlers.zones import local_text, moment
from models.errors import Invalid, ModelError, Stale
from models.posts import Post, tags_in
from models.revisions import Autosave, Revision
from models.writing import Draft

FIELDS = ("title", "summary", "body", "tags", "at")


@dataclass(frozen=True, slots=True)
class Field:
    """What differs in one field of two versions; `name` is the form's."""

    name: str
    lines: list[Line]


class Editor(ManagePage):
    """The form of a post, new or old. Whatever goes wrong, what was typed comes back."""

    def filled_in(self) -> tuple[Draft, dict[str, str]]:
        """(what to save, what was typed)."""
        values = {name: self.get_body_argument(name, "", strip=name != "body") for name in FIELDS}
        values["body"] = values["body"].replace("\r\n", "\n")
        return Draft(values["title"], values["summary"], values["body"], tags_in(values["tags"], most=0)), values

    async def show_form(self, post: Post | None, values: dict[str, str], **context: Any) -> None:
        """The form, with what its text looks like beside it."""
        zone = self.app.settings.time_zone
        facts: dict[str, Any] = {
            "typed": None,
            "restored": None,
            "html": await rendered(values.get("body", "")),
            "errors": {},
        }
        errors = {name: self.translate(text) for name, text in context.pop("errors", {}).items()}
        self.show(
            "manage/edit.html", post=post, values=values, zone=zone, zone_now=local_text(datetime.now(UTC), zone),
            **{**facts, **context, "errors": errors},
        )  # fmt: skip

    async def refuse(self, told: Told, post: Post | None, values: dict[str, str]) -> None:
        self.set_status(told.status)
        await self.show_form(post, values, errors=told.fields or {"form": told.message})

    def scheduled_for(self, action: str, values: dict[str, str]) -> datetime | None:
        """The moment to publish at, when that is what is asked. Raises Invalid for one that is past, or none."""
        if action != "schedule":
            return None
        at = moment(values["at"], self.app.settings.time_zone)
        if at <= datetime.now(UTC):
            raise Invalid({"at": "Choose a moment that is still to come."})
        return at

    async def go_on(self, post: Post, action: str, at: datetime | None) -> None:
        """From a saved post: to its page when readers see it, else back to the form."""
        publishing = self.app.models.publishing
        if action == "publish" and post.status != "published":
            post = await publishing.publish(post.id, by=self.member())
        elif at:
            post = await publishing.schedule(post.id, at, by=self.member())
        if post.status == "published":
            self.redirect(self.reverse_url("post", post.id, post.slug), status=303)
        else:
            done = "scheduled" if at else "saved"
            self.redirect(f"{self.reverse_url('manage_edit')}?id={post.id}&done={done}", status=303)

    def keeps(self, told: Told) -> bool:
        # Who is known here sent a form of ours; what another site's form brought is not to be offered for sending.
        return super().keeps(told) or self.user is not None


class CreatePost(Editor):
    async def get(self) -> None:
        typed = await self.app.models.revisions.typed(self.member().id, 0)
        restored = typed if typed and self.get_query_argument("typed", "") else None
        values = typed_values(restored) if restored else {}
        await self.show_form(None, values, typed=typed, restored=restored, notice=self.get_query_argument("done", ""))

    async def post(self) -> None:
        draft, values = self.filled_in()
        action = self.get_body_argument("action", "save")
        if action == "preview":
            await self.show_form(None, values)
            return
        try:
            at = self.scheduled_for(action, values)
            post = await self.app.models.writing.create(draft, by=self.member(), publish=action == "publish")
        except ModelError as error:
            await self.refuse(tell_of(error, 422), None, values)
            return
        await self.go_on(post, action, at)


class EditPost(Editor):
    async def get(self) -> None:
        models = self.app.models
        post = await models.posts.fresh().one(self.asked_id())
        values = await self.saved_values(post)
        typed = await models.revisions.typed(self.member().id, post.id)
        if typed and {**values, "version": ""} == {**values, **typed_values(typed), "version": ""}:
            typed = None  # what was typed is what was saved
        restored = typed if typed and self.get_query_argument("typed", "") else None
        if restored:
            values |= typed_values(restored)
        await self.show_form(post, values, typed=typed, restored=restored, notice=self.get_query_argument("done", ""))

    async def post(self) -> None:
        models = self.app.models
        id = self.asked_id()
        draft, values = self.filled_in()
        action, version = self.get_body_argument("action", "save"), self.get_body_argument("version", "")
        values["version"] = version
        if action == "preview":
            await self.show_form(await models.posts.fresh().one(id), values)
            return
        began_at = int(version) if version.isascii() and version.isdecimal() and len(version) < 19 else 0
        try:
            at = self.scheduled_for(action, values)
            post = await models.writing.edit(id, draft, by=self.member(), version=began_at)
        except Stale as error:
            if not 0 < began_at < error.version or await models.revisions.since(id, began_at):
                await self.show_conflict(id, values, began_at)
                return
            # Only its state has changed, as when the worker published it: the words are still those that were edited.
            post = await models.writing.edit(id, draft, by=self.member(), version=error.version)
        except Invalid as error:
            await self.refuse(tell_of(error, 422), await models.posts.fresh().one(id), values)
            return
        await self.go_on(post, action, at)

    async def saved_values(self, post: Post) -> dict[str, str]:
        body = await self.app.models.bodies.fresh().one(post.id)
        planned = post.published_at if post.status == "scheduled" else None
        return {
            "title": post.title, "summary": post.summary, "body": body.md, "tags": ", ".join(post.tags),
            "version": str(post.version),
            "at": local_text(planned, self.app.settings.time_zone) if planned else "",
        }  # fmt: skip

    async def show_conflict(self, id: int, mine: dict[str, str], began_at: int) -> None:
        """Somebody saved meanwhile: what differs, and both ways to go on. Mine is kept as unsaved text too."""
        models = self.app.models
        post = await models.posts.fresh().one(id)
        theirs = await self.saved_values(post)
        typed = Autosave(id, datetime.now(UTC), began_at, mine["title"], mine["summary"], mine["tags"], mine["body"])
        await models.revisions.autosave(self.member().id, typed)
        saves = await models.revisions.since(id, began_at)
        base = await models.revisions.at_version(id, began_at)
        people = await models.users.by_ids([save.author_id for save in saves])
        self.set_status(409)
        self.show(
            "manage/conflict.html", post=post, values={**mine, "version": str(post.version)}, saves=saves, people=people,
            to_mine=await changes(theirs, mine), to_theirs=await changes(revision_values(base), theirs) if base else None,
        )  # fmt: skip


class PreviewPost(ManagePage):
    """The post as readers would see it; drafts are seen here alone."""

    async def get(self) -> None:
        models = self.app.models
        post = await models.posts.fresh().one(self.asked_id())
        body = await models.bodies.fresh().one(post.id)
        self.show("manage/preview.html", post=post, html=body.html, author=await models.users.find(post.author_id))


async def rendered(md: str) -> str:
    """The text as readers will see it, final and sanitised; "" for one that is too long or too tangled to be saved."""
    try:
        return (await asyncio.to_thread(render, md)).html if md.strip() else ""
    except TooLong:
        return ""


async def changes(old: dict[str, str], new: dict[str, str]) -> list[Field]:
    """What differs, field by field; computed in a thread."""
    names = [name for name in ("title", "summary", "tags", "body") if old.get(name, "") != new.get(name, "")]
    return [Field(name, await asyncio.to_thread(difference, old.get(name, ""), new.get(name, ""))) for name in names]


def typed_values(typed: Autosave) -> dict[str, str]:
    return {
        "title": typed.title, "summary": typed.summary, "body": typed.md, "tags": typed.tags,
        "version": str(typed.base_version),
    }  # fmt: skip


def revision_values(revision: Revision) -> dict[str, str]:
    return {"title": revision.title, "summary": revision.summary, "body": revision.md, "tags": revision.tags}
