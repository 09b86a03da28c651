"""What somebody typed into a search field, as terms: any text is a query, and what is too much is left out and told."""

import re
from dataclasses import dataclass
from itertools import pairwise

from content.terms import Token, is_dense, tokens

LONGEST = 200  # characters
MOST_TERMS = 12
# tag:x, author:"x y" (in Chinese too), "quoted words" in the quotes of both languages, and everything else between blanks.
_PART = re.compile(
    r'(?:(tag|author|标签|作者)[:：])?(?:["“”「]([^"“”」]*)(?:["“”」]|$)|([^\s"“”「」]+))', re.IGNORECASE
)
_NAMES = {"tag": "tag", "标签": "tag", "author": "author", "作者": "author"}


@dataclass(frozen=True, slots=True)
class Query:
    """All of `terms` must be there; in each phrase the terms stand as far apart as their numbers say.

    `marks` are the words as they were typed; `left_out` what was too much.
    """

    terms: tuple[str, ...]
    phrases: tuple[tuple[tuple[str, int], ...], ...]
    tags: tuple[str, ...]
    authors: tuple[str, ...]
    marks: tuple[str, ...]
    left_out: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.terms or self.tags or self.authors)


def parse(text: str) -> Query:
    """Never fails: what holds no letter and no number asks for nothing."""
    terms: dict[str, None] = {}
    phrases: list[tuple[tuple[str, int], ...]] = []
    labels: dict[str, list[str]] = {"tag": [], "author": []}
    marks: dict[str, None] = {}
    left_out: list[str] = []
    for part in _PART.finditer(text[:LONGEST]):
        name, quoted, plain = part[1], part[2], part[3]
        words = (quoted if quoted is not None else plain).strip()
        if name and words:
            full = len(terms) + sum(map(len, labels.values())) >= MOST_TERMS
            (left_out if full else labels[_NAMES[name.lower()]]).append(words)
            continue
        found = _asked(words)
        room = MOST_TERMS - len(terms) - sum(map(len, labels.values()))
        if len(dict.fromkeys(token.term for token in found if token.term not in terms)) > room:
            left_out.append(words)
            continue
        terms |= dict.fromkeys(token.term for token in found)
        if quoted is not None or _joined(words, found):
            phrases += [tuple((token.term, token.at) for token in found)] if len(found) > 1 else []
            marks |= dict.fromkeys([words] if found else [])
        else:
            marks |= dict.fromkeys(_typed(words, found))
    if len(text) > LONGEST:
        left_out.append(text[LONGEST : LONGEST + 20].strip() + "…")
    return Query(
        tuple(terms), tuple(phrases), tuple(dict.fromkeys(labels["tag"])), tuple(dict.fromkeys(labels["author"])),
        tuple(marks), tuple(left_out),
    )  # fmt: skip


def _asked(words: str) -> list[Token]:
    """The terms that a part asks for: of a dense run the pairs that cover it, one sign alone as itself."""
    every = list(tokens(words))
    found: list[Token] = []
    for token in every:
        if not is_dense(token.term):
            found.append(token)
        elif token.end - token.start == 2:
            begins = not (found and found[-1].end > token.start)
            ends = not is_dense(words[token.end : token.end + 1])
            if begins or ends:  # every other pair, and the last one
                found.append(token)
        elif not is_dense(words[token.start - 1 : token.start] if token.start else "") and not is_dense(
            words[token.end : token.end + 1]
        ):
            found.append(token)
    return found


def _joined(words: str, found: list[Token]) -> bool:
    """Whether signs join the words to one: node.js, std::vec, 1.85.0."""
    return any(second.start > first.end for first, second in pairwise(found))


def _typed(words: str, found: list[Token]) -> list[str]:
    """The words as typed, dense runs whole."""
    pieces: list[tuple[int, int]] = []
    for token in found:
        if pieces and is_dense(token.term) and token.start <= pieces[-1][1] and is_dense(words[pieces[-1][1] - 1]):
            pieces[-1] = (pieces[-1][0], token.end)
        else:
            pieces.append((token.start, token.end))
    return [words[start:end] for start, end in pieces]
