"""What the editor's script asks for while somebody types: the text as readers will see it, and keeping what is not saved yet."""

from datetime import UTC, datetime

from handlers.api import JsonAnswer
from handlers.manage import ManagePage
from handlers.manage_editor import rendered
from handlers.statuses import Told
from models.errors import Invalid
from models.revisions import Autosave
from models.roles import EDITOR

LONGEST = {"title": 200, "summary": 400, "tags": 500}  # characters: the columns


class RenderText(ManagePage):
    """The Markdown in `body` as HTML, sanitised as every post is; nothing is saved."""

    async def post(self) -> None:
        html = await rendered(self.get_body_argument("body", "", strip=False))
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish(html)

    def tell(self, told: Told) -> None:
        self.finish()  # the status says it; the preview stays as it is


class KeepTyped(JsonAnswer):
    """Keep what is in the form: {"id": 0 for a new post, "version", "title", "summary", "tags", "body"} -> {"at": when}."""

    public = False
    needs = EDITOR

    async def post(self) -> None:
        fields = self.fields("id", "version", "title", "summary", "tags", "body")
        if not all(
            fields[name].isascii() and fields[name].isdecimal() and len(fields[name]) < 19 for name in ("id", "version")
        ):
            raise Invalid({"id": "This must be a whole number."})
        id, at = int(fields["id"]), datetime.now(UTC)
        if id:
            await self.app.models.posts.one(id)
        short = {name: fields[name][:most] for name, most in LONGEST.items()}
        typed = Autosave(
            id, at, int(fields["version"]), short["title"], short["summary"], short["tags"], fields["body"]
        )
        await self.app.models.revisions.autosave(self.member().id, typed)
        self.answer({"at": at.isoformat()})


class ForgetTyped(ManagePage):
    """What was typed is not wanted; on with what is saved."""

    async def post(self) -> None:
        id = self.asked_id()
        await self.app.models.revisions.discard(self.member().id, id)
        here = f"{self.reverse_url('manage_edit')}?id={id}&" if id else f"{self.reverse_url('manage_create')}?"
        self.redirect(f"{here}done=discarded", status=303)
