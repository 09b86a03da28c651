"""The place of a text that a search found, with the words marked."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import takewhile

from content.terms import fold, is_dense, tokens

Piece = tuple[str, bool]  # some text, and whether it is marked
LONGEST = 220  # characters of an excerpt
MOST_MARKS = 60  # in one text; behind them nothing more is looked for
LONGEST_HTML = 100_000  # characters of a body that are looked through

_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)(?:[^<>"]|"[^"]*")*>', re.IGNORECASE)
_ANCHOR = re.compile(r'<a [^>]*class="anchor"[^>]*>#</a>|<a [^>]*class="footnote-backref"[^>]*>.*?</a>')
_INLINE = re.compile(
    r"a|abbr|b|cite|code|del|dfn|em|i|ins|kbd|mark|q|s|samp|small|span|strong|sub|sup|u|var", re.IGNORECASE
)
_ENTITY = re.compile(r"&(amp|lt|gt|quot|nbsp|#39);")
_SIGNS = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "nbsp": " ", "#39": "'"}
_BLANKS = re.compile(r"\s+")


def plain(html: str) -> str:
    """The text of stored HTML on one line; for looking words up and for excerpts, never to be shown unescaped."""
    text = _TAG.sub(lambda tag: "" if _INLINE.fullmatch(tag[2]) else "\n", _ANCHOR.sub("", html))
    text = _ENTITY.sub(lambda entity: _SIGNS[entity[1]], text)
    return unicodedata.normalize("NFC", _BLANKS.sub(" ", text)).strip()


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
    wanted: set[str] = set()
    patterns: dict[str, None] = {}
    for mark in marks:
        for word in _words(mark):
            if is_dense(word):
                patterns[re.escape(word)] = None
            else:
                wanted.add(fold(word))
                same = takewhile(lambda pair: pair[0] == pair[1], zip(word.lower(), fold(word), strict=False))
                begin = "".join(sign for sign, _ in same) or word
                patterns[rf"(?<![^\W_]){re.escape(begin)}(?:[^\W_]|['’](?=[a-z]))*(?:(?<=c)\+\+|(?<=[cf])\#)?"] = None
    if not patterns:
        return []
    spans: list[tuple[int, int]] = []
    for found in re.finditer("|".join(sorted(patterns, key=len, reverse=True)), text, re.IGNORECASE):
        if is_dense(found[0]) or fold(found[0]) in wanted:
            spans.append(found.span())
        if len(spans) == MOST_MARKS:
            break
    return spans


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
