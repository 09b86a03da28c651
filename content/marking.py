"""The place of a text that a search found, with the words marked."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import takewhile

from content.terms import fold, is_dense, tokens

Piece = tuple[str, bool]  # some text, and whether it is marked
LONGEST = 220  # characters of an excerpt
MOST_MARKS = 60  # in one text; behind them nothing more is looked for
LONGEST_HTML = 60_000  # characters of a body that are looked through

# Possessive, so that a tag that does not end costs no second look; replaced by constants, for a function for each tag takes long.
_REST = r'(?:[^<>"]++|"[^"]*+")*+>'
_INLINE = re.compile(
    r"</?(?:a|abbr|b|cite|code|del|dfn|em|i|ins|kbd|mark|q|s|samp|small|span|strong|sub|sup|u|var)\b" + _REST,
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-z]" + _REST, re.IGNORECASE)
_ANCHOR = re.compile(r'<a (?=[^>]*class="(?:anchor|footnote-backref)")[^>]*>[^<]*</a>')
_SIGNS = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&nbsp;", " "), ("&#39;", "'"), ("&amp;", "&"))

_WORD_END = r"(?:[^\W_]|['’](?=[a-z]))*+(?:(?<=c)\+\+|(?<=[cf])\#)?"


def plain(html: str) -> str:
    """The text of stored HTML on one line; for looking words up and for excerpts, never to be shown unescaped."""
    text = _TAG.sub("\n", _INLINE.sub("", _ANCHOR.sub("", html)))
    if "&" in text:
        for name, sign in _SIGNS:
            text = text.replace(name, sign)
    return unicodedata.normalize("NFC", " ".join(text.split()))


def marked(text: str, marks: Sequence[str], most: int | None = LONGEST) -> list[Piece]:
    """The text in pieces, those marked that the search looked for; of a longer text than `most` the part that has most of them.

    Empty when nothing of the text is to be marked and it would have to be cut. None for `most`: the whole text.
    """
    spans = _spans(text, marks)
    start, end = 0, len(text)
    if most is not None and len(text) > most:
        if not spans:
            return []
        start, end = _window(text, spans, most)
    pieces: list[Piece] = [("…", False)] if start else []
    at = start
    for first, last in spans:
        if first >= at and last <= end:
            pieces += [(text[at:first], False), (text[first:last], True)]
            at = last
    pieces += [(text[at:end], False), ("…" if end < len(text) else "", False)]
    return [piece for piece in pieces if piece[0]]


def _spans(text: str, marks: Sequence[str]) -> list[tuple[int, int]]:
    """Where the marks stand, in order. A word is looked up by the letters that it shares with its stem, then compared."""
    # Patterns that begin with letters, in a text of one case: those Python finds by a fast search.
    lower = text.lower()
    lower = lower if len(lower) == len(text) else text
    spans: dict[int, int] = {}
    for word in {word for mark in marks for word in _words(mark.lower())}:
        dense, term = is_dense(word), fold(word)
        same = takewhile(lambda pair: pair[0] == pair[1], zip(word, term, strict=False))
        begin = word if dense else "".join(sign for sign, _ in same) or word
        left = MOST_MARKS
        for found in re.finditer(re.escape(begin) + ("" if dense else _WORD_END), lower):
            start, end = found.span()
            if dense or (not lower[start - 1 : start].isalnum() and fold(found[0]) == term):
                spans[start] = max(end, spans.get(start, 0))
                left -= 1
            if not left:
                break
    return sorted(spans.items())


def _words(mark: str) -> list[str]:
    """The words of a mark as they were typed, dense runs whole."""
    words: list[tuple[int, int]] = []
    for token in tokens(mark):
        if words and token.start <= words[-1][1] and is_dense(token.term) and is_dense(mark[words[-1][0]]):
            words[-1] = (words[-1][0], max(words[-1][1], token.end))
        else:
            words.append((token.start, token.end))
    return [mark[start:end] for start, end in words]


def _window(text: str, spans: list[tuple[int, int]], most: int) -> tuple[int, int]:
    """The part of the text with the most different marked words, beginning and ending between words."""
    best, score = spans[0], 0
    for start, _ in spans:
        inside = [(first, last) for first, last in spans if start <= first and last <= start + most * 3 // 4]
        found = len({text[first:last].lower() for first, last in inside}) * MOST_MARKS + len(inside)
        if found > score:
            best, score = (start, inside[-1][1] if inside else start), found
    length = best[1] - best[0]
    start = max(0, min(best[0] - (most - length) // 3, len(text) - most))
    end = min(len(text), start + most)
    if start and (blank := text.find(" ", start, min(start + 20, best[0]))) >= 0:
        start = blank + 1
    if end < len(text) and (blank := text.rfind(" ", max(end - 20, best[1]), end)) >= 0:
        end = blank
    return start, end
