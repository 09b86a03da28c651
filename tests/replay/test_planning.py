"""A plan keeps order, waits and think times, and says beforehand how long it takes and how fast it gets."""

from typing import Any

import pytest

from replay.paces import parse
from replay.planning import NOT_SENT, TRUNCATED, NoPlan
from replay.plans import Plan
from tests.replay.recordings import planned, request


def arrivals(plan: Plan) -> list[tuple[float, int, int]]:
    return [(one.us, one.script, one.loop) for one in plan.arrivals()]


def test_a_request_waits_for_what_was_answered_before_it_and_keeps_its_think_time() -> None:
    plan = planned(
        request(0, 1000, took=50), request(1, 1010, took=500), request(2, 1200, after=0), request(3, 1000, session="bob"),
        speed=10,
    )  # fmt: skip
    alice, bob = plan.scripts

    assert [(step.after, step.think_us) for step in alice.steps] == [(None, 0), (None, 1000), (0, 15_000)]
    assert (alice.start_us, bob.start_us) == (0, 0)
    assert arrivals(plan) == [(0, 0, 0), (0, 1, 0)]


def test_what_waited_for_one_that_is_left_out_waits_for_what_that_waited_for() -> None:
    plan = planned(
        request(0, 0, "/a", took=10),
        request(1, 100, "/b", after=0, took=10),
        request(2, 300, "/a", after=1),
        drop=("/b",),
    )

    assert [(step.after, step.think_us) for step in plan.scripts[0].steps] == [(None, 0), (0, 290_000)]


def test_only_and_drop_know_methods_routes_and_patterns() -> None:
    recorded = [
        request(0, 0, "/posts/1"), request(1, 1, "/posts/2", method="HEAD"), request(2, 2, "/tags/1"), request(3, 3, "/x?q=1"),
    ]  # fmt: skip

    def kept(**choices: Any) -> list[int]:
        return [step.request.i for step in planned(*recorded, **choices).scripts[0].steps]

    assert kept(only=("HEAD",)) == [1]
    assert kept(only=("GET /posts/<n>",)) == [0]
    assert kept(only=(r"^/(tags|x)",)) == [2, 3]
    assert kept(drop=("HEAD", r"\?")) == [0, 2]
    with pytest.raises(NoPlan, match="nothing is left"):
        kept(only=("POST",))
    with pytest.raises(NoPlan, match="no request"):
        planned()


def test_addresses_are_rewritten_and_stay_addresses() -> None:
    plan = planned(request(0, 0, "/posts/1?a=1"), rewrite=((r"^/posts/(\d+)", r"/p/\1"), (r"\?.*", "")))

    assert plan.scripts[0].steps[0].request.target == "/p/1"
    assert plan.scripts[0].steps[0].route == "GET /p/<n>"
    with pytest.raises(NoPlan, match="does not begin with /"):
        planned(request(0, 0, "/posts"), rewrite=(("/", ""),))


def test_writes_are_held_unless_asked_for_and_half_a_body_is_never_sent() -> None:
    recorded = [
        request(0, 0, method="POST"),
        request(1, 1, method="PUT", truncated=True),
        request(2, 2, method="OPTIONS"),
    ]

    def held(*, writes: bool) -> list[str]:
        return [step.held for step in planned(*recorded, writes=writes).scripts[0].steps]

    assert held(writes=False) == [NOT_SENT, NOT_SENT, ""]
    assert held(writes=True) == ["", TRUNCATED, ""]


def test_a_placeholder_is_waited_for_only_by_who_comes_after_its_maker() -> None:
    made = (("{{post:1}}", "/id"),)
    plan = planned(
        request(0, 0, "/posts/{{post:1}}", session="bob"), request(1, 1, "/posts", made=made, method="POST"),
        request(2, 2, "/posts/{{post:1}}", session="bob"), request(3, 3, headers=(("cookie", "a={{cookie:x}}"),)), writes=True,
    )  # fmt: skip

    assert {step.request.i: step.needs for script in plan.scripts for step in script.steps} == {
        0: (), 1: (), 2: ("{{post:1}}",), 3: (),
    }  # fmt: skip


