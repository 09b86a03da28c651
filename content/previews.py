"""The beginning of a text file as a page shows it: coloured by its name, cut at the end of a line."""

from functools import lru_cache
from html import escape
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from content.highlight import highlight, language

MOST = 256 * 1024  # bytes that are shown
LONGEST_COLOURED = 20_000  # characters, at most half a second of work; longer texts stay plain
_KEPT = 16  # beginnings that stay drawn, of at most some MB in all

# Suffixes that are no name of a language themselves.
_SUFFIXES = {
    "bash": "bash", "cc": "cpp", "cfg": "ini", "clj": "clojure", "conf": "nginx", "cxx": "cpp", "erl": "erlang", "ex": "elixir",
    "exs": "elixir", "hpp": "cpp", "hs": "haskell", "htm": "html", "kt": "kotlin", "ll": "llvm", "mjs": "js", "ml": "ocaml",
    "ps1": "powershell", "pyi": "python", "svg": "xml", "tsx": "ts", "jsx": "js", "xhtml": "html",
}  # fmt: skip


class Beginning(NamedTuple):
    """`html` is safe; `language` one of content.highlight, or "" for plain text; `shown`: bytes of the file that are in it."""

    html: str
    language: str
    shown: int
    whole: bool


def language_of(name: str) -> str:
    """The language of a file by its name: `a.py`, `Dockerfile`."""
    path = PurePosixPath(name.lower())
    suffix = path.suffix.removeprefix(".") or path.name
    return language(_SUFFIXES.get(suffix, suffix))


def beginning(path: Path, spoken: str) -> Beginning:
    """The beginning of the file, which is UTF-8, in the language `spoken`. Takes up to half a second: call it in a
    thread.

    Raises OSError.
    """
    with path.open("rb") as file:
        return _drawn(file.read(MOST + 1), spoken)


@lru_cache(_KEPT)
def _drawn(data: bytes, spoken: str) -> Beginning:
    whole = len(data) <= MOST
    if not whole:
        end = data.rfind(b"\n", 0, MOST) + 1
        data = data[:end] if end > MOST // 2 else _cut(data)
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    coloured = bool(spoken) and len(text) <= LONGEST_COLOURED
    html = highlight(text, spoken) if coloured else escape(text, quote=False)
    return Beginning(html, spoken if coloured else "", len(data), whole)


def _cut(data: bytes) -> bytes:
    """MOST bytes at most of what has no line that ends there, and no half of a character."""
    end = MOST
    while end > MOST - 4 and data[end] & 0xC0 == 0x80:
        end -= 1
    return data[:end]
