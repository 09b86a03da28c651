"""Generated posts and comments: the same ones for the same seed, of the size and shape of real ones."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from models.imports import Imported

SEED = 20_240_501
START = datetime(2018, 1, 1, 9, 0, tzinfo=UTC)
WHOLE = 300  # posts, the newest ones, are as long as real ones and have comments; those before them are short


def _words(text: str) -> list[str]:
    return text.split()


SUBJECTS = _words(
    "cache reader writer table server lock page index list clock queue port record worker answer line byte"
)
VERBS = _words("keeps forgets meets follows measures carries answers sorts splits waits-for outlives repairs")
QUALITIES = _words("small slow patient quiet honest late early broad narrow plain careful second busy stale fresh")
PLACES = _words("at-night under-load in-one-trip behind-the-gate on-two-cores after-a-restart without-a-lock by-hand")
TAGS = _words("notes caching storage web python testing latency operations design history tools reading")
NAMES = _words("Ada Birger Chidi Dana Emil Farah Goro Hanna Imre Jun Kofi Lena Mattis Noor Odile Priya")
CODE = """```python
async def {a}_{b}({a}: int, *, limit: float = {n}.5) -> list[str]:
    # the {c} comes last
    found = [name for name in {b}s if name != "{c}"]
    return found[:{n}]
```"""


def posts(count: int) -> Iterator[Imported]:
    """`count` posts, oldest first, some 19 hours apart."""
    dice = random.Random(SEED)  # noqa: S311 - a seed is wanted, not a secret
    for number in range(count):
        title = _sentence(dice, 5)[:-1]
        yield Imported(
            source_path=f"bench/{number:07}.md",
            title=title,
            summary=" ".join(_sentence(dice) for _ in range(2)),
            md=_body(dice),
            tags=tuple(dice.sample(TAGS, dice.randint(1, 4))),
            author=f"{dice.choice(NAMES)} Bench",
            byline=None,
            published_at=START + timedelta(hours=19 * number),
            aliases=(),
            slug=title.lower().replace(" ", "-"),
        )


def short(number: int) -> tuple[str, str, tuple[str, ...]]:
    """One of the kinds of short post: (title, text, tags)."""
    dice = random.Random(-1 - number)  # noqa: S311
    return _sentence(dice, 5)[:-1], _sentence(dice, 6), tuple(sorted(dice.sample(TAGS, 2)))


def comments(number: int) -> Iterator[tuple[str, int | None]]:
    """What is said under post `number`: (text, the place of the comment that it answers, or None); none to eleven, mostly few."""
    dice = random.Random(SEED + number)  # noqa: S311
    for place in range(int(12 * dice.random() ** 2)):
        answers = dice.randrange(place) if place and dice.random() < 0.4 else None
        yield " ".join(_sentence(dice) for _ in range(dice.randint(1, 4))), answers


def _body(dice: random.Random) -> str:
    parts = [_paragraph(dice)]
    for _ in range(dice.randint(2, 5)):
        parts += [f"## {_sentence(dice, 4)[:-1]}", *(_paragraph(dice) for _ in range(dice.randint(1, 4)))]
        kind = dice.random()
        if kind < 0.3:
            a, b, c = dice.sample(SUBJECTS, 3)
            parts.append(CODE.format(a=a, b=b, c=c, n=dice.randint(2, 9)))
        elif kind < 0.5:
            parts.append("\n".join(f"- {_sentence(dice)}" for _ in range(dice.randint(3, 6))))
        elif kind < 0.6:
            rows = (f"| {dice.choice(SUBJECTS)} | {dice.randint(1, 900)} ms |" for _ in range(4))
            parts.append("\n".join(("| what | time |", "| --- | ---: |", *rows)))
    return "\n\n".join(parts) + "\n"


def _paragraph(dice: random.Random) -> str:
    text = " ".join(_sentence(dice) for _ in range(dice.randint(3, 7)))
    word = dice.choice(SUBJECTS)
    return text.replace(f" {word} ", dice.choice((f" **{word}** ", f" `{word}` ", f" [{word}](/tag/notes) ")), 1)


def _sentence(dice: random.Random, words: int = 0) -> str:
    said = ["the", dice.choice(QUALITIES), dice.choice(SUBJECTS), dice.choice(VERBS), "a", dice.choice(SUBJECTS)]
    while len(said) < (words or dice.randint(8, 18)):
        said += [dice.choice(PLACES), dice.choice(("and", "while", "because")), "the", dice.choice(SUBJECTS)]
        said += [dice.choice(VERBS), "the", dice.choice(QUALITIES), dice.choice(SUBJECTS)]
    return " ".join(said).replace("-", " ").capitalize() + "."
