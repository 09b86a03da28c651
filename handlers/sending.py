"""A file as an answer, by this process itself: whole or a range of it, to who does not have it already, piece by piece."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tornado.httputil import format_timestamp
from tornado.iostream import StreamClosedError

from handlers.base import Base

PIECE = 1 << 18  # bytes


class Part(NamedTuple):
    """From byte `first` on up to before `end`."""

    first: int
    end: int


class Sending(Base):
    """Behind Nginx nobody needs this: it does the same, faster."""

    async def send(self, path: Path, tag: str, modified: datetime) -> None:
        """Under headers that have been set. `tag`: the same for the same bytes."""
        size = path.stat().st_size
        etag = f'"{tag}"'
        self.set_header("Etag", etag)
        self.set_header("Last-Modified", modified)
        self.set_header("Accept-Ranges", "bytes")
        if self.check_etag_header():
            self.set_status(304)
            return
        headers = self.request.headers
        asked = headers.get("Range", "") if headers.get("If-Range", etag) in (etag, format_timestamp(modified)) else ""
        part = part_of(asked, size)
        if part is None:
            self.set_status(416)
            self.set_header("Content-Range", f"bytes */{size}")
            return
        if asked and part != (0, size):
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {part.first}-{part.end - 1}/{size}")
        self.set_header("Content-Length", part.end - part.first)
        if self.request.method != "HEAD":
            await self._pieces(path, part)

    async def _pieces(self, path: Path, part: Part) -> None:
        file = await asyncio.to_thread(path.open, "rb")
        try:
            file.seek(part.first)
            left = part.end - part.first
            while left:
                piece = await asyncio.to_thread(file.read, min(left, PIECE))
                left -= len(piece)
                self.write(piece)
                await self.flush()  # returns when the reader has taken it
        except StreamClosedError:
            pass  # the reader has gone
        finally:
            file.close()

    def compute_etag(self) -> None:
        """What is in the buffer is not what the tag is about."""


def part_of(asked: str, size: int) -> Part | None:
    """What a header Range asks for: all of it when that is no single range of bytes; None when there are no such bytes."""
    unit, _, told = asked.partition("=")
    first, dash, last = told.partition("-")
    if (
        unit.strip().lower() != "bytes"
        or not dash
        or not all(_is_number(text) for text in (first, last))
        or not told.strip("-")
    ):
        return Part(0, size)
    if not first:
        part = Part(max(0, size - int(last)), size)
    else:
        part = Part(int(first), min(size, int(last) + 1) if last else size)
        if last and int(last) < int(first):  # no range at all
            return Part(0, size)
    return part if part.first < part.end else None


def _is_number(text: str) -> bool:
    return not text or (text.isascii() and text.isdecimal() and len(text) < 19)
