"""How B stands to A: the verdict, and for each thing that was compared its change with the interval around it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from replay.comparing import Comparison, Row
from replay.report import words
from replay.report.verdicts import Verdict

_COMPARED = {
    "slower": ("Slower", "bad", "✗"), "faster": ("Faster", "good", "✓"), "not enough power": ("Cannot tell", "part", "?"),
    "no difference shown": ("No difference shown", "good", "="), "not comparable": ("Not comparable", "bad", "✗"),
}  # fmt: skip


def verdict(comparison: Comparison) -> Verdict:
    word, look, sign = _COMPARED[comparison.verdict]
    return Verdict(word, look, sign, comparison.sentence, comparison.remarks)


_NARROWEST, _WIDEST = math.log(1.05), math.log(4)  # of the axis, to both sides
_LOOKS = {
    "slower": "bad",
    "faster": "good",
    "not enough power": "quiet",
    "no difference shown": "",
    "not tested": "quiet",
}


@dataclass(frozen=True, slots=True)
class Change:
    """`low`, `middle`, `high` are places on an axis whose middle is no change; None where there is nothing to draw."""

    route: str
    what: str
    n: int
    a: str
    b: str
    change: str
    between: str
    p: str
    word: str
    look: str
    low: float | None
    middle: float | None
    high: float | None


def changes(comparison: Comparison) -> list[Change]:
    half = _half(comparison.rows)
    return [_one(row, half) for row in comparison.rows]


def span(comparison: Comparison) -> tuple[str, str]:
    """What the ends of the axis mean."""
    half = _half(comparison.rows)
    return f"−{100 * (1 - math.exp(-half)):.0f} %", f"+{100 * (math.exp(half) - 1):.0f} %"


def _half(rows: Sequence[Row]) -> float:
    """The logarithm of the largest ratio that an interval reaches, within bounds: what is beyond them lies at the edge."""
    ends = [abs(math.log(end)) for row in rows for end in (row.low, row.high, row.ratio) if end]
    return min(max([_NARROWEST, *ends]) * 1.05, _WIDEST)


def _one(row: Row, half: float) -> Change:
    def place(ratio: float | None) -> float | None:
        return None if not ratio else min(max(0.5 + math.log(ratio) / half / 2, 0.0), 1.0)

    between = f"{words.times(row.low)} to {words.times(row.high)}" if row.low and row.high else ""
    word: str = row.word
    if word == "not enough power":
        word += f": {row.needed} rounds" if row.needed else ": too noisy"
    return Change(
        row.route, row.what, row.n, _amount(row, row.a), _amount(row, row.b), words.times(row.ratio) if row.ratio else "",
        between, "" if row.adjusted is None else _probability(row.adjusted), word, _LOOKS[row.word], place(row.low),
        place(row.ratio), place(row.high),
    )  # fmt: skip


def _amount(row: Row, value: float | None) -> str:
    if value is None:
        return words.NONE
    return words.ms(value) if row.unit == "ms" else f"{words.rate(value)}/s"


def _probability(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
