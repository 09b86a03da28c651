"""The numbers that runs are compared by: each from one run, or from a part of one."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from replay.histogram import of_json
from replay.objectives import NEVER_SENT
from replay.results import Route, Run

PIECES: Final = 16  # into which a single run is cut
_UNCHANGED: Final = "304"
_OTHERWISE: Final = 0.01  # share of requests that became of something else, up to which times are compared all the same


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
    counts = Counter[str]()
    for run in (*a, *b):
        for route in run.routes if run else ():
            counts[route.route] += route.n
    return sorted(counts, key=lambda route: (-counts[route], route))


def _found(run: Run, route: str) -> Route | None:
    return next((one for one in run.routes if one.route == route), None)


def asked(run: Run, route: str) -> int:
    found = _found(run, route)
    return found.n if found else 0


def typical_of_route(run: Run, route: str) -> float | None:
    found = _found(run, route)
    return found.typical_ms if found else None


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


def unlike(a: Sequence[Run | None], b: Sequence[Run | None], names: tuple[str, str]) -> list[str]:
    """Why the times of these are no times of the same work: what became of requests differs by more than `_OTHERWISE`, and by
    more than it does from run to run. A line for each, with the shares."""
    found = []
    for what, share in (
        ("failed", _failed), ("were refused (4xx)", _refused), ("were sent elsewhere (3xx)", _elsewhere),
        ("were not sent", _unsent),
    ):  # fmt: skip
        if shares := _apart(a, b, share):
            found.append(f"of {names[0]}'s requests {shares[0]:.1%} {what}, of {names[1]}'s {shares[1]:.1%}")
    return found


def unchanged(a: Sequence[Run | None], b: Sequence[Run | None], names: tuple[str, str]) -> list[str]:
    """A remark where one told more visitors than the other that what they have is right still. Its times are compared all
    the same: who no longer knows that nothing has changed does more work, and visitors wait for it."""
    shares = _apart(a, b, _unmodified)
    if shares is None:
        return []
    told = (
        f"Of {names[0]}'s answers {shares[0]:.1%} said that nothing had changed (304), of {names[1]}'s {shares[1]:.1%}"
    )
    return [f"{told}: that is less work than the whole answer, and part of what differs may be this alone."]


def _apart(
    a: Sequence[Run | None], b: Sequence[Run | None], share: Callable[[Run], float]
) -> tuple[float, float] | None:
    one, two = ([share(run) for run in side if run] for side in (a, b))
    of_a, of_b = sum(one) / len(one), sum(two) / len(two)
    apart = abs(of_a - of_b) > max(_OTHERWISE, max(one) - min(one), max(two) - min(two))
    return (of_a, of_b) if apart else None


def _failed(run: Run) -> float:
    """Not answered, or by an error of the server."""
    return _share(run, lambda word: word.startswith("5") or not (word.isdigit() or word in NEVER_SENT))


def _refused(run: Run) -> float:
    return _share(run, lambda word: word.startswith("4"))


def _elsewhere(run: Run) -> float:
    return _share(run, lambda word: word.startswith("3") and word != _UNCHANGED)


def _unmodified(run: Run) -> float:
    return _share(run, lambda word: word == _UNCHANGED)


def _unsent(run: Run) -> float:
    return _share(run, lambda word: word in NEVER_SENT)


def _share(run: Run, counts: Callable[[str], bool]) -> float:
    return sum(n for word, n in run.outcomes.items() if counts(word)) / max(1, sum(run.outcomes.values()))
