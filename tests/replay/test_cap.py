"""What the rate cap holds back is not the generator's lag, and what the generator is late by is not the cap's doing."""

import random
from collections.abc import Callable

import pytest

from replay import cap
from replay.cap import Cap

MS, SECOND = 1_000_000, 1_000_000_000


class Sending:
    """`late(ns)`: how much later than `ready` a request is brought to the cap. What is asked for is kept in milliseconds."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, ready: list[int], rate: float, late: Callable[[int], int]
    ) -> None:
        self.went, self.held, self.lag = list[int](), list[int](), list[int]()
        one, at = Cap(rate), 0
        monkeypatch.setattr(cap, "now", lambda: at)
        for ns in ready:
            at = max(at, ns + late(ns))
            allowed, moment = one.lets_go(ns)
            self.went.append(moment)
            self.held.append(allowed - ns)
            self.lag.append(moment - allowed)


def test_all_that_is_due_at_once_goes_evenly_and_none_of_it_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    sending = Sending(monkeypatch, [SECOND] * 100, 100, lambda ns: 0)

    assert sending.went == [SECOND + i * 10 * MS for i in range(100)]
    assert sending.held == [i * 10 * MS for i in range(100)]
    assert set(sending.lag) == {0}


def test_a_cap_that_is_not_reached_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = [i * 5 * MS for i in range(400)]
    sending = Sending(monkeypatch, ready, 400, lambda ns: 0)

    assert sending.went == ready
    assert set(sending.held) == {0}


def test_who_is_late_for_a_moment_at_just_the_rate_of_the_cap_is_not_late_ever_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ready = [i * 2 * MS + MS for i in range(5000)]
    chance = random.Random(1)
    sending = Sending(monkeypatch, ready, 500, lambda ns: 8 * MS if chance.random() < 0.001 else 0)

    assert max(sending.lag) == 8 * MS
    assert sum(lag > 0 for lag in sending.lag) < 100
    assert sum(sending.held) == 0


def test_who_stood_still_does_not_hide_it_behind_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds in which nothing went cannot be made up for: then all are late, and not held."""
    ready = [i * 2 * MS + MS for i in range(2000)]
    sending = Sending(monkeypatch, ready, 500, lambda ns: max(0, 3 * SECOND - ns) if ns > SECOND else 0)

    assert sorted(sending.lag)[len(ready) // 2] > 1.9 * SECOND
    assert sum(sending.held) == 0


def test_who_cannot_send_as_fast_as_the_cap_allows_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    sending = Sending(monkeypatch, [i * 1000 + 1 for i in range(10_000)], 100_000, lambda ns: ns * 40)

    assert sending.lag[-1] > 250 * MS


def test_in_no_second_go_more_than_a_hundredth_above(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(2)
    ready = sorted(chance.randrange(4 * SECOND) for _ in range(8000))
    sending = Sending(monkeypatch, ready, 1000, lambda ns: chance.choice((0, 0, 0, 50 * MS)))
    went = sending.went

    assert max(sum(at <= one < at + SECOND for one in went) for at in went[::50]) <= 1011
