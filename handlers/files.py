"""Files as everybody sees them: the page to upload, with the latest ones, and a page for each, which shows what can be shown."""

import re
from typing import Any

from handlers.base import Base
from handlers.file_addresses import NAME, not_beyond
from handlers.pages import HtmlPage
from handlers.receiving import Receiving
from handlers.uploads import Upload
from models.errors import ModelError, NotFound
from models.file_rows import File
from models.roles import LOGIN, OPERATOR, has
from models.users import User

_PATH = re.compile(f"/p/{NAME}")
# What the page of a file loads beyond images, by its kind.
_LOADS = {"pdf": "frame-src 'self'", "audio": "media-src 'self'", "video": "media-src 'self'"}


class FilesPage(Upload, HtmlPage):
    """The form for who is signed in, the latest files for everybody."""

    stored = False  # Nginx has this address in a place for uploads

    async def get(self) -> None:
        self.show("files.html", **await self._latest())

    async def received(self, receiving: Receiving) -> None:
        """What is wrong with the form is told beside its fields; the file has to be chosen again."""
        try:
            await super().received(receiving)
        except ModelError as error:
            if not self.for_people:
                raise
            kept = {name: values[-1] for name, values in receiving.fields.items()}
            self.show_refused("files.html", error, values=kept, **await self._latest())

    async def _latest(self) -> dict[str, Any]:
        files = await self.app.models.files.latest()
        not_beyond(self, files)
        owners = await self.app.models.users.by_ids([file.owner_id for file in files])
        return {"files": files, "owners": owners}


class FilePage(HtmlPage):
    """`/p/<name>`."""

    async def get(self, name: str) -> None:
        models = self.app.models
        file = await models.files.named(name)
        not_beyond(self, [file])
        owner = await models.users.find(file.owner_id)
        original = await self._original(file)
        text = await models.previews.of(file) if file.kind == "text" and file.size else None
        if file.kind in _LOADS:
            policy = self._headers["Content-Security-Policy"]
            self.set_header("Content-Security-Policy", f"{policy}; {_LOADS[file.kind]}")
        self.show("file.html", file=file, owner=owner, original=original, text=text, token=models.short.encode(file.id))

    async def _original(self, file: File) -> File | None:
        """What a resized copy was made of, while that can be seen."""
        found = await self.app.models.files.find(file.parent_id) if file.parent_id else None
        return found if found and found.visible else None


async def tools(handler: Base, user: User, path: str) -> list[dict[str, str]]:
    """The link that the page of a file has for this member: where its form for deletion goes. The owner's list and that of the
    operators take the same form, and both offer to undo it."""
    found = _PATH.fullmatch(path)
    if not found:
        return []
    try:
        file = await handler.app.models.files.named(found[1])
    except NotFound:
        return []
    own = file.owner_id == user.id and has(handler.bits, LOGIN)
    if not own and (not has(handler.bits, OPERATOR) or file.parent_id):  # copies go with their original
        return []
    href = handler.reverse_url("account_files" if own else "manage_files")
    return [{"rel": "file", "href": href, "text": handler.translate("Delete")}]
