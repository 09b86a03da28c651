"""The bytes of a file: to look at, to keep, and by its short address; and its picture in another size.

Behind Nginx the answer of this process has no body and says where the bytes lie (X-Accel-Redirect); Nginx sends them, ranges too.
"""

from datetime import UTC, datetime
from typing import ClassVar, Literal

from pydantic import Field
from tornado.web import HTTPError

from content import images
from content.filenames import disposition
from content.kinds import BINARY, INLINE, PDF, TEXT
from content.storage import Missing
from handlers import origin
from handlers.accepting import Accepting
from handlers.file_addresses import addresses, not_beyond
from handlers.inputs import Input
from handlers.leaving import Leaving
from handlers.pages import HtmlPage
from handlers.sending import Sending
from handlers.statuses import Told
from models.errors import NoPicture, NotFound
from models.file_rows import File
from models.roles import LOGIN
from models.tokens import WRITE
from models.uploads import Box

MONTH = 30 * 86_400  # s
BY_NGINX = "X-Plaza-Sends"  # said by Nginx (deploy/proxy.conf), which then sends the bytes


class FileItself(Sending, HtmlPage):
    """`/i/<name>`: shown by the browser, if it is of a kind that browsers only show; else to be kept."""

    how: ClassVar[Literal["inline", "attachment"]] = "inline"
    stored = False

    async def get(self, name: str) -> None:
        file = await self.app.models.files.named(name)
        # It is not remembered whole: it depends on a range, on who sends the bytes, and on the time.
        self.reading = None
        self._describe(file)
        storage = self.app.models.storage
        if self.request.headers.get(BY_NGINX):
            self.set_header("X-Accel-Redirect", storage.internal(file.sha256))
            return
        try:
            async with storage.open(file.sha256) as path:
                await self.send(path, file.sha256.hex(), file.created_at)
        except Missing as error:
            raise NotFound(f"the bytes of file {file.id}") from error

    def _describe(self, file: File) -> None:
        """Nothing that a file brings runs or loads anything, on whatever page it is put."""
        shown = file.mime in INLINE
        self.set_header("Content-Type", _type(file.mime if shown else BINARY))
        self.set_header("Content-Disposition", disposition(self.how if shown else "attachment", file.name))
        # The viewers of browsers do not start in a sandbox. A page of ours may hold one.
        self.set_header(
            "Content-Security-Policy",
            "default-src 'none'; frame-ancestors 'self'" if file.mime == PDF else "default-src 'none'; sandbox",
        )
        # Pictures may be shown by other sites: that is what their address is given to people for.
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin" if shown else "same-origin")
        left = (file.expires_at - datetime.now(UTC)).total_seconds() if file.expires_at else MONTH
        self.set_header("Cache-Control", f"public, max-age={max(0, min(MONTH, int(left)))}")
        self.clear_header("Vary")


class FileToKeep(FileItself):
    """`/d/<name>`."""

    how = "attachment"


class ShortAddress(HtmlPage):
    """`/s/<token>`."""

    stored = False  # a file that is over is over without a write

    async def get(self, token: str) -> None:
        models = self.app.models
        file = await models.files.one(models.short.decode(token))
        if not file.visible:
            raise NotFound(f"file {file.id}")
        self.redirect(self.reverse_url("file", file.stored_name), status=302)


class AskedBox(Input):
    w: int = Field(ge=1, le=images.LARGEST)
    h: int = Field(ge=1, le=images.LARGEST)


class OtherSize(Leaving, Accepting, HtmlPage):
    """`/r/<name>?w=&h=`: the address of the picture in that size, as text. One that there is not yet is made for members."""

    stored = False  # a member's question may make it
    _understood = _writes = False

    async def get(self, name: str) -> None:
        files = self.app.models.files
        sent = self.request.query_arguments
        asked = AskedBox.of_form({name: self.get_query_arguments(name) for name in sent})
        self._understood = True
        box = Box(asked.w, asked.h)
        file = await files.named(name)
        original = await files.one(file.parent_id) if file.parent_id else file
        if original.kind != "image":
            raise NoPicture({"file": "This is no picture, so it has one size only."})
        copy = await files.resized(original.id, str(box)) or await self._made(original, box)
        not_beyond(self, [copy])
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(addresses(self, copy).i)

    def scope(self) -> str:
        return WRITE if self._writes else super().scope()

    async def _made(self, original: File, box: Box) -> File:
        self._writes = True
        await self.identify()
        self.set_header("Cache-Control", "private, no-store")
        me, limits = self.member(LOGIN), self.app.limits
        # This GET writes: a picture on a page of another site must not make its readers' browsers ask for a thousand sizes.
        if self.token is None and origin.made_elsewhere(self.request):
            raise HTTPError(403, "cross-origin")
        self.tell_standing(await limits.hit(limits.upload, str(me.id)))
        return await self.while_here(self.app.models.uploads.resized(original, box, by=me))

    def refusal(self, error: BaseException | None, status: int) -> Told:
        told = super().refusal(error, status)
        return told._replace(status=400) if told.status == 422 and not self._understood else told


def _type(mime: str) -> str:
    return f"{mime}; charset=utf-8" if mime == TEXT else mime
