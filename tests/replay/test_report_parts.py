"""What the report's charts are reckoned from: axes, thinning, curves, and numbers as words."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.histogram import Histogram
from replay.report import scales, thinning, words
from replay.report.curves import curve
from replay.report.drawing import line
from replay.report.outcomes import failures, is_failure
from replay.results import Heat, Second

positive = st.floats(0.001, 1e7)


def second(t: float, n: int, p99: float | None = None, backlog: int = 0) -> Second:
    return Second(t, n, n, n, 0, p99, p99, p99, backlog, 0)


@given(positive)
def test_a_linear_axis_begins_at_0_and_holds_its_top(top: float) -> None:
    scale = scales.linear(top)

    assert scale.at(0) == 0
    assert 0.5 < scale.place(top) <= 1 + 1e-9
    assert 2 <= len(scale.ticks) <= 6
    assert [tick.at for tick in scale.ticks] == sorted(tick.at for tick in scale.ticks)


@given(positive, positive)
def test_a_logarithmic_axis_holds_both_ends_and_has_a_few_words(one: float, other: float) -> None:
    low, high = sorted((one, other))
    scale = scales.logarithmic(low, high)

    assert -1e-9 <= scale.place(low) <= scale.place(high) <= 1 + 1e-9
    assert 2 <= len(scale.ticks) <= 11
    assert scale.at(0) == 0


@given(st.integers(1, 10**9))
def test_each_nine_is_as_wide_as_the_one_before(n: int) -> None:
    scale = scales.nines(n)

    steps = [b.at - a.at for a, b in pairwise(scale.ticks[1:])]
    assert steps == pytest.approx([steps[0]] * len(steps) if steps else [])
    assert scale.at(1 - 1 / max(n, 10)) == pytest.approx(1, abs=1e-3)


@given(st.floats(0, 1e4), st.floats(0.01, 1e6))
def test_the_time_of_a_run_has_at_most_nine_words(began: float, seconds: float) -> None:
    ticks = scales.moments(began, seconds).ticks

    assert len(ticks) <= 9
    assert all(-1e-9 <= tick.at <= 1 + 1e-6 for tick in ticks)


@given(
    st.lists(
        st.tuples(st.integers(0, 1000), st.none() | st.floats(0, 1e5), st.integers(0, 99)), min_size=1, max_size=900
    )
)
def test_thinning_keeps_all_requests_and_the_worst(told: list[tuple[int, float | None, int]]) -> None:
    series = [second(float(at), *one) for at, one in enumerate(told)]
    points = thinning.points(series, most=5)

    assert len(points) <= 5
    assert sum(one.offered * (one.end - one.t) for one in points) == pytest.approx(sum(n for n, _, _ in told))
    assert max([0.0, *(one.p99 or 0.0 for one in points)]) == max([0.0, *(p99 or 0.0 for _, p99, _ in told)])
    assert max(one.backlog for one in points) == max(backlog for _, _, backlog in told)
    assert [one.t for one in points[1:]] == [one.end for one in points[:-1]]


@given(
    st.lists(st.lists(st.integers(0, 50), min_size=20, max_size=20), max_size=300),
    st.integers(1, 60),
    st.integers(1, 20),
)
def test_a_thinned_heat_map_holds_every_answer(counts: list[list[int]], columns: int, rows: int) -> None:
    whole = Heat(1.0, [float(2**row) for row in range(20)], counts)
    heat = thinning.heat(whole, thinning.used_rows([whole]), columns, rows)

    assert sum(map(sum, heat.counts)) == sum(map(sum, counts))
    assert len(heat.counts) <= columns
    assert len(heat.rows_ms) <= rows
    assert all(len(column) == len(heat.rows_ms) for column in heat.counts)


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=400))
def test_a_curve_never_falls_and_ends_at_the_longest(times: list[int]) -> None:
    histogram = Histogram()
    for time in times:
        histogram.add(time)
    drawn = curve([("response", "response", histogram)])

    assert drawn
    heights = [float(number) for number in re.findall(r"[\d.]+", drawn.chart.lines[0].path)[1::2]]
    assert len(heights) > 1
    assert all(after <= before for before, after in pairwise(heights))
    assert drawn.rows[-1].values == (max(times) / 1000,)
    assert all(row.values[0] is None for row in drawn.rows[1:-1] if len(times) * (1 - float(row.name[1:]) / 100) < 9.99)


def test_a_curve_of_nothing_is_not_drawn() -> None:
    assert curve([("response", "response", Histogram())]) is None


def test_a_gap_breaks_the_line_and_a_lone_place_is_a_dot() -> None:
    drawn = line("p99", "response", [(0, 0.0), (0.5, 1.0), (0.6, None), (1, 0.5)], filled=True)

    assert drawn.path == "M0 1000L500 0M1000 500L1000 500"
    assert drawn.area == "M0 1000L500 0V1000H0Z"


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (1, 10**6, "< 0.01 %"),
        (10**6 - 1, 10**6, "> 99.99 %"),
        (1, 3, "33.3 %"),
        (1, 0, "n/a"),
    ],
)
def test_what_is_not_nothing_never_reads_as_nothing(part: float, whole: float, said: str) -> None:
    assert words.share(part, whole) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0 ms"), (0.416, "0.42 ms"), (12.34, "12.3 ms"), (999.4, "999 ms"), (1000, "1 s"), (2271, "2.27 s"), (None, "n/a"),
     (100.0, "100 ms"), (3_720_000, "1 h 2 min")],
)  # fmt: skip
def test_times_in_words(value: float | None, said: str) -> None:
    assert words.time(value) == said


def test_decimal_points_stand_below_each_other() -> None:
    column = [words.ms(value) for value in (0.42, 12.3, 1204.0)]

    assert len({len(text) - text.replace("\u2008", ".").index(".") for text in column}) == 1


def test_a_status_below_500_and_what_was_not_sent_is_no_failure() -> None:
    assert [name for name in ("200", "404", "500", "503", "timeout", "reset", "unmapped", "not sent") if is_failure(name)] == [
        "500", "503", "timeout", "reset",
    ]  # fmt: skip
    assert failures({"200": 5, "500": 2, "timeout": 1, "not sent": 9}) == 3
