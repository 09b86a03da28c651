"""Handlers whose answers may be kept whole: those of public addresses that were made of nothing but what the cache told."""

from asyncio import Future
from contextvars import ContextVar
from typing import Any, ClassVar

from content.languages import LANGUAGES
from handlers import origin
from handlers.answers import answer_of
from handlers.app import App
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
    """`public`: the same bytes for everybody, so caches may keep them."""

    app: App
    public: ClassVar[bool] = True
    reading: Any = None

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
        if reading is None or key is None or not self._may_be_kept():
            return super().finish(chunk)
        if chunk is not None:
            self.write(chunk)
        answer = answer_of(self.route, self._headers, b"".join(self._write_buffer))
        sent = super().finish()
        if answer:
            self.app.models.pages.put(key, reading, answer)
        return sent

    def _may_be_kept(self) -> bool:
        """Redirects and errors are not; nor what says itself that it is for one reader, whatever the handler is."""
        return (
            self.get_status() == 200
            and not (self._headers_written or self.timed or hasattr(self, "_new_cookie"))
            and self._headers.get("Cache-Control", "").startswith("public")
            and "Set-Cookie" not in self._headers
        )
