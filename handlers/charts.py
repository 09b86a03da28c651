"""Charts as shapes of SVG: numbers alone, for a template to draw; colours are the stylesheet's."""

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 600.0, 100.0  # of the drawing; it is stretched to its place
GAP = 0.15  # of a bar's room


class Shape(NamedTuple):
    """A rectangle, and which part of its bar it is."""

    x: float
    y: float
    width: float
    height: float
    part: int


def stacked(bars: Sequence[Sequence[int]]) -> list[Shape]:
    """Each bar is as high as the drawing and shows its parts as shares, the first at the bottom; a bar of nothing is left out."""
    shapes, room = list[Shape](), WIDTH / max(1, len(bars))
    for at, parts in enumerate(bars):
        whole, top = sum(parts), HEIGHT
        for part, value in enumerate(parts):
            if value:
                height = HEIGHT * value / whole
                top -= height
                shapes.append(Shape(_short(at * room), _short(top), _short(room * (1 - GAP)), _short(height), part))
    return shapes


def line(shares: Sequence[float | None]) -> str:
    """The points of polylines through shares of 0 to 1, for the attribute `d` of a path; where there is no share it is broken."""
    step, words, broken = WIDTH / max(1, len(shares) - 1), list[str](), True
    for at, share in enumerate(shares):
        if share is not None:
            y = _short(HEIGHT * (1 - share) * 0.9 + HEIGHT * 0.05)
            words.append(f"{'M' if broken else 'L'}{_short(at * step)} {y}")
            if broken and (at + 1 == len(shares) or shares[at + 1] is None):
                words.append("h6")  # a share alone is a dash
        broken = share is None
    return " ".join(words)


def _short(value: float) -> float:
    return round(value, 2)
