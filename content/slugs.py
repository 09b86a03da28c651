"""Words for addresses, and plain text cut to length."""

import re
import unicodedata

from slugify import slugify

LONGEST_SLUG = 80  # characters; a Chinese one is nine times as long in the address
_SPACES = re.compile(r"\s+")
_LATIN_END = re.compile(r"[^\W_]$")
_WIDE = frozenset({"W", "F"})


def slug(title: str) -> str:
    """The title in an address: lower case, hyphens, letters of every script; "post" when nothing is left."""
    words = slugify(title[: 4 * LONGEST_SLUG], allow_unicode=True, max_length=LONGEST_SLUG, word_boundary=False)
    return words.strip("-") or "post"


def excerpt(text: str, n: int) -> str:
    """At most n characters of the text on one line, "…" included, never cut inside a word of a spaced script."""
    line = _SPACES.sub(" ", text).strip()
    if len(line) <= n:
        return line
    if n < 1:
        return ""
    end = n - 1
    floor = n * 3 // 5  # a word longer than the rest of the line is cut after all
    while end > floor and not _breakable(line[end - 1], line[end]):
        end -= 1
    if end == floor:
        end = n - 1
    while end > 1 and unicodedata.combining(line[end]):
        end -= 1
    return line[:end].rstrip(" ,;:，；：、(（") + "…"


def _breakable(before: str, after: str) -> bool:
    """Whether a line may end between these two characters."""
    if unicodedata.category(after).startswith("M") or after == "\u200d":
        return False
    wide = unicodedata.east_asian_width(before) in _WIDE or unicodedata.east_asian_width(after) in _WIDE
    return wide or not (_LATIN_END.match(before) and _LATIN_END.match(after))
