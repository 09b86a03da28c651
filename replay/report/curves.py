"""The percentile curve: how long the slowest of a hundred, of a thousand, of all requests took."""

from collections.abc import Sequence
from dataclasses import dataclass

from replay.histogram import ABOVE, Histogram
from replay.report import words
from replay.report.drawing import Chart, Place, Spot, line
from replay.report.scales import Scale, logarithmic, nines

_SAMPLES = 160  # places on a line
_ASKED = (0.0, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999, 0.999999)
HEIGHT = 300
_CHANCE = f"Grey: fewer than {ABOVE} samples lie above, so it is chance."


@dataclass(frozen=True, slots=True)
class Row:
    """A percentile, where it stands on the chart, the milliseconds of each line there, and how many samples lie above."""

    name: str
    at: float
    values: tuple[float | None, ...]
    above: int


@dataclass(frozen=True, slots=True)
class Curve:
    chart: Chart
    rows: list[Row]


def curve(named: Sequence[tuple[str, str, Histogram]], id: str = "curve") -> Curve | None:
    """Of (name, look, histogram), the first being the most important. None when nothing was measured."""
    known = [one for one in named if one[2].n]
    if not known:
        return None
    most = max(histogram.n for _, _, histogram in known)
    x = nines(most)
    y = logarithmic(min(h.value_at(0) for _, _, h in known) / 1000, max(h.max for _, _, h in known) / 1000)
    trusted = x.at(1 - ABOVE / most) if most > ABOVE else 0.0
    lines = tuple(line(name, look, _places(h, x, y)) for name, look, h in known)
    _, look, longest = max(known, key=lambda one: one[2].max)
    spot = Spot(x.at(1 - 1 / longest.n), y.at(longest.max / 1000), f"longest {words.time(longest.max / 1000)}", look)
    chart = Chart(
        id, "Percentiles", _about(known), x, y, lines, f"{id}-rows", tuple(range(1, len(known) + 1)), HEIGHT, spots=(spot,),
        chance=trusted, note=_CHANCE,
    )  # fmt: skip
    return Curve(chart, _rows([h for _, _, h in known], most, x))


def _places(histogram: Histogram, x: Scale, y: Scale) -> list[Place]:
    """Up to the longest of all, which stands at the share that is its own."""
    shares = sorted({1 - histogram.n ** -(step / _SAMPLES) for step in range(_SAMPLES + 1)} | set(_ASKED))
    last = 1 - 1 / histogram.n
    return [
        (x.at(share), y.at((histogram.value_at(share) if share < last else histogram.max) / 1000))
        for share in (*(one for one in shares if one < last), last)
    ]


def _rows(histograms: Sequence[Histogram], most: int, x: Scale) -> list[Row]:
    """Percentiles up to the first that no line has samples for, which reads n/a, and the longest."""
    rows = []
    for share in _ASKED:
        above = round(most * (1 - share))
        values = tuple((h.value_at(share) / 1000 if not share else h.quantile_ms(share)) for h in histograms)
        rows.append(Row(f"p{100 * share:g}" if share else "shortest", x.at(share), values, above))
        if above < ABOVE:
            break
    return [*rows, Row("longest", 1.0, tuple(h.max / 1000 for h in histograms), 0)]


def _about(known: Sequence[tuple[str, str, Histogram]]) -> str:
    told = [
        f"{name}: half within {words.time(h.value_at(0.5) / 1000)}, 99 % within {words.time(h.quantile_ms(0.99))}, "
        f"the longest {words.time(h.max / 1000)}"
        for name, _, h in known
    ]
    return "Percentile curve. " + "; ".join(told) + "."
