"""Handlers whose answers may be kept whole, here or by Nginx: those of public addresses, which are the same for everybody."""

from asyncio import Future
from contextvars import ContextVar
from typing import Any, ClassVar

from content.languages import LANGUAGES
from handlers import origin
from handlers.answers import Answer, answer_of, etag_of
from handlers.app import App
from handlers.storing import AGAIN, STATUSES, STORING, Storing, labels, packed, weak
from handlers.tracing import Traced

LONGEST = 300  # characters of an address that is kept
KEY: ContextVar[str | None] = ContextVar("key", default=None)  # under which the answer to this request may be kept
MADE: ContextVar["Future[None] | None"] = ContextVar("made", default=None)  # others wait for what this request makes


def key_of(uri: str, accepted: str, cookie: str) -> str | None:
    """Under which name an answer is kept: the address as it was sent, and the language; None for what is never kept.

    `accepted`, `cookie`: the headers Accept-Language and Cookie, or "". A reader who names no language of ours gets the site's,
    which an administrator may change: it has a place of its own.
    """
    return f"{origin.wanted_language(accepted, cookie)} {uri}" if len(uri) <= LONGEST else None


def keys_of(path: str) -> list[str]:
    """All names under which answers to an address may be kept."""
    return [f"{language} {path}" for language in ("", *LANGUAGES)]


class Keeping(Traced):
    """`public`: the same bytes for everybody, so caches may keep them. `stored`: Nginx may, too; then it asks without cookies,
    and with no parameters but the `arguments`."""

    app: App
    public: ClassVar[bool] = True
    stored: ClassVar[bool] = True
    arguments: ClassVar[tuple[str, ...]] = ()
    reading: Any = None
    _etag = ""  # of what is sent, when that is not the tag of its bytes

    def begin_reading(self) -> None:
        """From here on it is noted of what this answer is made."""
        if self.public and KEY.get() is not None:
            self.reading = self.app.models.pages.begin()

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> "Future[None]":
        """As Tornado's; the answer is kept if the same question may be answered with it again."""
        try:
            return self._finish_and_keep(chunk)
        finally:
            if (made := MADE.get()) is not None and not made.done():
                made.set_result(None)

    def _finish_and_keep(self, chunk: str | bytes | dict[str, Any] | None) -> "Future[None]":
        reading, key = self.reading, KEY.get()
        storing = STORING.get() if self._may_be_stored() else None
        keeping = self._may_be_kept()
        if storing and reading is None:  # made without MySQL: whatever lies in the store is better
            self.set_header(AGAIN, "1")
        if reading is None or key is None or not (keeping or storing):
            return super().finish(chunk)
        if chunk is not None:
            self.write(chunk)
        body = b"".join(self._write_buffer)
        answer = answer_of(self.route, self._headers, body, reading.stamps, reading.until) if keeping else None
        if storing:
            self._hand_over(storing, body, answer)
        sent = super().finish()
        if answer:
            self.app.models.pages.put(key, reading, answer)
        if storing and not storing.over:
            self.app.models.edge_news.made(storing.key(key), storing.begun, reading.names)
        return sent

    def _hand_over(self, storing: Storing, body: bytes, answer: Answer | None) -> None:
        """Send it as it is to lie in the store."""
        reading = self.reading
        settings = self.app.settings
        for name, value in labels(storing, reading.names, settings, until=reading.until, changed=reading.changed):
            self.set_header(name, value)
        if storing.zipped and (small := answer.packed if answer else packed(body)) is not None:
            self._etag = weak(answer.etag if answer else etag_of(body))
            self.set_header("Content-Encoding", "gzip")
            self._write_buffer = [small]

    def compute_etag(self) -> str | None:
        return self._etag or super().compute_etag()

    def _may_be_stored(self) -> bool:
        """Redirects, and that there is nothing, as well; these go away as pages do."""
        return self.stored and self.get_status() in STATUSES and self._is_for_everybody()

    def _may_be_kept(self) -> bool:
        """Redirects and errors are not."""
        public = self._headers.get("Cache-Control", "").startswith("public")
        return self.get_status() == 200 and public and self._is_for_everybody()

    def _is_for_everybody(self) -> bool:
        """Not what says itself that it is for one reader, whatever the handler is."""
        return (
            not (self._headers_written or self.timed or hasattr(self, "_new_cookie"))
            and not self._headers.get("Cache-Control", "").startswith("private")
            and "Set-Cookie" not in self._headers
        )
