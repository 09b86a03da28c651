"""Arrivals: their rates, their form, and what is no pace."""

from itertools import islice, pairwise, takewhile

import pytest

from replay.paces import NoPace, Pace, length, moments, parse


@pytest.mark.parametrize(("text", "pace"), [
    ("session", Pace("session")), ("absolute", Pace("absolute")), ("rate=2.5", Pace("rate", (2.5,))),
    ("poisson=100", Pace("poisson", (100,))), ("line=0:50", Pace("line", (0, 50))),
    ("step=10,20,50@1.5", Pace("step", (10, 20, 50), 1.5)), ("closed=7", Pace("closed", (7,))),
])  # fmt: skip
def test_a_pace_is_understood(text: str, pace: Pace) -> None:
    assert parse(text) == pace


@pytest.mark.parametrize("text", [
    "fast", "session=1", "rate", "rate=", "rate=0", "rate=-1", "rate=x", "rate=1:2", "rate=2000000", "line=5", "line=0:0",
    "step=1,2", "step=1,,2@3", "step=1,0@3", "step=1@0", "step=1.2.3@4", "closed=0", "closed=1.5", "poisson=nan", "=1",
])  # fmt: skip
def test_what_is_no_pace_is_said(text: str) -> None:
    with pytest.raises(NoPace, match=r"session, absolute, rate=N|above 0"):
        parse(text)


def test_a_rate_is_even_to_the_microsecond_after_an_hour() -> None:
    assert list(islice(moments(parse("rate=3"), 0, 1), 10_801))[-1] == pytest.approx(3600e6, abs=1)


def test_poisson_arrivals_are_as_many_but_uneven_and_the_same_for_a_seed() -> None:
    first, again, other = (list(islice(moments(parse("poisson=100"), 0, seed), 20_000)) for seed in (1, 1, 2))
    gaps = [b - a for a, b in pairwise(first)]
    mean = sum(gaps) / len(gaps)

    assert first == again != other
    assert mean == pytest.approx(10_000, rel=0.05)
    assert sum((gap - mean) ** 2 for gap in gaps) / len(gaps) == pytest.approx(mean**2, rel=0.1)  # exponential


@pytest.mark.parametrize(("first", "last"), [(0, 100), (100, 0), (50, 50), (20, 80)])
def test_a_line_rises_or_falls_evenly(first: float, last: float) -> None:
    pace = Pace("line", (first, last))
    whole = list(moments(pace, 10, 1))
    half = sum(us < 5e6 for us in whole)

    assert len(whole) == pytest.approx((first + last) / 2 * 10, abs=2)
    assert half == pytest.approx((first + (first + last) / 2) / 2 * 5, abs=2)
    assert whole == sorted(whole)
    assert length(pace, 1000) == pytest.approx(2000 / (first + last))


def test_steps_follow_each_other_and_end() -> None:
    pace = parse("step=10,100@2")
    whole = list(moments(pace, 4, 1))

    assert len(list(takewhile(lambda us: us < 2e6, whole))) == 20
    assert len(whole) == 220
    assert max(whole) < 4e6
    assert length(pace, 1) == 4
