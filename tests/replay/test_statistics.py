"""The statistics of comparing: A against A is no difference, a real change is one, and drift is neither."""

import math
from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from replay import statistics
from replay.statistics import Change, Judged, Rounds, change, holm, judge, least_p, order

TIMES = 100  # simulated comparisons


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts do not depend on the interval, which has a test of its own."""
    monkeypatch.setattr(statistics, "RESAMPLED", 50)


def simulated(
    chance: np.random.Generator, *, rounds: int, routes: int, slower: float = 0.0, noise: float, drift: float = 0.0,
    steady: float = 0.0,
) -> list[Judged]:  # fmt: skip
    """The first route of B is so much slower. Noise is log-normal; `drift` is a random walk from run to run, `steady` a trend."""
    turns = order(rounds)
    walk = np.cumsum(chance.normal(0, drift, len(turns))) + steady * np.arange(len(turns))
    changes = []
    for route in range(routes):
        values = np.exp(math.log(20) + walk + chance.normal(0, noise, len(turns)))
        values *= np.array([1 + slower if side == "B" and not route else 1.0 for side in turns])
        a, b = (tuple(float(v) for v, side in zip(values, turns, strict=True) if side == one) for one in "AB")
        changes.append(change(Rounds(a, b)))
    return judge(changes, rounds, 0.05)


def share_called_different(comparisons: Sequence[Sequence[Judged]]) -> float:
    return sum(any(one.word in ("slower", "faster") for one in each) for each in comparisons) / len(comparisons)


@pytest.mark.parametrize(
    ("routes", "noise", "drift", "steady"), [(1, 0.05, 0, 0), (8, 0.05, 0, 0), (4, 0.02, 0.05, 0), (4, 0.01, 0, 0.05)]
)
def test_a_against_a_is_no_difference(routes: int, noise: float, drift: float, steady: float) -> None:
    chance = np.random.default_rng(8)

    found = [simulated(chance, rounds=8, routes=routes, noise=noise, drift=drift, steady=steady) for _ in range(TIMES)]

    assert share_called_different(found) <= 0.05


def test_ten_percent_are_found_in_eight_rounds_and_nobody_else_is_accused() -> None:
    chance = np.random.default_rng(8)

    found = [simulated(chance, rounds=8, routes=6, slower=0.1, noise=0.02) for _ in range(TIMES)]

    assert sum(each[0].word == "slower" for each in found) >= 0.95 * TIMES
    assert sum(any(one.word in ("slower", "faster") for one in each[1:]) for each in found) <= 0.05 * TIMES


def test_drift_larger_than_the_change_hides_it_from_the_usual_test_and_not_from_blocks() -> None:
    chance = np.random.default_rng(8)
    trend = {"rounds": 8, "routes": 1, "slower": 0.1, "noise": 0.01, "steady": 0.04}

    found = [simulated(chance, **trend)[0] for _ in range(50)]  # type: ignore[arg-type]

    assert sum(one.word == "slower" for one in found) >= 48
    values = [1.04**place * (1.1 if side == "B" else 1) for place, side in enumerate(order(8))]
    sides = [[v for v, side in zip(values, order(8), strict=True) if side == one] for one in "AB"]
    assert stats.mannwhitneyu(*sides, method="exact").pvalue > 0.05


def test_a_trend_alone_favours_neither() -> None:
    for bend in (1.0, 2.0, 0.5):
        values = [1 + (place / 10) ** bend for place in range(16)]
        a, b = ([v for v, side in zip(values, order(8), strict=True) if side == one] for one in "AB")

        assert change(Rounds(tuple(a), tuple(b))).p > 0.9


def test_turns_are_abba_then_baab() -> None:
    assert order(8) == "ABBABAABABBABAAB"
    assert order(3) == "ABBABA"


@pytest.mark.parametrize("n", [2, 4, 6, 8])
def test_the_smallest_p_is_what_the_orders_of_the_blocks_allow(n: int) -> None:
    found = change(Rounds(tuple(1.0 + i / 100 for i in range(n)), tuple(2.0 + i / 100 for i in range(n))))

    assert found.p == pytest.approx(least_p(n))
    assert found.least_p == pytest.approx(least_p(n))


def test_one_block_is_the_test_of_mann_and_whitney() -> None:
    chance = np.random.default_rng(4)
    for sizes in ((3, 5), (8, 8), (12, 7)):
        a, b = (tuple(float(v) for v in chance.normal(10, 1, n)) for n in sizes)

        found = change(Rounds(a, b, paired=False))

        assert found.p == pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue)


def test_ties_are_counted_and_not_broken() -> None:
    a, b = (1.0, 1.0, 2.0), (1.0, 2.0, 2.0)
    sums = [sum(ranks[3:]) for ranks in permutations([2.0, 2.0, 2.0, 5.0, 5.0, 5.0])]
    high = sum(one >= 12 for one in sums) / len(sums)

    assert change(Rounds(a, b, paired=False)).p == pytest.approx(min(1, 2 * high))


def test_a_round_that_has_no_number_takes_nothing_else_with_it() -> None:
    a, b = (1.0, 1.1, None, 1.0), (2.0, 2.2, 2.1, None)

    found = change(Rounds(a, b))

    assert found.ratio == pytest.approx(2.0)
    assert found.p < 0.2
    with pytest.raises(ValueError, match="nothing"):
        change(Rounds((None,), (2.0,)))


def test_the_interval_holds_the_truth_nearly_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "RESAMPLED", 2000)
    chance = np.random.default_rng(5)
    held = 0
    for _ in range(TIMES):
        a, b = (tuple(float(v) for v in chance.lognormal(3, 0.04, 8)) for _ in range(2))
        found = change(Rounds(a, tuple(1.1 * v for v in b)))
        assert found.low
        assert found.high
        held += found.low <= 1.1 <= found.high

    assert held >= 0.85 * TIMES


def test_the_same_numbers_are_a_ratio_of_one_without_a_warning() -> None:
    found = change(Rounds((5.0,) * 6, (5.0,) * 6))

    assert (found.ratio, found.low, found.high, found.p) == (1, 1, 1, 1)


def test_of_few_rounds_no_interval_is_told_and_of_uneven_ones_neither() -> None:
    for a, b in (((5.0,) * 4, (6.0, 7.0, 6.0, 7.0)), ((5.0,), (6.0, 7.0, 8.0))):
        found = change(Rounds(a, b, paired=False))

        assert (found.low, found.high) == (None, None)
        assert found.ratio > 1


def test_a_part_of_the_questions_gets_a_part_of_the_chance() -> None:
    one = Change(1.1, 1, 1.2, 0.02, 0.001, 0.01)

    assert judge([one], 8, 0.05)[0].word == "slower"
    assert judge([one, one], 8, 0.05, sure=0.025)[0].adjusted == pytest.approx(0.08)
    assert judge([one, one], 8, 0.05, sure=0.025)[0].word != "slower"


def test_too_few_rounds_are_told_with_how_many_it_takes() -> None:
    found = change(Rounds((10.0, 10.1), (11.0, 11.2)))
    (judged,) = judge([found], 2, 0.05)

    assert judged.word == "not enough power"
    assert judged.shows is None
    assert judged.needed
    assert least_p(judged.needed) <= 0.05


def test_so_many_rounds_as_are_said_to_be_needed_do_find_it() -> None:
    chance = np.random.default_rng(6)
    (judged,) = judge([Change(1.0, 0.9, 1.1, 0.9, 0.01, noise=0.03)], 4, 0.05)
    assert judged.word == "not enough power"
    assert judged.needed

    found = [simulated(chance, rounds=judged.needed, routes=1, slower=0.05, noise=0.03)[0] for _ in range(TIMES)]

    assert sum(one.word == "slower" for one in found) >= 0.7 * TIMES


def test_more_of_a_rate_is_faster() -> None:
    found = change(Rounds((100.0, 101.0, 99.0, 100.0, 98.0, 102.0), (200.0, 201.0, 202.0, 199.0, 200.0, 203.0)))

    assert judge([found, found], 6, 0.05, more_is_better=[True, False])[0].word == "faster"
    assert judge([found], 6, 0.05)[0].word == "slower"


def test_holm_is_as_in_its_definition() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert judge([Change(1.1, 1, 1.2, 0.02, 0.001, 0.01)] * 3, 8, 0.05)[0].adjusted == pytest.approx(0.06)
