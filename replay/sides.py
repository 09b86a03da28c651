"""The numbers that runs are compared by: each from one run, or from a part of one."""

from collections.abc import Sequence
from typing import Final

from replay.histogram import of_json
from replay.results import Route, Run

PIECES: Final = 16  # into which a single run is cut


def time_of(run: Run, what: str) -> float | None:
    if what != "mean":
        return run.response_ms.get(what)
    told = run.histograms.get("response")
    made = of_json(told) if told else None
    return made.total / made.n / 1000 if made and made.n else None


def throughput(run: Run) -> float | None:
    return run.completed / run.seconds if run.seconds else None


def is_closed(run: Run) -> bool:
    return str(run.plan.get("pace", "")).startswith("closed")


def routes(a: Sequence[Run | None], b: Sequence[Run | None]) -> list[str]:
    """The most asked first."""
    counts: dict[str, int] = {}
    for run in (*a, *b):
        for route in run.routes if run else ():
            counts[route.route] = counts.get(route.route, 0) + route.n
    return sorted(counts, key=lambda route: (-counts[route], route))


def _found(run: Run, route: str) -> Route | None:
    return next((one for one in run.routes if one.route == route), None)


def asked(run: Run, route: str) -> int:
    found = _found(run, route)
    return found.n if found else 0


def time_of_route(run: Run, route: str) -> float | None:
    found = _found(run, route)
    return found.response_ms.get("p50") if found else None


def pieces_of(run: Run) -> list[float | None]:
    """The typical response time of each part of the run."""
    seconds = len(run.series)
    many = min(PIECES, seconds)
    found = list[float | None]()
    for piece in range(many):
        part = run.series[piece * seconds // many : (piece + 1) * seconds // many]
        known = [(one.p50, one.completed) for one in part if one.p50 and one.completed]
        answered = sum(n for _, n in known)
        found.append(sum(p50 * n for p50, n in known) / answered if answered else None)
    return found


def failed(runs: Sequence[Run | None]) -> float:
    """The share of what was sent and not answered, or answered by an error of the server."""
    known = [run for run in runs if run]
    bad = sum(n for run in known for word, n in run.outcomes.items() if word.startswith("5") or _is_word(word))
    return bad / max(1, sum(run.sent for run in known))


def _is_word(outcome: str) -> bool:
    return not outcome.isdigit() and outcome not in ("unmapped", "not sent")
