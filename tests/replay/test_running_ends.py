"""However it goes or ends, against real sockets: each request that was due has exactly one outcome, and no run waits for ever."""

import asyncio

import pytest

from replay import targets
from replay.clock import now
from replay.measuring import Measure
from replay.paces import parse
from replay.running import Options, Runner
from tests.harness.crowd import until
from tests.replay.going import PATIENCE, outcomes, ran
from tests.replay.recordings import planned, request
from tests.replay.serving import CLOSE, OK, Asked, serving


async def test_time_outs_resets_and_nonsense_have_their_words_and_stay_in_the_distribution() -> None:
    answers: dict[str, bytes | list[bytes | float]] = {
        "/late": [60.0], "/cut": [OK[:-1], CLOSE], "/odd": b"+PONG\r\n", "/closed": [CLOSE], "/down": OK.replace(b"200", b"503"),
    }  # fmt: skip
    recorded = [request(i, i, target, session=target) for i, target in enumerate(answers)]
    async with serving(lambda asked: answers[asked.target]) as served:
        measure = await ran(planned(*recorded), served, timeout=0.5)

    assert outcomes(measure) == {"timeout": 1, "closed": 2, "broken": 1, "503": 1}
    assert sum(second.failed for second in measure.seconds.values()) == 5
    assert measure.routes["GET /late"].response.max >= 500_000


async def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure_of_a_read() -> None:
    recorded = [request(0, 0, "/a"), request(1, 1, "/b", after=0)]
    async with serving(lambda asked: [CLOSE] if asked.connection == 0 and asked.target == "/b" else OK) as served:
        measure = await ran(planned(*recorded), served)

        assert served.targets == ["/a", "/b", "/b"]
    assert outcomes(measure) == {"200": 2}


@pytest.mark.parametrize("then", [OK, [CLOSE]])
async def test_how_long_a_site_was_silent_before_it_hung_up_is_no_lateness_of_the_generator(
    then: bytes | list[bytes | float],
) -> None:
    """The request went at its moment: what is asked again is measured from there, whatever becomes of it."""
    recorded = [request(0, 0, "/a"), request(1, 1, "/b", after=0)]

    def answer(asked: Asked) -> bytes | list[bytes | float]:
        return OK if asked.target == "/a" else [2.0, CLOSE] if asked.connection == 0 else then

    async with serving(answer) as served:
        measure = await ran(planned(*recorded), served)

        assert served.targets == ["/a", "/b", "/b"]
    asked_again = measure.routes["GET /b"]
    assert sum(second.lag.n for second in measure.seconds.values()) == 2
    assert max(second.lag.max for second in measure.seconds.values()) < 1_000_000
    assert min(asked_again.service.max, asked_again.response.max) >= 2_000_000
    assert measure.first_byte.max >= 2_000_000 or then != OK
    assert measure.connect.max < 1_000_000


async def test_nothing_is_asked_a_third_time() -> None:
    """However many kept connections there are."""
    recorded = [request(0, 0, "/a"), request(1, 0, "/a"), request(2, 500, "/b", after=1)]
    async with serving(lambda asked: [CLOSE] if asked.target == "/b" else [0.3, OK]) as served:
        measure = await ran(planned(*recorded), served)

        assert served.targets == ["/a", "/a", "/b", "/b"]
        assert served.connections == 2
    assert outcomes(measure) == {"200": 2, "closed": 1}


async def test_a_write_is_never_sent_twice() -> None:
    recorded = [request(0, 0, "/a"), request(1, 1, "/b", method="POST", after=0)]
    async with serving(lambda asked: [CLOSE] if asked.target == "/b" else OK) as served:
        measure = await ran(planned(*recorded, writes=True), served)

        assert served.targets == ["/a", "/b"]
    assert outcomes(measure) == {"200": 1, "closed": 1}


async def test_without_a_free_connection_there_is_an_honest_outcome() -> None:
    recorded = [request(i, i, session=f"s{i}") for i in range(6)]
    async with serving(lambda asked: [0.5, OK]) as served:
        measure = await ran(planned(*recorded), served, max_open=2)

    assert outcomes(measure) == {"200": 2, "max open": 4}


async def test_who_comes_next_takes_the_place_of_who_has_gone() -> None:
    recorded = [request(i, i, session=f"s{i}") for i in range(40)]
    async with serving() as served:
        measure = await ran(planned(*recorded, pace=parse("closed=4")), served, max_open=4)

    assert outcomes(measure) == {"200": 40}


async def test_what_the_cap_holds_back_at_the_end_is_not_sent_any_more() -> None:
    """Faster than what is under way can be given up: those that are held must not slip through meanwhile."""
    recorded = [request(i, 0, session=f"s{i}") for i in range(600)]
    stop = asyncio.Event()
    async with serving(lambda asked: [60.0]) as served:
        running = asyncio.create_task(ran(planned(*recorded), served, stop=stop, max_rate=2000, timeout=30.0))
        await until(lambda: len(served.asked) > 50)
        stop.set()
        measure = await running

    assert set(outcomes(measure)) == {"interrupted"}  # however many were due by then


async def test_the_rate_cap_holds_requests_which_response_times_count_and_lag_does_not() -> None:
    recorded = [request(i, 0, f"/{i}", session=f"s{i}") for i in range(10)]
    async with serving() as served:
        measure = await ran(planned(*recorded), served, max_rate=50)

        assert served.targets == [f"/{i}" for i in range(10)]
    assert outcomes(measure) == {"200": 10}
    assert (measure.capped.n, measure.capped.max) == (9, 180_000)
    assert measure.seconds[0].response.max >= 180_000
    assert measure.seconds[0].lag.value_at(0.5) < 60_000


