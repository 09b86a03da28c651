"""What is made of what was measured: sums of processes, verdicts, and which reason counts before which."""

import json
from typing import Any

import pytest

from replay import measuring
from replay.histogram import Histogram
from replay.judging import run_of
from replay.measuring import Measure
from replay.objectives import NoObjective, parse
from replay.results import Run
from replay.wire import Reply
from tests.replay.recordings import planned, request

MS, SECOND = 1_000_000, 1_000_000_000
HEAD = b"HTTP/1.1 200 OK\r\nX-Cache: HIT\r\n"


def measured(monkeypatch: pytest.MonkeyPatch, *requests: tuple[float, float, float, str]) -> Measure:
    """Each: due and sent at so many ms, answered after so many, by this status or word; T0 is at one second of the clock."""
    measure = Measure()
    measure.start(SECOND)
    for due, lag, took, word in requests:
        intended = SECOND + int(due * MS)
        sent, end = intended + int(lag * MS), intended + int((lag + took) * MS)
        monkeypatch.setattr(measuring, "now", lambda sent=sent: sent)
        measure.due(intended)
        if word == "unmapped":
            measure.skip("GET /", intended, word)
            continue
        measure.send(intended)
        reply = Reply(0, word, b"", 0, b"", sent, sent, 0, end) if not word.isdigit() else None
        measure.end(
            "GET /", intended, intended, reply or Reply(int(word), "", HEAD, 0, b"", sent, sent, sent, end, 700), 200
        )
    return measure


def judged(measure: Measure, slo: str = "", **more: Any) -> Run:
    plan = planned(*(request(i, i * 10) for i in range(100)))
    return run_of(measure, plan, {"target": "x"}, "now", objectives=parse(slo) if slo else (), **more)


def test_counts_stand_when_it_happened_and_times_where_it_was_due(monkeypatch: pytest.MonkeyPatch) -> None:
    run = judged(
        measured(
            monkeypatch, (900, 200, 1000, "200"), (950, 0, 10, "503"), (1500, 0, 0, "unmapped"), (1600, 0, 5, "reset")
        )
    )
    first, second, third = run.series

    assert [(one.offered, one.sent, one.completed, one.failed) for one in run.series] == [
        (2, 1, 1, 1),
        (2, 2, 0, 1),
        (0, 0, 1, 0),
    ]
    assert [(one.backlog, one.open) for one in run.series] == [(1, 0), (0, 1), (0, 0)]
    assert first.p99 == pytest.approx(1200, rel=0.01)
    assert second.p99 == pytest.approx(5, rel=0.01)
    assert third.p99 is None
    assert run.outcomes == {"200": 1, "503": 1, "unmapped": 1, "reset": 1}
    assert (run.offered, run.sent, run.completed, run.unmapped) == (4, 3, 2, 1)
    assert run.completed == sum(one.completed for one in run.series)
    assert run.changed == {"200 > 503": 1}
    assert run.levels == {"HIT": 2}
    assert run.heat
    assert sum(map(sum, run.heat.counts)) == 3


def test_parts_of_processes_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    every = [(i * 7.0, i % 3, i % 50, "200" if i % 9 else "timeout") for i in range(400)]
    whole, even, odd = (measured(monkeypatch, *part) for part in (every, every[::2], every[1::2]))

    even.merge(measuring.of_json(json.loads(json.dumps(odd.as_json()))))
    one, two = judged(whole), judged(even)

    assert one == two
    assert one.response_ms["p90"] is not None


@pytest.mark.parametrize(
    ("lag", "took", "verdict"), [(0.3, 1, "pass"), (0.7, 1, "invalid"), (0.7, 20, "pass"), (2, 20, "invalid")]
)
def test_late_is_more_than_half_a_millisecond_and_a_twentieth_of_the_response(
    monkeypatch: pytest.MonkeyPatch, lag: float, took: float, verdict: str
) -> None:
    run = judged(measured(monkeypatch, *[(i * 10, lag, took, "200") for i in range(50)]))

    assert run.verdict == verdict
    assert (verdict == "pass") == (not run.why)


