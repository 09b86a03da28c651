"""Where a file is found, what scripts are told of it, and how long an answer with it may be kept."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

from handlers.base import Base
from models.file_rows import File

NAME = r"([0-9a-f]{32}[.a-z0-9]{0,11})"  # of a file, in a route; Tornado makes addresses of groups that hold no others
_UNITS = ("kB", "MB", "GB", "TB")


class Addresses(NamedTuple):
    """Whole ones: to keep it, the file itself, the short one, its page."""

    d: str
    i: str
    s: str
    p: str


def addresses(handler: Base, file: File) -> Addresses:
    url = handler.app.settings.site_url
    token = handler.app.models.short.encode(file.id)
    paths = (
        handler.reverse_url("file_d", file.stored_name), handler.reverse_url("file_i", file.stored_name),
        handler.reverse_url("file_s", token), handler.reverse_url("file", file.stored_name),
    )  # fmt: skip
    return Addresses(*(url + path for path in paths))


def not_beyond(handler: Base, files: Iterable[File]) -> None:
    """An answer with a file whose time will be over is another one from that moment on, without a write."""
    ends = [file.expires_at for file in files if file.expires_at]
    if ends and handler.reading is not None:
        handler.reading.ends_at(min(ends).timestamp())
        handler.reading.taint("a file will be over")


def told(handler: Base, file: File) -> dict[str, Any]:
    """The answer to an upload."""
    found = addresses(handler, file)
    return {
        "url_d": found.d, "url_i": found.i, "url_s": found.s, "url_p": found.p, "filename": file.name,
        "size": humanize_bytes(file.size), "time": file.created_at.isoformat(timespec="seconds"), "type": file.kind,
        "quoteurl": quote(found.i, safe=""),
    }  # fmt: skip


def humanize_bytes(n: int) -> str:
    """100 is "100.00 bytes", 34500 "33.69 kB", in steps of 1,024."""
    if n < 1024:
        return f"{n:.2f} bytes"
    amount, unit = n / 1024, 0
    while round(amount, 2) >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.2f} {_UNITS[unit]}"
