"""The typical time of a route: the geometric mean, by which a route is found that a cache answers for most of its visitors."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from replay import results, statistics
from replay.comparing import Comparison, compare
from replay.histogram import ABOVE, Histogram
from replay.histogram import of_json as histogram_of
from replay.results import Route, Run
from replay.statistics import order
from tests.replay.runs import simulated

TIMES = 100  # simulated comparisons
ROUNDS = 8
POST = "GET /blog/<n>-<slug>"
NAMES = (POST, "GET /", "GET /tags/<name>", "GET /feed.atom", "GET /about")
NOISE = 0.05  # standard deviation of the logarithm from round to round
STORED, MADE = 1.0, 6.0  # ms
SPREAD = np.exp(0.2 * stats.norm.ppf(np.arange(0.5 / 50, 1, 1 / 50)))  # of the answers of a kind


def histogram(times: Sequence[int]) -> Histogram:
    made = Histogram()
    for us in times:
        made.add(us)
    return made


@given(st.lists(st.integers(0, 10**9), min_size=2 * ABOVE, max_size=60))
def test_it_is_the_geometric_mean_to_the_width_of_a_bucket(times: list[int]) -> None:
    truth = math.exp(sum(math.log(us + 0.5) for us in times) / len(times)) / 1000

    assert histogram(times).typical_ms() == pytest.approx(truth, rel=1 / 128)


def test_it_is_told_where_the_median_is() -> None:
    for n in (0, 1, 2 * ABOVE - 1, 2 * ABOVE):
        of_n = histogram([1000] * n)

        assert (of_n.typical_ms() is None) is (of_n.quantile_ms(0.5) is None)


def test_added_counts_give_that_of_both_and_so_does_what_was_written() -> None:
    one, other = histogram([900] * 30), histogram([7000] * 10)
    one.merge(other)

    assert one.typical_ms() == histogram([900] * 30 + [7000] * 10).typical_ms()
    assert histogram_of(one.as_json()).typical_ms() == one.typical_ms()


def test_one_outlier_does_not_decide_it() -> None:
    usual, with_one = histogram([1000] * 999), histogram([1000] * 999 + [30_000_000])
    before, after = usual.typical_ms(), with_one.typical_ms()

    assert before
    assert after
    assert after / before < 1.02 < with_one.total / with_one.n / 1000


def test_a_file_from_before_is_read_and_its_routes_are_not_tested(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    simulated(rate=40, seconds=5).write(path)
    assert all(route.typical_ms for route in results.read(path).routes if route.n >= 2 * ABOVE)
    told = json.loads(path.read_text())
    for route in told["routes"]:
        del route["typical_ms"]
    path.write_text(json.dumps(told))
    run = results.read(path)

    made = compare([run] * 2, [run] * 2, ("A", "B"), paired=True)

    assert {(row.what, row.word) for row in made.rows if row.route} == {("typical", "not tested")}
    assert "does not tell their typical time" in " ".join(made.remarks)


def a_round(chance: np.random.Generator, longer: float) -> Run:
    """Of each route 60 of 100 answers come from the store, a few more or fewer from round to round; where the pages of posts are
    made, it takes so many ms longer."""
    whole, told = Histogram(), []
    for name in NAMES:
        stored = round(100 * chance.normal(0.6, 0.01))
        made = MADE + (longer if name == POST else 0.0)
        times = np.concatenate([STORED * np.resize(SPREAD, stored), made * np.resize(SPREAD, 100 - stored)])
        of_route = histogram((1000 * math.exp(chance.normal(0, NOISE)) * times).astype(int).tolist())
        whole.merge(of_route)
        one, levels = of_route.summary(), {"HIT": stored, "MISS": 100 - stored}
        told.append(Route(name, 100, {"200": 100}, levels, one, one, of_route.typical_ms()))
    n, of_all = whole.n, whole.summary()
    return Run("pass", [], {"pace": "session"}, "2026-11-29T10:00:00+00:00", 4.0, n, n, n, 0, {"200": n}, {}, of_all, of_all,
               {}, {}, {}, told, histograms={"response": whole.as_json()})  # fmt: skip


def compared(chance: np.random.Generator, longer: float) -> Comparison:
    sides: dict[str, list[Run | None]] = {"A": [], "B": []}
    for side in order(ROUNDS):
        sides[side].append(a_round(chance, longer if side == "B" else 0.0))
    return compare(sides["A"], sides["B"], ("A", "B"), paired=True)


def named(made: Comparison) -> set[str]:
    return {row.route for row in made.rows if row.route and row.word in ("slower", "faster")}


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts do not depend on the interval."""
    monkeypatch.setattr(statistics, "RESAMPLED", 50)


@pytest.mark.usefixtures("few_resamples")
def test_a_route_is_named_whose_answers_come_from_a_cache_for_the_most_part_and_no_other_is() -> None:
    chance = np.random.default_rng(8)

    found = [compared(chance, 5.0) for _ in range(TIMES)]

    assert sum(POST in named(made) and made.verdict == "slower" for made in found) >= 0.95 * TIMES
    assert sum(bool(named(made) - {POST}) for made in found) <= 0.05 * TIMES


@pytest.mark.usefixtures("few_resamples")
def test_a_against_a_names_no_route() -> None:
    chance = np.random.default_rng(8)

    assert sum(bool(named(compared(chance, 0.0))) for _ in range(TIMES)) <= 0.05 * TIMES
