"""Uploads: by the page of files, by `/j` for scripts, and whatever other address takes a file."""

from collections import Counter
from datetime import timedelta
from typing import Literal

from pydantic import Field
from pydantic_core import to_json
from tornado.web import HTTPError

from content import images
from handlers import media
from handlers.accepting import Accepting
from handlers.file_addresses import addresses, told
from handlers.inputs import Input
from handlers.leaving import Leaving
from handlers.limits import Limit, Standing, TooMany
from handlers.receiving import AROUND, Receiving
from handlers.streaming import Streaming
from handlers.v1 import V1
from models.counts import COUNTS
from models.errors import Invalid
from models.files import Added
from models.roles import LOGIN
from models.uploads import Box

MOST_UNDER_WAY = 4  # of an account in a process: what has not come yet counts in no quota
_AGAIN = 10  # s
_under_way: Counter[int] = Counter()  # by account
_TIMES = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
COUNTS.update({"uploads.new": 0, "uploads.known": 0})


class UploadFields(Input):
    """What stands beside the file."""

    w: int | None = Field(
        None, ge=1, le=images.LARGEST, description="With h: crop to that ratio about the centre, then scale"
    )
    h: int | None = Field(None, ge=1, le=images.LARGEST)
    expires: Literal["1h", "1d", "7d", "30d"] | None = Field(None, description="When it is deleted; else never")

    @property
    def box(self) -> Box | None:
        """Raises Invalid."""
        if (self.w is None) != (self.h is None):
            raise Invalid({"w" if self.w is None else "h": "Give both, width and height."})
        return Box(self.w, self.h) if self.w and self.h else None


class Upload(Streaming, Leaving, Accepting):
    """A POST that keeps a file: people are led to its page, scripts are told where it is."""

    _counted: int | None = None  # whose

    async def admit(self) -> Receiving:
        models, me, limits, settings = self.app.models, self.member(LOGIN), self.app.limits, self.app.settings
        self.tell_standing(await limits.hit(limits.upload, str(me.id)))
        self._count(me.id)
        headers = self.request.headers
        receiving = Receiving(models.storage, headers.get("Content-Type", ""), settings.max_upload)
        await models.files.admit(me, max(0, _length(headers.get("Content-Length", "0")) - AROUND))
        return receiving

    async def received(self, receiving: Receiving) -> None:
        incoming, fields = receiving.end(), UploadFields.of_form(receiving.fields)
        expires = _TIMES[fields.expires] if fields.expires else None
        keep = self.app.models.uploads.keep
        added = await self.while_here(
            keep(incoming, receiving.name, box=self.box(fields), expires=expires, by=self.member(LOGIN))
        )
        COUNTS["uploads.new" if added.created else "uploads.known"] += 1
        await self.uploaded(added)

    def on_finish(self) -> None:
        super().on_finish()
        self._uncount()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._uncount()

    def _count(self, account: int) -> None:
        """Raises TooMany. Who has gone already is not told of again, and so not counted."""
        if _under_way[account] >= MOST_UNDER_WAY:
            raise TooMany(Standing(Limit("upload.under_way", MOST_UNDER_WAY, _AGAIN), 0, _AGAIN))
        if not self._gone:
            _under_way[account] += 1
            self._counted = account

    def _uncount(self) -> None:
        """It may be called again."""
        account, self._counted = self._counted, None
        if account is not None:
            _under_way[account] -= 1
            if not _under_way[account]:
                del _under_way[account]

    def box(self, fields: UploadFields) -> Box | None:
        """What the picture is cropped to, if to anything. Raises Invalid."""
        return fields.box

    async def uploaded(self, added: Added) -> None:
        """Answer that it is kept."""
        if self.for_people:
            self.redirect(self.reverse_url("file", added.file.stored_name), status=303)
            return
        self.set_header("Content-Type", f"{media.JSON}; charset=UTF-8")
        self.finish(to_json(told(self, added.file)))


def _length(told: str) -> int:
    """Without Nginx nobody has looked at it: Tornado does when all is read. Raises HTTPError."""
    if not (told.isascii() and told.isdecimal() and len(told) <= 18):
        raise HTTPError(400, "Content-Length is no number")
    return int(told)


class Paste(Upload, V1):
    """`/j`."""

    async def uploaded(self, added: Added) -> None:
        file, found = added.file, addresses(self, added.file)
        self.answer({
            "url": found.i, "short_url": found.s, "origin_filename": file.name, "hash": file.hash, "width": file.width,
            "height": file.height,
        })  # fmt: skip
