"""Charts as what a template draws: axes, lines and areas. The shapes are stretched to the page, the words are not.

Shapes are drawn in a square of `SIDE` units, whatever the size of the plot. Beside each chart stands the table whose rows it
draws, so that whoever cannot see it, or has no mouse, reads the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from replay.report.scales import Scale

SIDE = 1000
Place = tuple[float, float | None]  # both as a share of its axis; None is a gap


@dataclass(frozen=True, slots=True)
class Line:
    """`look` is a class of report.css: the colour and dashes of the line."""

    name: str
    look: str
    path: str
    area: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place that has a word of its own."""

    x: float
    y: float
    text: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """`about` says in a sentence what one sees. `rows` is the id of the table that it draws, `cells` which of its columns.
    `chance`: from which share of the x axis on there are too few samples to trust."""

    id: str
    title: str
    about: str
    x: Scale
    y: Scale
    lines: tuple[Line, ...]
    rows: str
    cells: tuple[int, ...]
    height: int = 180
    spots: tuple[Spot, ...] = ()
    chance: float | None = None
    note: str = ""


def line(name: str, look: str, places: Sequence[Place], *, filled: bool = False) -> Line:
    """Through these places, from left to right."""
    parts = [part for part in _unbroken(places) if part]
    path = "".join(_path(part) for part in parts)
    area = "".join(f"{_path(part)}V{SIDE}H{_number(part[0][0] * SIDE)}Z" for part in parts if filled and len(part) > 1)
    return Line(name, look, path, area)


def _unbroken(places: Sequence[Place]) -> list[list[tuple[float, float]]]:
    parts: list[list[tuple[float, float]]] = [[]]
    for x, y in places:
        if y is None:
            parts.append([])
        else:
            parts[-1].append((x, y))
    return parts


def _path(part: Sequence[tuple[float, float]]) -> str:
    """A lone place is a line of no length, which round ends make a dot."""
    points = [f"{_number(x * SIDE)} {_number((1 - y) * SIDE)}" for x, y in part]
    return f"M{points[0]}L" + " ".join(points[1:] or points)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
