"""Two sides of runs on one page, side by side: what the comparison says, and what it was said from."""

from collections import Counter
from collections.abc import Sequence

from replay.comparing import ABOUT_ROUTES, Comparison
from replay.histogram import Histogram, of_json
from replay.paces import kind_of
from replay.report import beside, plans, words
from replay.report.changes import changes, span, verdict
from replay.report.curves import Curve, curve
from replay.report.heatmaps import heat_maps
from replay.report.outcomes import Bar, bars
from replay.report.pages import page
from replay.report.timelines import time_axis
from replay.results import Run

_HOW = {
    "rounds": "{} rounds of each, in turns (ABBA)", "runs": "At least {} runs of each, not in turns",
    "seconds": "One run of each, in {} pieces",
}  # fmt: skip


def html_of_two(a: Sequence[Run | None], b: Sequence[Run | None], comparison: Comparison) -> str:
    """`a` and `b` are the runs that were compared, by round; None is one that does not count. Raises ValueError where a side
    has none."""
    sides = [[run for run in side if run] for side in (a, b)]
    if not all(sides):
        raise ValueError("one side has no run that counts")
    names, rows = (comparison.a, comparison.b), changes(comparison)
    short = (names[0].partition(" (")[0], names[1].partition(" (")[0])
    first, second = sides[0][0], sides[1][0]
    x = max(time_axis(first), time_axis(second), key=lambda one: one.long)
    single = len(a) == len(b) == 1
    return page(
        "pair.html", comparison=comparison, verdict=verdict(comparison), names=names, span=span(comparison), axis=x,
        how=_HOW[comparison.by].format(words.count(comparison.rounds)), curve=_curve(sides, short),
        whole=[row for row in rows if not row.route], routes=[row for row in rows if row.route],
        about_routes=ABOUT_ROUTES,
        beside=beside.over_time(first, second, short, x) if single else beside.by_round(a, b, short),
        heats=heat_maps([first, second]) if single else [], outcomes=[_outcomes(side) for side in sides],
        commands=[(names[0], plans.command(first)), (names[1], plans.command(second))], machine=plans.shares(first.machine)[0],
        pace=kind_of(first.plan.get("pace")),
    )  # fmt: skip


def _curve(sides: Sequence[Sequence[Run]], names: tuple[str, str]) -> Curve | None:
    """Of all rounds together: their counts are added, their percentiles could not be."""
    merged = []
    for name, look, side in zip(names, beside.LOOKS, sides, strict=True):
        whole = Histogram()
        for run in side:
            if told := run.histograms.get("response"):
                whole.merge(of_json(told))
        merged.append((name, look, whole))
    return curve(merged)


def _outcomes(side: Sequence[Run]) -> list[Bar]:
    return bars(sum((Counter(run.outcomes) for run in side), Counter[str]()))
