"""What `plaza doctor` finds: a thing, how it is, and what to do about it."""

from dataclasses import dataclass

GOOD, WARNING, BAD = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice` is empty when nothing need be done."""

    about: str
    grade: int
    seen: str
    advice: str = ""


def judged(about: str, good: bool, seen: str, advice: str, *, grade: int = BAD) -> Finding:
    """Good, or of that grade with the advice."""
    return Finding(about, GOOD, seen) if good else Finding(about, grade, seen, advice)
