"""Makes the result of what was measured, and says whether it may be believed."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from replay.histogram import Histogram, edges
from replay.machine import reasons
from replay.measuring import Measure, OfSecond
from replay.objectives import Wanted
from replay.plans import Plan
from replay.results import Heat, Route, Run, Second

LAG_MS: Final = 0.5  # what the p99 of the lag may be (see lateness), or
LAG_SHARE: Final = 0.05  # of the median response, whichever is more
_COLUMNS: Final = 240  # of the heat map, at most
_ROWS_MS: Final = [round(0.25 * 2 ** (row / 2), 3) for row in range(36)]  # 0.25 ms to 46 s


def run_of(
    measure: Measure, plan: Plan, told: dict[str, Any], started: str, *, interrupted: bool = False,
    machine: dict[str, Any] | None = None, selfcheck: dict[str, Any] | None = None, invalid: Sequence[str] = (),
    own_cpu: Sequence[float] = (), objectives: Sequence[Wanted] = (),
) -> Run:  # fmt: skip
    """`told` becomes `Run.plan`, `started` is the wall time of T0. `invalid`: what others found that makes it so."""
    seconds = {number: measure.seconds[number] for number in sorted(measure.seconds)}
    response, lag, service = Histogram(), Histogram(), Histogram()
    outcomes, levels = Counter[str](), Counter[str]()
    for second in seconds.values():
        response.merge(second.response)
        lag.merge(second.lag)
    for route in measure.routes.values():
        service.merge(route.service)
        outcomes.update(route.outcomes)
        levels.update(route.levels)
    series, early = _series(seconds), interrupted or bool(measure.stopped or invalid)
    histograms = {
        "response": response, "service": service, "lag": lag, "connect": measure.connect, "first_byte": measure.first_byte,
    }  # fmt: skip
    run = Run(
        "pass", [], told | _warmed(measure) | _capped(measure), started, _lasted(measure, plan, early=early),
        sum(one.offered for one in series), sum(one.sent for one in series),
        sum(count for word, count in outcomes.items() if word.isdigit()), outcomes["unmapped"],
        dict(outcomes.most_common()), dict(levels.most_common()),
        response.summary(), service.summary(), lag.summary(), measure.connect.summary(), measure.first_byte.summary(),
        routes=_routes(measure), series=series, heat=_heat(seconds),
        histograms={name: histogram.as_json() for name, histogram in histograms.items()},
        changed=dict(measure.changed.most_common()), machine=machine or {}, selfcheck=selfcheck or {},
    )  # fmt: skip
    run.objectives = [one.of(run) for one in objectives]
    wrong = [*invalid, *_reasons(run, lag, service if measure.capped.n else response), *reasons(own_cpu, run.outcomes)]
    if interrupted:
        run.verdict, run.why = "interrupted", ["it was interrupted: this is what was measured until then", *wrong]
    elif wrong:
        run.verdict, run.why = "invalid", [*wrong, *([measure.stopped] if measure.stopped else [])]
    elif measure.stopped:
        run.verdict, run.why = "stopped", [measure.stopped]
    elif missed := [one for one in run.objectives if not one.met]:
        run.verdict, run.why = "missed", [_missed(one.text, one.measured) for one in missed]
    return run


def _reasons(run: Run, lag: Histogram, took: Histogram) -> list[str]:
    """Why the generator, not the site, was measured. `took`: what the lag is small beside; not the time for which --max-rate held
    requests back."""
    found = []
    (name, late), most = lateness(lag), max(LAG_MS, LAG_SHARE * took.value_at(0.5) / 1000)
    if late > most:
        found.append(f"requests were sent late: the {name} of the lag is {late:.2f} ms, and may be {most:.2f} ms")
    if not run.sent:
        found.append("nothing was measured: the warm-up took all of it" if "warmed" in run.plan else "nothing was sent")
    return found


def lateness(lag: Histogram) -> tuple[str, float]:
    """By what a run is judged, in milliseconds: the p99 of its lag; of fewer than 1,000 requests the highest percentile that is
    known. Of 120 two decide what the p99 is, and a virtual machine stands still for two moments in every few seconds."""
    for name, share in (("p99", 0.99), ("p90", 0.9), ("p50", 0.5)):
        if (ms := lag.quantile_ms(share)) is not None:
            return name, ms
    return "max", lag.max / 1000


def _missed(text: str, measured: float | None) -> str:
    return f"{text} was missed: " + ("there were too few samples" if measured is None else f"it was {measured:.4g}")


def _lasted(measure: Measure, plan: Plan, *, early: bool) -> float:
    """From the end of the warm-up to the last that was planned or came to pass; to what came to pass, when it ended early."""
    first = measure.warm_ns - measure.began_ns
    last = max(measure.last_ns - measure.began_ns, 0 if early or not measure.seconds else int(plan.seconds * 1e9))
    return max(0.0, (last - first) / 1e9)


def _warmed(measure: Measure) -> dict[str, Any]:
    return {"warmed": dict(measure.warm.most_common())} if measure.warm else {}


def _capped(measure: Measure) -> dict[str, Any]:
    """What --max-rate held back, in milliseconds: times of responses hold that, the lag does not."""
    return {"held_ms": measure.capped.summary()} if measure.capped.n else {}


def _routes(measure: Measure) -> list[Route]:
    found = [
        Route(name, one.outcomes.total(), dict(one.outcomes.most_common()), dict(one.levels.most_common()),
              one.response.summary(), one.service.summary(), one.response.typical_ms())
        for name, one in measure.routes.items()
    ]  # fmt: skip
    return sorted(found, key=lambda route: (-route.n, route.route))


def _series(seconds: dict[int, OfSecond]) -> list[Second]:
    """Every second, those too in which nothing was to be done."""
    told, due, gone, sent, ended = [], 0, 0, 0, 0
    for number in range(min(seconds, default=0), max(seconds, default=-1) + 1):
        one = seconds.get(number) or OfSecond()
        due, gone, sent, ended = due + one.due, gone + one.gone, sent + one.sent, ended + one.ended
        p50, p99, lag = _ms(one.response, 0.5), _ms(one.response, 0.99), _ms(one.lag, 0.99)
        told.append(
            Second(
                float(number),
                one.due,
                one.sent,
                one.answered,
                one.failed,
                p50,
                p99,
                lag,
                due - gone - sent,
                sent - ended,
            )
        )
    return told


def _ms(histogram: Histogram, share: float) -> float | None:
    """However few there are: a curve over time shows what was, a percentile of a run claims what will be."""
    return histogram.value_at(share) / 1000 if histogram.n else None


def _heat(seconds: dict[int, OfSecond]) -> Heat | None:
    if not seconds:
        return None
    first = min(seconds)
    wide = math.ceil((max(seconds) + 1 - first) / _COLUMNS)
    counts = [[0] * len(_ROWS_MS) for _ in range((max(seconds) - first) // wide + 1)]
    for number, second in seconds.items():
        column = counts[(number - first) // wide]
        for bucket, count in second.response.counts.items():
            low, high = edges(bucket)
            ms = (low + high) / 2000
            row = 0 if ms <= _ROWS_MS[0] else min(math.ceil(2 * math.log2(ms / _ROWS_MS[0])), len(_ROWS_MS) - 1)
            column[row] += count
    return Heat(float(wide), _ROWS_MS, counts)
