"""What a text can be found by: its words, English ones stemmed, and the pairs of signs of scripts written without spaces."""

import re
import threading
import unicodedata
from array import array
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from snowballstemmer import stemmer

VERSION = 1  # of these rules; rows that were read by older ones are read again
LONGEST_TERM = 40
LONGEST_LABEL = 48  # characters of the column
MOST_TERMS = 10_000  # of one row: the first ones; a long book still gets into one transaction
MOST_PLACES = 127  # of one term in one row
LAST_PLACE = 65_535  # a word behind it is found, but not as part of a phrase
TITLE = 16  # added to the weight of a term that the title has; below it: how often, by doublings

# Han, kana, hangul, Thai, Lao, Burmese, Khmer: found by pairs, since where their words end needs a dictionary.
_DENSE = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_PIECE = re.compile(
    rf"(?<![^\W_])(?:c\+\+|[cf]\#)|[{_DENSE}]+|[^\W_{_DENSE}]+(?:['’](?:s|t|re|ve|ll|d|m)\b)?", re.IGNORECASE
)
_IS_DENSE = re.compile(rf"[{_DENSE}]")
_FIRST_DENSE = "\u0e00"
_ACCENTS = re.compile("[\u0300-\u036f]")
_NO_WORD = re.compile(r"[\W_]+")
_stemmer, _turn = stemmer("english"), threading.Lock()


class Token(NamedTuple):
    """A term as it stands in a text: the `at`-th place, and the characters that it was made of."""

    term: str
    at: int
    start: int
    end: int


class Posting(NamedTuple):
    """One term of one row. `places`: where it stands, two bytes each, for phrases."""

    weight: int
    places: bytes


def tokens(text: str) -> Iterator[Token]:
    """The terms of a text in their order. A run of dense script gives each of its signs and each pair of neighbours."""
    at = 0
    for piece in _PIECE.finditer(text):
        raw, start = piece[0], piece.start()
        if raw[0] < _FIRST_DENSE or not _IS_DENSE.match(raw):
            if term := fold(raw[:64]):
                yield Token(term, at, start, piece.end())
                at += 1
            continue
        signs = "".join(map(_plain_sign, raw))
        for i, sign in enumerate(signs):
            yield Token(sign, at + i, start + i, start + i + 1)
            if i + 1 < len(signs):
                yield Token(signs[i : i + 2], at + i, start + i, start + i + 2)
        at += len(signs)


def postings(title: str, texts: Iterable[str], labels: Iterable[str] = ()) -> dict[str, Posting]:
    """All terms of a row. Labels are stored as they are, and weigh nothing. Takes long for long texts: call it in a thread."""
    counts: dict[str, int] = {}
    places: dict[str, array[int]] = {}
    titled = set[str]()
    first = 0
    for number, text in enumerate((title, *texts)):
        last = first - 1
        for term, at, _, _ in tokens(text):
            last = first + at
            count = counts.get(term, 0)
            if not count:
                if len(counts) >= MOST_TERMS:
                    continue
                places[term] = array("H")
            counts[term] = count + 1
            if count < MOST_PLACES and last <= LAST_PLACE:
                places[term].append(last)
        if number == 0:
            titled = set(counts)
        first = last + 2  # a phrase does not reach from one text into the next
    found = {
        term: Posting(min(count.bit_length(), TITLE - 1) + (TITLE if term in titled else 0), places[term].tobytes())
        for term, count in counts.items()
    }
    return found | {label[:LONGEST_LABEL]: Posting(0, b"") for label in labels}


def spots(places: bytes) -> frozenset[int]:
    """The places of a posting."""
    return frozenset(array("H", places))


@lru_cache(100_000)
def fold(word: str) -> str:
    """A word as it is stored: lower case, without accents, in one width, the stem of an English one."""
    plain = unicodedata.normalize("NFKC", word).lower().replace("’", "'")
    if not plain.isascii():
        plain = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", plain)))
    if plain in ("c++", "c#", "f#"):
        return plain
    if plain.isascii() and plain.replace("'", "").isalpha() and len(plain) <= LONGEST_TERM:
        with _turn:  # the stemmer keeps the word in itself
            plain = _stemmer.stemWord(plain)
    return _NO_WORD.sub("", plain)[:LONGEST_TERM]


def fold_name(name: str) -> str:
    """A person's name as a label: its words folded, one blank between them."""
    return " ".join(fold(word) for word in name.split()[:10]).strip()


@lru_cache(30_000)
def _plain_sign(sign: str) -> str:
    plain = unicodedata.normalize("NFKC", sign)
    return plain if len(plain) == 1 else sign


def is_dense(text: str) -> bool:
    """Whether a text begins with a sign of a script that is found by pairs."""
    return bool(_IS_DENSE.match(text))
