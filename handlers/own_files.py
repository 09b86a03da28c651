"""A member's own files: the list, what they take of the quota, and their deletion, which can be taken back."""

from handlers.pages import HtmlPage
from models.errors import Invalid
from models.file_rows import File
from models.files import PER_PAGE
from models.roles import LOGIN


class OwnFiles(HtmlPage):
    """A button sends `one=<action>.<id>`, as in the lists of the manage pages."""

    public = False
    needs = LOGIN

    async def get(self) -> None:
        models, me = self.app.models, self.member()
        files = await models.files.of_owner(me.id, before=self.query_number("before"))
        self.show(
            "own_files.html", files=files, usage=await models.files.usage(me.id), quota=self.app.settings.quota,
            done=self.get_query_argument("done", ""), gone=await self._told(),
            more=f"?before={files[-1].id}" if len(files) == PER_PAGE else None,
        )  # fmt: skip

    async def post(self) -> None:
        action, _, id = self.get_body_argument("one", "").partition(".")
        if action not in ("trash", "restore") or not (id.isascii() and id.isdecimal() and len(id) <= 18):
            raise Invalid({"one": "This action is not known here."})
        files, me = self.app.models.files, self.member()
        file = await (files.trash if action == "trash" else files.restore)(int(id), by=me)
        self.redirect(f"{self.reverse_url('account_files')}?done={action}&file={file.id}", status=303)

    async def _told(self) -> File | None:
        """The file that the last action was about."""
        file = await self.app.models.files.fresh().find(self.query_number("file"))
        return file if file and file.owner_id == self.member().id else None
