"""What an upload is, found in its bytes; what its sender says of it is not believed."""

import codecs
import struct
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import puremagic

from content import filenames, images

Kind = Literal["image", "pdf", "video", "audio", "text", "binary"]

BINARY, TEXT, PDF = "application/octet-stream", "text/plain", "application/pdf"
# Of text that a browser would run. Its kind is text, and it is shown as that on pages of ours, but sent as bytes to be kept.
_RUNS = frozenset({".html", ".htm", ".xhtml", ".shtml", ".svg", ".xml", ".xsl", ".xslt", ".mht", ".mhtml", ".hta"})
_MARKUP = (
    b"<!doctype",
    b"<html",
    b"<head",
    b"<body",
    b"<script",
    b"<svg",
    b"<?xml",
    b"<!--",
    b"<iframe",
    b"<style",
    b"<a ",
)

_LOOKED_AT = 1 << 18  # bytes, to tell text from the rest
# The header of an image must lie within these: its marks are read one by one, a megabyte of them in a second at worst. A WebP
# or AVIF must lie within more as a whole, because their readers want all of it, and take it fast.
_HEADER, _CONTAINER = 1 << 20, 16 << 20
_PNG = b"\x89PNG\r\n\x1a\n"
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\r\f\x1b"))

# What browsers play, by puremagic's names for it.
_PLAYED = {
    "audio/mpeg": "audio/mpeg", "audio/mp4": "audio/mp4", "application/ogg": "audio/ogg", "audio/ogg": "audio/ogg",
    "audio/wave": "audio/wav", "audio/x-wav": "audio/wav", "audio/flac": "audio/flac", "audio/aac": "audio/aac",
    "video/mp4": "video/mp4", "video/webm": "video/webm", "video/quicktime": "video/quicktime",
    "video/x-matroska": "video/x-matroska", "video/avi": "video/x-msvideo", "video/x-msvideo": "video/x-msvideo",
    "video/mpeg": "video/mpeg", "video/dvd": "video/mpeg",
}  # fmt: skip
MOST_PIXELS = 100_000_000  # as in settings.py
_WEAK = 0.3  # below it a match is two bytes long, and the name must say the same
_WEAK_SUFFIXES = {".mp3": "audio/mpeg", ".aac": "audio/aac"}

INLINE = frozenset({*images.MIMES.values(), *_PLAYED.values(), "video/ogg", PDF, TEXT})


class TooManyPixels(Exception):
    """An image that nobody here is going to decode."""


@dataclass(frozen=True, slots=True)
class Found:
    """`mime` is never one that a browser runs. `width` and `height` of an image, in pixels, upright; else None."""

    mime: str
    kind: Kind
    width: int | None = None
    height: int | None = None


def find(path: Path, name: str, most_pixels: int = MOST_PIXELS) -> Found:
    """Reads the beginning of the file at `path`; `name` is what its sender calls it. Raises TooManyPixels."""
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT)
        if images.looks_like_one(head):
            most = _CONTAINER if images.is_container(head) else _HEADER
            if size := _size(head + file.read(most - len(head)), most_pixels):
                return Found(size.mime, "image", size.width, size.height)
    if head.startswith(b"%PDF-"):
        return Found(PDF, "pdf")
    suffix = filenames.suffix(name)
    if _is_text(head):
        return Found(BINARY if suffix in _RUNS or _is_markup(head) else TEXT, "text")
    mime = _played(path, head, suffix)
    return Found(mime, "video" if mime.startswith("video/") else "audio") if mime else Found(BINARY, "binary")


def _size(data: bytes, most_pixels: int) -> images.Header | None:
    """None for what only begins like an image."""
    if data.startswith(_PNG) and data[12:16] == b"IHDR" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        if width * height > most_pixels:
            raise TooManyPixels(f"{width} x {height}")
    header = images.header(BytesIO(data))
    if header and header.width * header.height > most_pixels:
        raise TooManyPixels(f"{header.width} x {header.height}")
    return header


def _is_text(head: bytes) -> bool:
    """UTF-8 without control characters; the last sign may be cut."""
    if head.translate(None, _CONTROLS) != head:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < _LOOKED_AT)
    except UnicodeDecodeError:
        return False
    return True


def _is_markup(head: bytes) -> bool:
    return head.removeprefix(codecs.BOM_UTF8).lstrip()[:20].lower().startswith(_MARKUP)


def _played(path: Path, head: bytes, suffix: str) -> str | None:
    """The type of audio or video."""
    matches = puremagic.magic_file(path) if head else []  # the best first
    match = next((one for one in matches if one.mime_type), None)
    mime = _PLAYED.get(match.mime_type) if match else None
    if mime is None or (match and match.confidence < _WEAK and _WEAK_SUFFIXES.get(suffix) != mime):
        return None
    return "video/ogg" if mime == "audio/ogg" and b"\x80theora" in head[:4096] else mime
