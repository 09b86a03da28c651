"""What a poll may be: its words, its choices, its time; and the status that the time gives it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from models.errors import Invalid

Kind = Literal["single", "multiple"]
Results = Literal["always", "after_vote", "after_close"]
Status = Literal["scheduled", "open", "closed", "trashed"]
LONGEST_QUESTION, LONGEST_CHOICE = 300, 200  # characters
FEWEST_CHOICES, MOST_CHOICES = 2, 20
LAST_YEAR = 9000  # some room is left below the last that a datetime knows, for zones and sums
_CONTROL_SIGNS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ")


@dataclass(frozen=True, slots=True)
class NewPoll:
    """What an editor fills in. `opens_at` None: at once, or, of a poll that has opened, when it did. `closes_at` None: never by
    itself."""

    question: str
    choices: tuple[str, ...]
    kind: Kind = "single"
    results: Results = "always"
    visitors: bool = False
    opens_at: datetime | None = None
    closes_at: datetime | None = None


def status_at(now: datetime, opens_at: datetime, closes_at: datetime | None) -> Status:
    """What a poll that is not in the trash is at a moment."""
    if now < opens_at:
        return "scheduled"
    return "open" if closes_at is None or now < closes_at else "closed"


def tidied(new: NewPoll) -> NewPoll:
    """The poll with its blanks taken off."""
    return replace(new, question=_line(new.question), choices=tuple(map(_line, new.choices[: MOST_CHOICES + 1])))


def wrong_words(new: NewPoll) -> dict[str, str]:
    """All that is wrong with a poll that is `tidied`, by field, but for what is wrong with its end."""
    wrong: dict[str, str] = {}
    if not 0 < len(new.question) <= LONGEST_QUESTION:
        wrong["question"] = "A question has 1 to 300 characters."
    if not FEWEST_CHOICES <= len(new.choices) <= MOST_CHOICES:
        wrong["choices"] = "A poll has 2 to 20 choices."
    elif not all(0 < len(text) <= LONGEST_CHOICE for text in new.choices):
        wrong["choices"] = "A choice has 1 to 200 characters."
    elif len({text.casefold() for text in new.choices}) < len(new.choices):
        wrong["choices"] = "Two choices are the same."
    if new.kind not in ("single", "multiple"):
        wrong["kind"] = "A voter chooses one choice, or several."
    if new.results not in ("always", "after_vote", "after_close"):
        wrong["results"] = "Results are shown always, after voting, or after the close."
    for name, at in (("opens_at", new.opens_at), ("closes_at", new.closes_at)):
        if at is not None and not 1970 <= at.year <= LAST_YEAR:
            wrong[name] = "This is no date that a poll can have."
    return wrong


def wrong_end(closes_at: datetime | None, opens_at: datetime, now: datetime) -> dict[str, str]:
    """What is wrong with an end that is not to come, or that comes before the beginning."""
    if closes_at is None:
        return {}
    if closes_at <= now:
        return {"closes_at": "Choose a moment that is still to come."}
    return {"closes_at": "A poll ends after it has begun."} if closes_at <= opens_at else {}


def refuse(wrong: dict[str, str]) -> None:
    """Raises Invalid if anything is wrong."""
    if wrong:
        raise Invalid(wrong)


def _line(text: str) -> str:
    """Without line breaks and other control signs, blanks at most one at a time; nothing if there is nothing to be seen. What
    joins letters or emoji without being seen stays."""
    line = " ".join(text.translate(_CONTROL_SIGNS).split())
    return line if any(sign.isprintable() for sign in line[:LONGEST_QUESTION]) else ""