def test_which_reason_counts_first(monkeypatch: pytest.MonkeyPatch) -> None:
    good, late = ([(i * 10, lag, 9, "200") for i in range(50)] for lag in (0, 9))
    stopped = measured(monkeypatch, *good)
    stopped.stopped = "the target is gone"

    def verdict(measure: Measure, **more: Any) -> str:
        return judged(measure, "p50<1ms", **more).verdict

    assert verdict(measured(monkeypatch, *good)) == "missed"
    assert verdict(stopped) == "stopped"
    assert verdict(measured(monkeypatch, *late)) == "invalid"
    assert verdict(measured(monkeypatch, *good), invalid=["worker 1 died"]) == "invalid"
    assert verdict(measured(monkeypatch, *good), own_cpu=[0.9]) == "invalid"
    assert verdict(measured(monkeypatch, *good, (1, 0, 0, "no port"))) == "invalid"
    assert verdict(measured(monkeypatch, *late), interrupted=True) == "interrupted"
    assert verdict(Measure()) == "invalid"


def test_what_the_cap_held_back_is_told_and_excuses_no_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    """A response that was held for seconds is nothing to compare lags with."""

    def capped(lag: float) -> Run:
        measure = Measure()
        measure.start(SECOND)
        for i in range(50):
            intended, sent = SECOND + i * 10 * MS, SECOND + int((5000 + i * 10 + lag) * MS)
            monkeypatch.setattr(measuring, "now", lambda sent=sent: sent)
            measure.due(intended)
            measure.hold(intended, 5000 * MS)
            measure.send(intended)
            reply = Reply(200, "", HEAD, 0, b"", sent, sent, sent, sent + 9 * MS)
            measure.end("GET /", intended, intended + 5000 * MS, reply, 200)
        return judged(measuring.of_json(json.loads(json.dumps(measure.as_json()))))

    good, late = capped(0.1), capped(9)

    assert (good.verdict, late.verdict) == ("pass", "invalid")
    assert good.plan["held_ms"]["n"] == 50
    assert good.plan["held_ms"]["max"] == 5000
    assert (good.response_ms["p50"] or 0) > 4900


def test_an_early_end_makes_no_rate_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    measure = measured(monkeypatch, *[(i, 0, 1, "200") for i in range(100)])

    assert judged(measure).seconds == pytest.approx(1, rel=0.1)  # as planned
    assert judged(measure, interrupted=True).seconds == pytest.approx(0.1, rel=0.1)
    assert judged(measure, invalid=["worker 2 died"]).seconds == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize(("slo", "met", "found"), [
    ("p50<10ms", True, 9), ("p50<0.005s", False, 9), ("max<=9ms", True, 9), ("p99<1s", False, None),
    ("errors<25%", True, 20), ("errors<20%", False, 20), ("errors<=20%", True, 20), ("unmapped<1%", False, 50),
    ("rate>1/s", True, 50),
])  # fmt: skip
def test_objectives(monkeypatch: pytest.MonkeyPatch, slo: str, met: bool, found: float | None) -> None:
    words = ["200"] * 40 + ["timeout"] * 5 + ["500"] * 5 + ["unmapped"] * 50
    run = judged(measured(monkeypatch, *[(i * 10, 0, 9, word) for i, word in enumerate(words)]), slo)

    assert run.objectives[0].met == met
    assert run.objectives[0].measured == (None if found is None else pytest.approx(found, rel=0.2))


@pytest.mark.parametrize("slo", ["", "p99", "p99<", "p99<1", "errors<1ms", "latency<1ms", "p50<1ms;p99<2ms", "rate>5%"])
def test_what_is_no_objective(slo: str) -> None:
    with pytest.raises(NoObjective):
        parse(slo)


def test_a_percentile_with_ten_above_it_is_told() -> None:
    histogram = Histogram()
    for us in range(100):
        histogram.add(us)

    assert histogram.quantile_ms(0.9) is not None
    assert histogram.quantile_ms(0.99) is None


@pytest.mark.parametrize(("count", "late", "word", "valid"), [
    (2000, 10, "", True), (2000, 30, "p99", False), (200, 10, "", True), (200, 30, "p90", False), (50, 10, "", True),
    (50, 30, "p50", False), (10, 1, "max", False),
])  # fmt: skip
def test_of_few_requests_the_highest_percentile_that_is_known_judges(
    monkeypatch: pytest.MonkeyPatch, count: int, late: int, word: str, valid: bool
) -> None:
    """A p99 that two requests decide is one that a busy host decides."""
    run = judged(measured(monkeypatch, *[(i, 5 if i < late else 0.01, 1, "200") for i in range(count)]))

    assert run.verdict == ("pass" if valid else "invalid")
    assert valid or run.why[0].startswith(f"requests were sent late: the {word} of the lag is 5")
