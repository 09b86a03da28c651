"""A form with a file, as it comes in: its fields are gathered, its file goes to the disk piece by piece."""

import logging

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header
from tornado.web import HTTPError

from content.storage import Incoming, Storage
from handlers import media
from models.errors import Busy, Invalid, TooLarge

log = logging.getLogger("plaza.web")

AROUND = 1 << 16  # bytes of a form beside its file
_BROKEN = "This form is broken: it could not be read to its end."
_LONGEST_FIELD, _MOST_FIELDS = 1000, 20


class NotThisForm(HTTPError):
    """The body is no form that could have a file (415), or it is broken (400); `words` for who sent it."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(status, words)
        self.words = words


class Receiving:
    """`file`, and whatever fields: all together at most `most` bytes and those AROUND a file. `Files` counts the file alone."""

    def __init__(self, storage: Storage, content_type: str, most: int) -> None:
        """Raises NotThisForm."""
        kind, options = parse_options_header(content_type)
        if kind != media.MULTIPART or not options.get("boundary"):
            raise NotThisForm(415, "Send a form with a file (multipart/form-data).")
        self._storage, self._most = storage, most
        self._parser = PushMultipartParser(options["boundary"])
        self._left = most + AROUND
        self._part: MultipartSegment | None = None
        self._field = bytearray()
        self.fields: dict[str, list[str]] = {}
        self.incoming: Incoming | None = None
        self.name = ""

    async def feed(self, chunk: bytes) -> None:
        """Raises NotThisForm, Invalid, TooLarge, Busy."""
        self._left -= len(chunk)
        if self._left < 0:
            raise TooLarge({"file": "This file is too large."}, self._most)
        try:
            for event in self._parser.parse(chunk):
                await self._take(event)
        except MultipartError as error:
            raise NotThisForm(400, _BROKEN) from error
        except OSError as error:
            log.error("an upload could not be written: %s", error)
            raise Busy("the disk is full or broken", retry_after=60) from error

    def end(self) -> Incoming:
        """All is here: the file. Raises NotThisForm, Invalid."""
        try:
            self._parser.close()
        except MultipartError as error:
            raise NotThisForm(400, _BROKEN) from error
        if self.incoming is None:
            raise Invalid({"file": "Choose a file."})
        return self.incoming

    async def discard(self) -> None:
        """Nothing is left of what has not been kept."""
        if self.incoming:
            await self.incoming.discard()

    async def _take(self, event: MultipartSegment | bytes | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is not None:
            await self._go_on(event)
        else:
            self._complete()

    def _begin(self, part: MultipartSegment) -> None:
        self._part = part
        self._field.clear()
        if part.name == "file":
            if part.filename is None:
                raise Invalid({"file": "This must be a file, with its name."})
            if self.name or self.incoming:
                raise Invalid({"file": "Send one file at a time."})
            self.name = part.filename
        elif part.filename is not None:
            raise Invalid({part.name[:100]: "There is no field of this name."})

    async def _go_on(self, data: bytes) -> None:
        assert self._part
        if self._part.filename is None:
            self._field += data
            if len(self._field) > _LONGEST_FIELD:
                raise Invalid({self._part.name[:100]: "This is too long."})
            return
        if self.incoming is None:
            self.incoming = await self._storage.incoming()
        await self.incoming.write(data)

    def _complete(self) -> None:
        assert self._part
        if self._part.filename is None:
            if len(self.fields) >= _MOST_FIELDS:
                raise Invalid({"file": "There are too many of these."})
            self.fields.setdefault(self._part.name[:100], []).append(self._field.decode("utf-8", "replace"))
        elif self._part.filename and self.incoming is None:
            raise Invalid({"file": "This file is empty."})
        self._part = None
