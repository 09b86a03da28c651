"""The protocol keeps its promises in every order of every step, and breaks one as soon as one thing in it is wrong."""

import pytest

from commands.proving.model import Verdict, charges, check_all
from commands.proving.model_catalogue import CUT_OFF, GUILTY, INNOCENT, LARGE, ROW, SMALL
from commands.proving.model_flaws import Flaw
from commands.proving.model_scenario import Scenario
from commands.proving.model_search import Found

MOST = 200_000  # states; the largest small world has 60,000

each_small = pytest.mark.parametrize("scenario", SMALL, ids=lambda scenario: scenario.name)
each_guilty = pytest.mark.parametrize(
    ("scenario", "flaw", "promise"), GUILTY, ids=[f"{flaw.name}-{scenario.name}" for scenario, flaw, _ in GUILTY]
)
each_innocent = pytest.mark.parametrize(
    ("scenario", "flaw"), INNOCENT, ids=[f"{flaw.name}-{scenario.name}" for scenario, flaw in INNOCENT]
)


@each_small
def test_the_protocol_keeps_every_promise_in_every_order_of_steps(scenario: Scenario) -> None:
    found = scenario.explore(None, MOST)

    assert (found.promise, found.steps) == ("", ())
    assert found.complete


@each_guilty
def test_with_one_thing_wrong_it_breaks_the_promise_that_this_thing_is_for(
    scenario: Scenario, flaw: Flaw, promise: str
) -> None:
    found = scenario.explore(flaw, MOST)

    assert found.promise == promise, found.steps


@each_innocent
def test_what_takes_a_crash_to_show_does_not_show_without_one(scenario: Scenario, flaw: Flaw) -> None:
    found = scenario.explore(flaw, MOST)

    assert found == Found(found.states)
    assert found.complete


def test_every_flaw_is_charged_and_every_world_with_a_flaw_is_searched_without_it_too() -> None:
    assert {flaw for _, flaw, _ in GUILTY} == set(Flaw)
    holds = {scenario.name.partition(", nobody killed")[0] for scenario in SMALL}
    assert {scenario.name.partition(", nobody killed")[0] for scenario, _, _ in GUILTY} <= holds


def test_the_long_form_searches_all_that_the_short_one_does_and_more() -> None:
    short, long = ([scenario for scenario, _, _ in charges(form)] for form in (False, True))

    assert len(long) - len(short) == len(LARGE)
    assert set(map(id, short)) <= set(map(id, long))


def test_a_counterexample_is_a_shortest_list_of_steps_and_says_what_broke() -> None:
    verdict = Verdict("a writer cut off", Flaw.NO_OUTBOX, "G1", CUT_OFF.explore(Flaw.NO_OUTBOX, MOST), 0.0)

    assert verdict.right
    assert verdict.counterexample().splitlines() == [
        "  1. writer 1: locks the row",
        "  2. writer 1: begin is lost",
        "  3. writer 1: COMMIT -> done",
        "  4. writer 1: end is lost",
        "     G1: a read of post would get old, after the write of new has returned",
    ]


def test_a_search_that_saw_only_a_part_is_no_proof() -> None:
    verdict = Verdict("a row", None, "", ROW.explore(None, 100), 0.0)

    assert not verdict.right
    assert "as far as was seen" in str(verdict)


@pytest.mark.long
def test_the_protocol_holds_in_the_large_worlds_too() -> None:
    assert [str(verdict) for verdict in check_all(long=True) if not verdict.right] == []
