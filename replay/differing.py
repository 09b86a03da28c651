"""Which answers of two sites differ, beyond what differs by itself: each is asked twice, in the order ABBA.

A request differs in a field when both answers of A say one thing, and both of B another. How often chance makes that so is
counted from the same answers with the sides mixed: one of A and one of B against the two others. What changes as time goes
by, or as writes change both sites, differs between A's two passes, which are the first and the last, and so is not held
against B.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from scipy.stats import fisher_exact

from replay.hearing import BODY, HASH, Answers, Said
from replay.normal import TEXT, general
from replay.results import Difference

SURE: Final = 0.01  # how often a field that is all noise may be called a difference
MOST: Final = 200  # differences that are told, the widest first
_SHOWN: Final = 160  # letters of an example
_TEXT: Final = f"{BODY}{TEXT}"
SENT: Final = "whether it is sent"


@dataclass(slots=True)
class _Field:
    """In how many requests of a route it differs, and in how many chance makes it seem to."""

    differs: int = 0
    chance: int = 0
    example: tuple[str, str] = ("", "")


@dataclass(slots=True)
class _Route:
    asked: int = 0
    fields: dict[str, _Field] = field(default_factory=dict)


def differences(a: tuple[Answers, Answers], b: tuple[Answers, Answers]) -> list[Difference]:
    """Of B, whose passes came between those of A. For what was recorded, A is the same `recorded` twice: then only what that
    knows is compared, and what B says differently each time is its noise. The most frequent first."""
    routes: dict[str, _Route] = {}
    known_only = a[0] is a[1]
    for i, (name, first) in a[0].said.items():
        if i not in a[1].said:
            continue
        if i not in b[0].said or i not in b[1].said:
            if not known_only:  # a record holds much that was not to be sent
                route = routes.setdefault(name, _Route())
                _add(route, {SENT: _Field(1, 0, ("an answer", "not sent: what it needs was not told"))})
            continue
        name, second = b[0].said[i]
        four = (first, second, b[1].said[i][1], a[1].said[i][1])
        _add(routes.setdefault(name, _Route()), _looked_at(four, known_only=known_only))
    found = [
        Difference(name, what, one.differs / route.asked, one.chance / route.asked, *one.example)
        for name, route in routes.items()
        for what, one in route.fields.items()
        if one.differs and _more_than_chance(one, route.asked)
    ]
    return sorted(found, key=lambda one: (-one.share, one.route, one.what))[:MOST]


def _add(route: _Route, looked_at: dict[str, _Field]) -> None:
    route.asked += 1
    for what, one in looked_at.items():
        total = route.fields.setdefault(what, _Field())
        total.differs += one.differs
        total.chance += one.chance
        total.example = total.example if any(total.example) else one.example


def _looked_at(said: tuple[Said, Said, Said, Said], *, known_only: bool) -> dict[str, _Field]:
    """All fields of the answers to one request, those of the items of a list as one, by 0 and 1."""
    found: dict[str, _Field] = {}
    for name in _names(said, known_only=known_only):
        a, b, c, d = (one.get(name, "") for one in said)
        if a == b == c == d:
            continue
        one = found.setdefault(general(name), _Field())
        if _differs(name, (a, d), (b, c)):
            one.example = one.example if one.differs else _example(name, a, b)
            one.differs = 1
        if (b != c) if known_only else _differs(name, (a, b), (c, d)) or _differs(name, (a, c), (b, d)):
            one.chance = 1
    return found


def _names(said: tuple[Said, Said, Said, Said], *, known_only: bool) -> Iterable[str]:
    """Where the status is another, all else is too: then the status is what there is to tell."""
    if len({one["status"] for one in said}) > 1:
        return ("status",)
    if known_only:
        return list(said[0])
    names = dict.fromkeys(name for one in said for name in one)
    bodies = {name for name in names if name.startswith(BODY)}
    if HASH in bodies and len(bodies) > 1:  # one was read, and another was not: nobody knows whether they differ
        return [name for name in names if name not in bodies]
    return names


def _differs(name: str, ones: tuple[str, str], others: tuple[str, str]) -> bool:
    """Of a text: also when the same lines are in both of one side and in none of the other, whatever else changes in it."""
    if ones[0] == ones[1] and others[0] == others[1]:
        return ones[0] != others[0]
    if name != _TEXT:
        return False
    return bool(_always(ones) - _ever(others) or _always(others) - _ever(ones))


def _always(texts: tuple[str, str]) -> set[str]:
    return set(texts[0].split("\n")) & set(texts[1].split("\n"))


def _ever(texts: tuple[str, str]) -> set[str]:
    return set(texts[0].split("\n")) | set(texts[1].split("\n"))


def _more_than_chance(one: _Field, asked: int) -> bool:
    if not one.chance:
        return True
    table = [[one.differs, asked - one.differs], [one.chance, asked - one.chance]]
    return bool(fisher_exact(table, alternative="greater").pvalue < SURE)


def _example(name: str, expected: str, found: str) -> tuple[str, str]:
    """Of a text, the first lines that are not in both."""
    if name == _TEXT:
        lost = next((line for line in expected.split("\n") if line not in _ever((found, found))), expected)
        new = next((line for line in found.split("\n") if line not in _ever((expected, expected))), found)
        expected, found = lost, new
    return _short(expected), _short(found)


def _short(text: str) -> str:
    text = text.replace("\n", " ")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
