"""The generator must be trustworthy: what it reports is the truth about servers that are known to lie, or it says INVALID."""

import math
from collections import Counter
from pathlib import Path

import pytest

from replay.histogram import QUANTILES, SHARP
from replay.nullserver import Lies, nullserver
from replay.results import Run
from tests.harness.flat import believe, flat, replayed

SLOW = 300.0  # ms; a twentieth of it, which may pass between "due" and "sent", is more than neighbours take
ERROR = 1 / (1 << SHARP)  # of a histogram
# Between these are requests that wait for their turn when all that had come is answered at once: that is the server's doing.
AFTER_A_STALL = ("p50", "p99")


def truth(rate: float, seconds: float, lies: Lies) -> list[float]:
    """Response times in ms, the shortest first, of a server that stops and then goes on where it was."""
    begin, end = lies.stall_at_ms, lies.stall_at_ms + lies.stall_ms
    found = []
    for i in range(round(rate * seconds)):
        due = i * 1000 / rate
        read = end if begin <= due < end else due
        ready = read + lies.delay_ms
        found.append((end if begin <= ready < end else ready) - due)
    return sorted(found)


def at(times: list[float], share: float) -> float:
    return times[math.ceil(len(times) * share) - 1]


def is_told_truly(run: Run, expected: list[float], names: tuple[str, ...]) -> None:
    for name in names:
        found, share = run.response_ms[name], QUANTILES[name]
        if found is not None and at(expected, share) > 1:  # under a millisecond it is the loopback that is measured
            assert abs(found - at(expected, share)) <= 0.05 * at(expected, share), name


def is_sent_on_time(run: Run, seconds: float) -> None:
    """Though the server stops, all goes out in the second in which it is due."""
    assert run.offered == run.sent == run.completed
    assert run.outcomes == {"200": run.offered}
    assert (
        max(second.backlog for second in run.series) <= run.offered / seconds / 4
    )  # were due at the very end of a second
    assert run.lag_ms["max"] is not None
    assert run.lag_ms["max"] < 250


def test_a_stall_is_told_as_visitors_who_kept_coming_felt_it(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=260, seconds=4)
    lies = Lies(delay_ms=SLOW, stall_at_ms=1000, stall_ms=1000)
    expected = truth(260, 4, lies)

    def claim(run: Run) -> None:
        is_sent_on_time(run, 4)
        is_told_truly(run, expected, AFTER_A_STALL)

    assert at(expected, 0.99) > SLOW + 900
    believe(claim, record, lies)


@pytest.mark.long
def test_a_second_without_the_server_does_not_stop_ten_seconds_of_sending(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=1000, seconds=10)
    lies = Lies(delay_ms=SLOW, stall_at_ms=4000, stall_ms=1000)
    expected = truth(1000, 10, lies)

    def claim(run: Run) -> None:
        is_sent_on_time(run, 10)
        is_told_truly(run, expected, AFTER_A_STALL)

    assert SLOW + 850 <= at(expected, 0.99) <= SLOW + 950
    believe(claim, record, lies)


def test_a_known_delay_is_told_within_the_histograms_error_and_the_lag(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=300, seconds=3.4)

    def claim(run: Run) -> None:
        for name in ("p50", "p90"):
            found, lag = run.response_ms[name], run.lag_ms["p99"]
            assert found is not None
            assert lag is not None
            assert (
                SLOW * (1 - ERROR) <= found <= SLOW * (1 + ERROR) + lag + 5
            )  # ms that the way there and back may take

    believe(claim, record, Lies(delay_ms=SLOW))


def test_a_server_of_two_speeds_is_told_as_one(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=300, seconds=3.4)
    expected = sorted(3 * SLOW if number % 5 == 0 else SLOW for number in range(1, 1021))

    believe(
        lambda run: is_told_truly(run, expected, ("p50", "p90")),
        record,
        Lies(delay_ms=SLOW, slow_ms=3 * SLOW, slow_every=5),
    )


@pytest.mark.parametrize("sessions", [5, 400], ids=["kept", "fresh"])
def test_every_request_has_exactly_one_outcome_and_the_right_one(tmp_path: Path, sessions: int) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=200, seconds=2, sessions=sessions)
    lies = Lies(silent_every=17, reset_every=7, cut_every=11, broken_every=13)

    with nullserver(lies) as port:
        run = replayed(record, port, "--timeout", "3s").run

    assert run.offered == run.sent == sum(run.outcomes.values()) == 400
    assert set(run.outcomes) == {"200", "timeout", "reset", "closed", "broken"}
    assert run.response_ms["n"] == 400  # what failed stays in the distribution
    assert sum(route.n for route in run.routes) == 400
    assert sum(second.sent for second in run.series) == 400
    if sessions == 400:  # on a kept connection a reset that outruns its answer is asked again, as browsers do
        assert run.outcomes == Counter(map(told, range(1, 401)))


def told(number: int) -> str:
    """What the null server makes of its so-manieth request."""
    for every, word in ((17, "timeout"), (7, "reset"), (11, "closed"), (13, "broken")):
        if number % every == 0:
            return word
    return "200"


def test_a_rate_that_cannot_be_reached_is_invalid_and_no_pretty_number(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=20_000, seconds=1)

    with nullserver() as port:
        done = replayed(record, port, "--pace", "rate=400000")

    assert done.status == 4
    assert done.run.verdict == "invalid"
    assert any("were sent late" in why for why in done.run.why)
    assert done.run.offered == sum(done.run.outcomes.values()) == 20_000


def test_what_the_machine_did_meanwhile_is_told(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=2000, seconds=1)

    with nullserver() as port:
        done = replayed(record, port)

    assert done.run.machine["shares"]["generator"] > 0
    assert "generator" in done.said
    assert "of the " in done.said
