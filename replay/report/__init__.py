"""A run, or two of them beside each other, as one HTML file that needs nothing else: no network, no font, no script."""

from datetime import datetime
from pathlib import Path

from replay import results
from replay.histogram import Histogram, of_json
from replay.paces import kind_of
from replay.report import plans
from replay.report.curves import Curve, curve
from replay.report.figures import figures, times
from replay.report.heatmaps import heat_maps
from replay.report.outcomes import bars, changed_rows, level_bars, route_rows
from replay.report.pages import page
from replay.report.timelines import time_axis, timeline
from replay.report.verdicts import objectives, verdict

__all__ = ["html"]


def html(run: results.Run) -> str:
    """The report of a run, whatever became of it."""
    x = time_axis(run)
    machine, shares = plans.shares(run.machine)
    routes, more_routes = route_rows(run)
    return page(
        "run.html", run=run, file=Path(str(run.plan.get("file", "A run"))).name, verdict=verdict(run),
        started=_moment(run.started), figures=figures(run), objectives=objectives(run), times=times(run), curve=_curve(run),
        axis=x, timeline=timeline(run, x), heats=heat_maps([run]), routes=routes, more_routes=more_routes,
        outcomes=bars(run.outcomes), levels=level_bars(run.levels), changed=changed_rows(run), command=plans.command(run),
        pace=kind_of(run.plan.get("pace")), plan=plans.facts(run.plan), machine=machine, shares=shares,
        selfcheck=plans.facts(run.selfcheck),
    )  # fmt: skip


def _curve(run: results.Run) -> Curve | None:
    return curve(
        [("response", "response", _histogram(run, "response")), ("service", "service", _histogram(run, "service"))]
    )


def _histogram(run: results.Run, name: str) -> Histogram:
    told = run.histograms.get(name)
    return of_json(told) if told else Histogram()


def _moment(started: str) -> str:
    """As people write it; what is no time stays as it is."""
    try:
        return f"{datetime.fromisoformat(started):%-d %B %Y, %H:%M %Z}".strip()
    except ValueError:
        return started
