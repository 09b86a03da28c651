"""What two texts differ in: line by line, and inside a changed line word by word. A Chinese word is one sign."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

CONTEXT = 2  # equal lines shown before and after a change
MOST_LINES = 3_000  # changed lines that are compared with each other; above it they are one change
MOST_WORDS = 1_500  # of a line that is compared word by word
MOST_WORK = 60_000  # words so compared in all; further changed lines are shown whole
_LIKE = 0.4  # share of equal words from which a line is another version of the one before
_HAN = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORDS = re.compile(rf"[{_HAN}]|[^\W{_HAN}]+|\s+|[^\w\s]")

Kind = Literal["same", "removed", "added", "gap"]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line; `changed` when the other line of its pair does not have it."""

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """`parts` are the line's text; a gap stands for `skipped` equal lines."""

    kind: Kind
    parts: tuple[Part, ...] = ()
    skipped: int = 0


def difference(old: str, new: str) -> list[Line]:
    """The changed lines with two equal ones around them; nothing when the texts are equal. Takes up to a second: use a thread.

    difflib takes minutes for texts of many equal lines or words unless the frequent ones are no anchors: its `autojunk`.
    """
    if old == new:
        return []
    before, after = old.splitlines(), new.splitlines()
    lines: list[Line] = []
    budget = [MOST_WORK]
    for tag, a, b, c, d in _steps(before, after):
        if tag == "equal":
            lines += [Line("same", (Part(text),)) for text in before[a:b]]
        else:
            lines += _changed(before[a:b], after[c:d], budget)
    return _folded(lines)


def _steps(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """difflib's steps; the equal beginning and end are found without it, and too large a rest is one step."""
    start, most = 0, min(len(before), len(after))
    while start < most and before[start] == after[start]:
        start += 1
    end = 0
    while end < most - start and before[-1 - end] == after[-1 - end]:
        end += 1
    a, b = len(before) - end, len(after) - end
    yield "equal", 0, start, 0, start
    if max(a, b) - start > MOST_LINES:
        yield "replace", start, a, start, b
    else:
        matcher = SequenceMatcher(None, before[start:a], after[start:b])
        for tag, i, j, k, m in matcher.get_opcodes():
            yield tag, start + i, start + j, start + k, start + m
    yield "equal", a, len(before), b, len(after)


def _changed(old: Sequence[str], new: Sequence[str], budget: list[int]) -> Iterator[Line]:
    """Removed lines, then added ones; a line that is another version of one stands right after it, its words compared."""
    added: list[Line] = []
    for one, other in zip_longest(old, new):
        pair = _words(one, other, budget) if one is not None and other is not None else None
        if pair:
            yield from added
            added = []
            yield Line("removed", pair[0])
            yield Line("added", pair[1])
            continue
        if one is not None:
            yield Line("removed", (Part(one),))
        if other is not None:
            added.append(Line("added", (Part(other),)))
    yield from added


def _words(old: str, new: str, budget: list[int]) -> tuple[tuple[Part, ...], tuple[Part, ...]] | None:
    """Both lines in pieces; None when they have too little in common to be versions of one."""
    if budget[0] <= 0:
        return None
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    budget[0] -= len(before) + len(after)
    if not before or not after or max(len(before), len(after)) > MOST_WORDS:
        return None
    matcher = SequenceMatcher(None, before, after)
    if matcher.real_quick_ratio() < _LIKE or matcher.ratio() < _LIKE:
        return None
    removed: list[Part] = []
    added: list[Part] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            removed.append(Part("".join(before[a:b])))
            added.append(Part("".join(after[c:d])))
            continue
        removed += [Part("".join(before[a:b]), True)] if b > a else []
        added += [Part("".join(after[c:d]), True)] if d > c else []
    return tuple(removed), tuple(added)


def _folded(lines: list[Line]) -> list[Line]:
    """Long runs of equal lines become a gap."""
    near = [False] * len(lines)
    for at, line in enumerate(lines):
        if line.kind != "same":
            for n in range(max(0, at - CONTEXT), min(len(lines), at + CONTEXT + 1)):
                near[n] = True
    folded: list[Line] = []
    at = 0
    while at < len(lines):
        if near[at]:
            folded.append(lines[at])
            at += 1
            continue
        end = at
        while end < len(lines) and not near[end]:
            end += 1
        folded.append(Line("gap", skipped=end - at))
        at = end
    return folded