def test_the_same_seed_chooses_the_same_sessions() -> None:
    recorded = [request(i, i, session=f"s{i % 20}") for i in range(100)]

    def chosen(seed: int) -> set[str]:
        return {script.session for script in planned(*recorded, sessions=5, seed=seed).scripts}

    assert len(chosen(1)) == 5
    assert chosen(1) == chosen(1) != chosen(2)
    assert len(planned(*recorded, sessions=50).scripts) == 20


def test_length_and_highest_rate_are_told_beforehand() -> None:
    recorded = [request(i, ms, session=f"s{i}") for i, ms in enumerate([0, 100, 200, 1500, 3000])]

    once, fast, twice = planned(*recorded), planned(*recorded, speed=10), planned(*recorded, loops=2)
    even, timed = (
        planned(*recorded, pace=parse("rate=10"), loops=4),
        planned(*recorded, pace=parse("rate=10"), duration=30),
    )
    stepped, users = planned(*recorded, pace=parse("step=5,50@2")), planned(*recorded, pace=parse("closed=3"))

    assert [once.seconds, fast.seconds, twice.seconds] == pytest.approx([3.75, 0.375, 7.5])
    assert [once.highest_rate, fast.highest_rate] == pytest.approx([3, 5 / 0.375])
    assert (once.requests, fast.requests, twice.requests) == (5, 5, 10)
    assert (even.seconds, even.highest_rate, even.requests) == (2, 10, 20)
    assert (timed.seconds, timed.requests, timed.loops) == (30, 300, None)
    assert (stepped.seconds, stepped.highest_rate, stepped.requests) == (4, 50, 110)
    assert (users.seconds, users.highest_rate, users.requests) == (0, 0, 5)


def test_passes_follow_each_other_until_the_time_is_over() -> None:
    recorded = [request(0, 0), request(1, 1000, session="bob")]

    twice = arrivals(planned(*recorded, loops=2))
    timed = arrivals(planned(*recorded, duration=4.5))
    even = arrivals(planned(*recorded, pace=parse("rate=2"), duration=2))
    absolute = arrivals(planned(*recorded, pace=parse("absolute"), speed=2))

    assert twice == [(0, 0, 0), (1e6, 1, 0), (2e6, 0, 1), (3e6, 1, 1)]
    assert timed == [*twice, (4e6, 0, 2)]
    assert even == [(0, 0, 0), (5e5, 1, 0), (1e6, 0, 1), (1.5e6, 1, 1)]
    assert absolute == [(0, 0, 0), (5e5, 1, 0)]


@pytest.mark.parametrize("pace", ["session", "absolute", "rate=20", "poisson=20", "line=1:30"])
def test_parts_are_together_the_whole_each_at_its_own_moments(pace: str) -> None:
    recorded = [request(i, i * 10, session=f"s{i % 7}") for i in range(100)]
    whole = planned(*recorded, pace=parse(pace), loops=2)

    parts = whole.split(3)

    def told(plan: Plan) -> list[tuple[float, str, int]]:
        return [(one.us, plan.scripts[one.script].session, one.loop) for one in plan.arrivals()]

    assert sorted(one for part in parts for one in told(part)) == sorted(told(whole))
    assert all(part.scripts for part in parts)
    assert sum(part.requests for part in parts) == pytest.approx(whole.requests, abs=3)


def test_sessions_that_tell_each_other_ids_stay_together_and_users_are_shared_out() -> None:
    recorded = [
        request(0, 0, session="a", made=(("{{post:1}}", "/id"),)), request(1, 1, "/{{post:1}}", session="b"),
        request(2, 2, session="c"), request(3, 3, session="d", made=(("{{post:2}}", "/id"),)),
        request(4, 4, "/{{post:2}}", session="b"),
    ]  # fmt: skip

    parts, users = planned(*recorded).split(3), planned(*recorded, pace=parse("closed=5")).split(4)

    assert sorted(sorted(script.session for script in part.scripts) for part in parts) == [["a", "b", "d"], ["c"]]
    assert sum(part.pace.rates[0] for part in users) == 5
    assert len(planned(*recorded, pace=parse("closed=1")).split(3)) == 1
