"""What became of the requests: statuses, errors and cache levels, each with its share and a word for who does not know it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from replay.objectives import NEVER_SENT
from replay.report import words
from replay.results import Route, Run

_ROUTES = 60  # rows of the table
_MEANINGS = {
    "timeout": "no whole answer in time", "reset": "the connection was broken off", "refused": "nobody listened there",
    "closed": "the connection ended before the answer", "broken": "the answer was no HTTP",
    "tls": "no encrypted connection came about", "unreachable": "no way leads there",
    "no descriptor": "this machine had no free descriptor", "no port": "this machine had no free port",
    "max open": "more connections than --max-open allows",
    "interrupted": "under way when the run was ended", "unmapped": "it needs what another answer should have told",
    "not sent": "a write, and writes were not asked for", "truncated": "of its body not all was recorded",
}  # fmt: skip
_LEVELS = {
    "HIT": "from the store", "MISS": "made anew", "STALE": "an old one, while a new one is made", "BYPASS": "past the store",
    "EXPIRED": "was over, made anew", "UPDATING": "an old one, while a new one is made", "REVALIDATED": "asked, still good",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """A name with its part of the whole; `look` is "good", "bad", "quiet" or "" for neither."""

    name: str
    meaning: str
    n: int
    part: float
    look: str

    @property
    def share(self) -> str:
        return words.share(self.part)


def is_failure(outcome: str) -> bool:
    """The site's own fault: a status from 500 on, or no answer."""
    return outcome >= "500" if outcome.isdigit() else outcome not in NEVER_SENT


def failures(outcomes: Mapping[str, int]) -> int:
    return sum(n for outcome, n in outcomes.items() if is_failure(outcome))


def tried(run: Run) -> int:
    """How many were meant to be sent."""
    return run.offered - sum(run.outcomes.get(name, 0) for name in NEVER_SENT)


def bars(outcomes: Mapping[str, int]) -> list[Bar]:
    """Statuses in their order, then what went wrong, the most frequent first, then what was not sent."""
    whole = sum(outcomes.values())
    statuses = sorted((name, n) for name, n in outcomes.items() if name.isdigit())
    errors = ((name, n) for name, n in outcomes.items() if not name.isdigit())
    others = sorted(errors, key=lambda one: (one[0] in NEVER_SENT, -one[1]))
    return [Bar(name, _meaning(name), n, n / whole, _look(name)) for name, n in statuses + others if n]


def _look(outcome: str) -> str:
    if is_failure(outcome):
        return "bad"
    return "quiet" if outcome in NEVER_SENT or outcome >= "400" else "good"


def _meaning(outcome: str) -> str:
    if not outcome.isdigit():
        return _MEANINGS.get(outcome, "")
    try:
        return HTTPStatus(int(outcome)).phrase
    except ValueError:
        return ""


def changed_rows(run: Run) -> list[tuple[str, str, str]]:
    """Recorded status, the status now, and how many: the most frequent first."""
    pairs = ((name.partition(" > "), n) for name, n in sorted(run.changed.items(), key=lambda one: -one[1]))
    return [(before, now, words.count(n)) for (before, _, now), n in pairs]


def level_bars(levels: Mapping[str, int]) -> list[Bar]:
    whole = sum(levels.values())
    ordered = sorted(levels.items(), key=lambda one: -one[1])
    return [Bar(name or "unknown", _LEVELS.get(name, ""), n, n / whole, "") for name, n in ordered if n]


@dataclass(frozen=True, slots=True)
class RouteRow:
    """`part` of all requests, `slow` the p50 as a share of the slowest route's; `kept` came from a store, None unknown."""

    route: Route
    part: float
    slow: float
    failed: int
    kept: str | None


def route_rows(run: Run) -> tuple[list[RouteRow], str]:
    """Those first that took most of the time: what a request of it typically took, for each of them. And what is said of the
    others, where there are more than anybody reads."""
    whole = sum(one.n for one in run.routes)
    usual = run.service_ms["p50"] or 1.0
    slowest = max((one.response_ms["p50"] or 0.0 for one in run.routes), default=0.0) or 1.0
    ordered = sorted(run.routes, key=lambda one: (-one.n * (one.service_ms["p50"] or usual), one.route))
    rows = [
        RouteRow(
            one, one.n / whole if whole else 0.0, (one.response_ms["p50"] or 0.0) / slowest, failures(one.outcomes),
            _kept(one.levels.items()),
        )
        for one in ordered[:_ROUTES]
    ]  # fmt: skip
    rest = ordered[_ROUTES:]
    asked, failed = sum(one.n for one in rest), sum(failures(one.outcomes) for one in rest)
    said = f"{words.plural(len(rest), 'route')} more with {words.plural(asked, 'request')}, of which {words.count(failed)} failed"
    return rows, f"{said}, are in the JSON of the run." if rest else ""


def _kept(levels: Iterable[tuple[str, int]]) -> str | None:
    known = {name: n for name, n in levels if name}
    stored = sum(known.get(name, 0) for name in ("HIT", "STALE", "UPDATING", "REVALIDATED"))
    return words.share(stored, sum(known.values())) if known else None
