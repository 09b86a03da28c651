"""What is asked for most is found in a long stream, in a table of a fixed size."""

import random

import pytest

from cache import heat
from cache.heat import ONE_IN, Heat
from cache.local import Local, now


def test_the_frequent_names_of_a_long_stream_are_known_with_their_shares() -> None:
    table, dice = Heat(size=50), random.Random(1)
    for n in range(15_000):
        kind = dice.random()
        table.note("first" if kind < 0.2 else "second" if kind < 0.3 else f"rare:{n}")

    hottest = dict(table.hottest(2))
    assert list(hottest) == ["first", "second"]
    assert hottest["first"] == pytest.approx(0.2, abs=0.03)  # too high by a fiftieth at most
    assert hottest["second"] == pytest.approx(0.1, abs=0.03)
    assert len(table.hottest(1000)) <= 50


def test_it_tells_of_now_rather_than_of_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heat, "HALVED_AFTER", 1000)
    table = Heat()
    for _ in range(900):
        table.note("old")
    for _ in range(2500):
        table.note("new")

    assert [name for name, _ in table.hottest(2)] == ["new", "old"]
    assert dict(table.hottest(2))["old"] < 0.2


def test_of_what_passes_one_in_so_many_is_noted() -> None:
    table = Heat()
    for _ in range(100):
        table.passed([f"row:{n}" for n in range(ONE_IN)])

    assert table._noted == 100
    assert Heat().hottest(5) == []


def test_answers_of_the_level_itself_are_noted_too() -> None:
    local = Local(1 << 20)
    local.begin()
    local.fence(now() + 1000)
    ticket = local.ticket("post:1")
    for _ in range(2):
        local.put(ticket, "post:1", "row", stamp=1)
    for _ in range(3 * ONE_IN):
        assert local.get("post:1")

    assert local.heat.hottest(1) == [("post:1", 1.0)]
    assert local.heat._noted == 3
