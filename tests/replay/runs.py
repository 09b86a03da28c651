"""Runs as the engine would have written them, of a small site that is reckoned and not asked: the same each time."""

import math
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from heapq import heapreplace

from replay.histogram import Histogram
from replay.results import Heat, Objective, Route, Run, Second

ROWS_MS = [round(0.25 * 2 ** (row / 2), 3) for row in range(36)]
ROUTES = (("GET /", 0.31, 3.0), ("GET /posts/<n>", 0.42, 6.0), ("GET /search", 0.07, 24.0), ("GET /feeds/all.atom", 0.12, 5.0),
          ("POST /posts/<n>/comments", 0.05, 11.0), ("GET /static/<name>", 0.03, 0.6))  # fmt: skip
PLAN = {
    "file": "monday.rec.jsonl.gz", "target": "http://127.0.0.1:8000", "pace": "session", "speed": 10.0, "seed": 1, "workers": 1,
    "run": "4f1c", "command": ["replay", "run", "monday.rec.jsonl.gz", "--target", "http://127.0.0.1:8000", "--speed", "10"],
}  # fmt: skip
MACHINE = {
    "cores": 2, "cpu": "A processor", "system": "Linux 6.1", "python": "3.11.7", "load_before": 0.41,
    "shares": {"generator": 0.21, "nginx": 0.08, "web": 0.74, "mysql": 0.12, "other": 0.1},
}  # fmt: skip


@dataclass(slots=True)
class Noted:
    """What is noted of a route, or of all."""

    n: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    response: Histogram = field(default_factory=Histogram)
    service: Histogram = field(default_factory=Histogram)
    lag: Histogram = field(default_factory=Histogram)


def simulated(
    *,
    rate: float = 120,
    seconds: float = 120,
    servers: int = 2,
    stall: tuple[float, float] | None = None,
    seed: int = 7,
    slower: float = 0.0,
) -> Run:
    """So many requests a second come by chance and queue for `servers`. `stall` is when nothing is answered, and how long;
    `slower` are milliseconds that searching takes more."""
    chance = random.Random(seed)
    free = [0.0] * servers
    whole, routes = Noted(), {name: Noted() for name, _, _ in ROUTES}
    dues, lags, ends = [], [], []
    due = 0.0
    while (due := due + chance.expovariate(rate)) < seconds:
        name, _, typical = chance.choices(ROUTES, [weight for _, weight, _ in ROUTES])[0]
        took = chance.lognormvariate(math.log(typical + (slower if name == "GET /search" else 0)), 0.5) / 1000
        lag = chance.lognormvariate(math.log(0.00006), 0.6)
        begin = max(due + lag, free[0])
        if stall and stall[0] <= begin < stall[0] + stall[1]:
            begin = stall[0] + stall[1]
        heapreplace(free, begin + took)
        outcome = (
            "500"
            if chance.random() < 0.0004
            else "timeout"
            if took > 0.12
            else "404"
            if chance.random() < 0.01
            else "200"
        )
        for noted in (whole, routes[name]):
            noted.n += 1
            noted.outcomes[outcome] += 1
            noted.levels["HIT" if chance.random() < 0.8 and name.startswith("GET") else "MISS"] += 1
            noted.response.add(round((begin + took - due) * 1e6))
            noted.service.add(round((begin + took - due - lag) * 1e6))
            noted.lag.add(round(lag * 1e6))
        dues.append(due)
        lags.append(lag)
        ends.append((begin + took, outcome))
    return _run(whole, routes, dues, lags, ends, seconds)


def _run(
    whole: Noted,
    routes: dict[str, Noted],
    dues: list[float],
    lags: list[float],
    ends: list[tuple[float, str]],
    seconds: float,
) -> Run:
    last = max(end for end, _ in ends)
    began: dict[int, list[int]] = defaultdict(list)
    ended: dict[int, list[str]] = defaultdict(list)
    for one, (due, (end, outcome)) in enumerate(zip(dues, ends, strict=True)):
        began[int(due)].append(one)
        ended[int(end)].append(outcome)
    series, heat, open = [], Heat(1.0, ROWS_MS, []), 0
    for at in range(math.ceil(max(last, seconds))):
        response, lag, column = Histogram(), Histogram(), [0] * len(ROWS_MS)
        for one in began[at]:
            took = (ends[one][0] - dues[one]) * 1000
            response.add(round(took * 1000))
            lag.add(round(lags[one] * 1e6))
            column[next(row for row, top in enumerate(ROWS_MS) if took <= top)] += 1
        due, done = len(began[at]), len(ended[at])
        open += due - done
        bad = sum(outcome in ("500", "timeout") for outcome in ended[at])
        series.append(
            Second(float(at), due, due, done, bad, response.quantile_ms(0.5), response.quantile_ms(0.9), lag.quantile_ms(0.9), 0,
                   open)
        )  # fmt: skip
        heat.counts.append(column)
    p99, bad = whole.response.quantile_ms(0.99), whole.outcomes["500"] + whole.outcomes["timeout"]
    goals = [
        Objective("p99<250ms", p99, p99 is not None and p99 < 250),
        Objective("errors<0.1%", 100 * bad / whole.n, bad < whole.n / 1000),
    ]
    missed = [f"{one.text} was missed" for one in goals if not one.met]
    return Run(
        "missed" if missed else "pass", missed, dict(PLAN), "2026-11-29T10:00:00+00:00", float(max(last, seconds)),
        whole.n, whole.n, whole.n, 0, dict(whole.outcomes), dict(whole.levels), whole.response.summary(), whole.service.summary(),
        whole.lag.summary(), Histogram().summary(), Histogram().summary(),
        [Route(name, one.n, dict(one.outcomes), dict(one.levels), one.response.summary(), one.service.summary(),
               one.response.typical_ms())
         for name, one in routes.items() if one.n],
        series, heat,
        {"response": whole.response.as_json(), "service": whole.service.as_json(), "lag": whole.lag.as_json()},
        goals, changed={"200 > 404": 3}, machine=dict(MACHINE), selfcheck={"rate": 180.0, "lag_p99_ms": 0.11, "ok": True},
    )  # fmt: skip