async def test_nobody_waits_for_what_would_have_been_told_after_the_end() -> None:
    recorded = [
        request(0, 0, "/a", session="a"), request(1, 900, "/b", session="a", made=(("{{post:1}}", "/id"),), after=0),
        request(2, 1000, "/{{post:1}}", session="b"), request(3, 100_000, "/late"),
    ]  # fmt: skip
    async with serving(lambda asked: [0.7, OK] if asked.target == "/a" else OK) as served:
        measure = await ran(planned(*recorded, duration=1.2), served)

    assert outcomes(measure) == {"200": 1, "unmapped": 1}


async def test_ctrl_c_ends_it_with_what_was_measured() -> None:
    recorded = [request(0, 0, "/quick"), request(1, 1, "/slow", session="bob"), request(2, 3_600_000, session="carol")]
    stop = asyncio.Event()
    async with serving(lambda asked: [60.0] if asked.target == "/slow" else OK) as served:
        running = asyncio.create_task(ran(planned(*recorded), served, stop=stop))
        await until(lambda: len(served.asked) == 2)
        await asyncio.sleep(0.05)
        stop.set()
        measure = await running

        assert outcomes(measure) == {"200": 1, "interrupted": 1}


async def test_too_many_errors_end_it_and_the_reason_is_told() -> None:
    recorded = [request(i, i * 2, session=f"s{i}") for i in range(2000)]
    async with serving(lambda asked: OK.replace(b"200", b"500")) as served:
        measure = await ran(planned(*recorded), served, stop_on_errors=0.5)

        assert len(served.asked) < 2000
    assert measure.stopped.startswith("100% of the last")


async def test_an_error_of_our_own_ends_the_run_and_is_seen() -> None:
    async with serving() as served:
        target = await targets.find(served.url)

        def fail(*_: object) -> None:
            raise ZeroDivisionError

        runner = Runner(planned(request(0, 0)), target, Options("x"), Measure(), fail)
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(runner.run(now(), asyncio.Event()), PATIENCE)


async def test_whoever_is_hopelessly_behind_still_hears_and_says_so() -> None:
    """Answers are read, and Ctrl-C is heard, while more is due than can be sent."""
    recorded = [request(i, i, session=f"s{i}") for i in range(50)]
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    async with serving() as served:
        plan = planned(*recorded, pace=parse("rate=200000"), duration=120)
        running = asyncio.create_task(ran(plan, served, stop=stop, max_open=50))
        await until(lambda: len(served.asked) > 60)
        began = loop.time()
        stop.set()
        measure = await running

        assert loop.time() - began < 30
    assert outcomes(measure)["200"] > 0


async def test_what_waits_at_the_end_for_a_session_that_never_begins_ends_too() -> None:
    recorded = [
        request(0, 0, "/a", took=700), request(1, 800, "/b", session="b", made=(("{{post:1}}", "/id"),)),
        request(2, 900, "/{{post:1}}", after=0),
    ]  # fmt: skip
    async with serving() as served:
        session = await ran(planned(*recorded, duration=0.5), served)
        arriving = await ran(planned(*recorded, pace=parse("rate=4"), duration=0.7), served)

    assert outcomes(session) == {"200": 1}
    assert outcomes(arriving) == {"200": 1, "too late": 2} or outcomes(arriving) == {"200": 2, "unmapped": 1}


async def test_who_is_held_by_the_cap_when_it_ends_was_due_all_the_same() -> None:
    recorded = [request(i, 0, session=f"s{i}") for i in range(30)]
    stop = asyncio.Event()
    async with serving() as served:
        running = asyncio.create_task(ran(planned(*recorded), served, stop=stop, max_rate=5))
        await until(lambda: bool(served.asked))
        stop.set()
        measure = await running

    assert outcomes(measure)["interrupted"] >= 20
    assert sum(outcomes(measure).values()) == 30


async def test_a_run_that_nobody_answers_is_no_pass_however_short_it_is() -> None:
    async with serving() as served:
        gone = served.url
    measure = await ran(planned(*(request(i, i) for i in range(3))), gone)

    assert outcomes(measure) == {"refused": 3}
    assert "the target is gone" in measure.stopped


async def test_a_kept_connection_that_ended_while_nobody_asked_is_not_written_to() -> None:
    recorded = [request(i, i * 50, f"/{i}", method="POST", after=i - 1 if i else None) for i in range(6)]
    closing = OK + b""
    async with serving(lambda asked: [closing, CLOSE]) as served:
        measure = await ran(planned(*recorded, writes=True), served)

        assert served.connections == 6
    assert outcomes(measure) == {"200": 6}


async def test_the_rate_cap_and_too_few_connections_end_every_session() -> None:
    recorded = [request(i, 0, session=f"s{i}") for i in range(5)]
    async with serving(lambda asked: [0.3, OK]) as served:
        measure = await ran(planned(*recorded), served, max_rate=200, max_open=1)

    assert outcomes(measure) == {"200": 1, "max open": 4}


async def test_a_closed_pace_ends_when_its_time_is_over() -> None:
    recorded = [request(i, 0, session=f"s{i}") for i in range(5)]
    async with serving() as served:
        for _ in range(15):
            await ran(planned(*recorded, pace=parse("closed=1"), duration=0.02), served)


async def test_with_no_connection_left_to_ask_again_the_first_word_counts() -> None:
    recorded = [request(0, 0, "/a"), request(1, 1, "/b", after=0)]
    async with serving(lambda asked: [CLOSE] if asked.target == "/b" else OK) as served:
        measure = await ran(planned(*recorded), served, max_open=1)

    assert outcomes(measure) == {"200": 1, "closed": 1}
