"""What is sent, when, and in which order, against real sockets; each request that was due has exactly one outcome."""

import asyncio
import json
from typing import Any

import pytest

from replay import targets
from replay.clock import now
from replay.measuring import Measure
from replay.paces import parse
from replay.plans import Plan
from replay.running import Options, Runner
from tests.harness.crowd import until
from tests.replay.recordings import planned, request
from tests.replay.serving import CLOSE, OK, Asked, Served, serving

PATIENCE = 60.0


async def ran(plan: Plan, served: Served | str, *, stop: asyncio.Event | None = None, **options: Any) -> Measure:
    target = await targets.find(served if isinstance(served, str) else served.url)
    measure = Measure()
    runner = Runner(plan, target, Options("run-1", **options), measure)
    await asyncio.wait_for(runner.run(now() + 5_000_000, stop or asyncio.Event()), PATIENCE)
    return measure


def outcomes(measure: Measure) -> dict[str, int]:
    """Of all routes together; what was due and what became of it are as many."""
    found: dict[str, int] = {}
    for route in measure.routes.values():
        for word, count in route.outcomes.items():
            found[word] = found.get(word, 0) + count
    assert sum(second.due for second in measure.seconds.values()) == sum(found.values())
    assert sum(second.sent for second in measure.seconds.values()) == sum(
        second.ended for second in measure.seconds.values()
    )
    return found


async def test_at_a_thousand_times_the_speed_every_session_keeps_its_order() -> None:
    recorded = [request(i, i * 40, f"/{i}", session=f"s{i % 9}", took=900) for i in range(400)]
    async with serving() as served:
        measure = await ran(planned(*recorded, speed=1000), served)

        for session in range(9):
            sent = [int(target[1:]) for target in served.targets if int(target[1:]) % 9 == session]
            assert len(sent) > 40
            by_connection = [int(one.target[1:]) for one in served.asked if int(one.target[1:]) % 9 == session]
            assert sorted(by_connection) == list(range(session, 400, 9))
    assert outcomes(measure) == {"200": 400}


async def test_what_waits_goes_after_the_answer_and_what_does_not_goes_beside_it() -> None:
    recorded = [request(0, 0, "/slow", took=10), request(1, 5, "/beside"), request(2, 20, "/after", after=0)]
    async with serving(lambda asked: [0.3, OK] if asked.target == "/slow" else OK) as served:
        measure = await ran(planned(*recorded), served)

        assert served.targets == ["/slow", "/beside", "/after"]
        assert served.connections == 2
        await until(lambda: served.open == 0)
    response = measure.routes["GET /after"].response
    assert response.max < 250_000  # it counts from its own moment, not from when it was recorded
    assert measure.routes["GET /slow"].response.max >= 300_000


async def test_a_stall_of_the_server_holds_no_arrival_up_and_counts_for_all_of_them() -> None:
    recorded = [request(i, i, session=f"s{i}") for i in range(20)]
    async with serving(lambda asked: [0.6, OK]) as served:
        running = asyncio.create_task(ran(planned(*recorded, pace=parse("rate=100")), served))
        await until(lambda: len(served.asked) == 20)

        assert not running.done()
        measure = await running
    assert outcomes(measure) == {"200": 20}


async def test_ids_that_answers_tell_are_put_into_later_requests_of_all_sessions() -> None:
    made = (("{{post:1}}", "/post/id"), ("{{slug:1}}", "location:^/posts/(.+)$"), ("{{cookie:1}}", "cookie:plaza"))
    form = (("content-type", "application/x-www-form-urlencoded"), ("cookie", "lang=zh; plaza={{cookie:1}}"))
    recorded = [
        request(0, 0, "/api/posts", method="POST", made=made, body=b'{"x": 1}', took=1),
        request(1, 5, "/p/{{post:1}}?s={{slug:1}}", session="bob", method="POST", headers=form,
                body=b"s={{slug:1}}&n={{post:1}}"),
        request(2, 6, "/j", session="carol", method="PUT", headers=(("content-type", "application/json"), ("x-id", "{{post:1}}")),
                body=b'{"s": "{{slug:1}}"}'),
    ]  # fmt: skip
    body = json.dumps({"post": {"id": 915}}).encode()
    told = (
        b'HTTP/1.1 201 Created\r\nLocation: /posts/a"b+c\r\nSet-Cookie: plaza=fresh; Path=/; HttpOnly\r\n'
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    async with serving(lambda asked: [0.2, told] if asked.target == "/api/posts" else OK) as served:
        measure = await ran(planned(*recorded, writes=True), served)

        bob, carol = sorted(served.asked[1:], key=lambda asked: -len(asked.target))
    assert bob.target == "/p/915?s=a%22b%2Bc"
    assert bob.body == b"s=a%22b%2Bc&n=915"
    assert bob.headers["cookie"] == "lang=zh; plaza=fresh"
    assert (carol.body, carol.headers["x-id"]) == (b'{"s": "a\\"b+c"}', "915")
    assert outcomes(measure) == {"201": 1, "200": 2}
    assert measure.changed == {"200 > 201": 1}


async def test_what_needs_an_unknown_id_is_unmapped_and_so_is_what_needs_that() -> None:
    first, second = (("{{post:1}}", "/id"),), (("{{comment:1}}", "/id"),)
    recorded = [
        request(0, 0, "/posts", method="POST", made=first), request(1, 10, "/posts/{{post:1}}", method="POST", made=second),
        request(2, 20, "/comments/{{comment:1}}", session="bob"), request(3, 30, "/nobody/{{email:9}}", after=1),
        request(4, 40, "/there"), request(5, 50, "/known/{{email:8}}"),
    ]  # fmt: skip
    async with serving() as served:  # whose answers are no JSON
        measure = await ran(planned(*recorded, writes=True), served, values={"{{email:8}}": "a@b.example"})

        assert served.targets == ["/posts", "/there", "/known/a%40b.example"]
    assert outcomes(measure) == {"200": 3, "unmapped": 3}


async def test_writes_that_are_not_allowed_are_told_and_what_needs_them_is_unmapped() -> None:
    recorded = [
        request(0, 0, "/posts", method="POST", made=(("{{post:1}}", "/id"),)), request(1, 10, "/posts/{{post:1}}"),
        request(2, 20, "/", after=0),
    ]  # fmt: skip
    async with serving() as served:
        measure = await ran(planned(*recorded), served)

        assert served.targets == ["/"]
    assert outcomes(measure) == {"not sent": 1, "unmapped": 1, "200": 1}


async def test_cookies_are_kept_as_a_browser_keeps_them() -> None:
    cookies = (("cookie", "plaza={{cookie:1}}; lang=zh; gone=1"),)
    recorded = [request(i, i, f"/{i}", after=i - 1 if i else None, headers=cookies) for i in range(3)]
    recorded.append(request(3, 3, "/bob", session="bob", headers=cookies))

    def answer(asked: Asked) -> bytes:
        return OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: plaza=new; Max-Age=9\r\nset-cookie: gone=; max-age=0\r\n\r\n")

    async with serving(answer) as served:
        await ran(planned(*recorded), served, values={"{{cookie:1}}": "old"})

        sent = {asked.target: asked.headers["cookie"] for asked in served.asked}
    assert sent == {
        "/0": "plaza=old; lang=zh; gone=1", "/1": "plaza=new; lang=zh", "/2": "plaza=new; lang=zh",
        "/bob": "plaza=old; lang=zh; gone=1",
    }  # fmt: skip


async def test_a_record_without_headers_sends_back_what_the_site_set() -> None:
    recorded = [request(0, 0, "/0"), request(1, 1, "/1", after=0)]
    async with serving(lambda asked: OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=1\r\n\r\n")) as served:
        await ran(planned(*recorded), served)

        assert [asked.headers.get("cookie") for asked in served.asked] == [None, "a=1"]


async def test_a_request_names_the_target_and_the_run_and_nothing_of_the_old_connection() -> None:
    told = (
        ("host", "old.example"), ("connection", "close"), ("content-length", "99"), ("origin", "http://old.example"),
        ("referer", "http://old.example/a"), ("user-agent", "Ünï"), ("x-replay-run", "forged"), ("accept-encoding", "br, gzip"),
    )  # fmt: skip
    async with serving() as served:
        await ran(planned(request(0, 0, "/a b", method="DELETE", headers=told), writes=True), served)

        asked = served.asked[0]
    assert asked.line == "DELETE /a%20b HTTP/1.1"
    assert asked.headers == {
        "host": served.url.removeprefix("http://"), "origin": served.url, "referer": f"{served.url}/a", "x-replay-run": "run-1",
        "user-agent": "Ünï".encode().decode("latin-1"), "accept-encoding": "br, gzip",
    }  # fmt: skip


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

    assert outcomes(measure) == {"200": 2, "no descriptor": 4}


async def test_the_rate_cap_holds_requests_and_that_is_lag() -> None:
    recorded = [request(i, 0, f"/{i}", session=f"s{i}") for i in range(10)]
    async with serving() as served:
        measure = await ran(planned(*recorded), served, max_rate=50)

        assert served.targets == [f"/{i}" for i in range(10)]
    assert outcomes(measure) == {"200": 10}
    assert measure.seconds[0].lag.max >= 180_000


async def test_users_of_a_closed_pace_take_one_session_after_the_other() -> None:
    recorded = [request(i, i * 1000, f"/{i}", session=f"s{i // 2}", after=None) for i in range(12)]
    most = 0

    def answer(asked: Asked) -> list[bytes | float]:
        nonlocal most
        most = max(most, served.open)
        return [0.01, OK]

    async with serving(answer) as served:
        measure = await ran(planned(*recorded, pace=parse("closed=2"), loops=3), served)

    assert outcomes(measure) == {"200": 36}
    assert most <= 2 + 1  # a connection that is being closed


@pytest.mark.parametrize("pace", ["session", "absolute", "rate=100", "poisson=100", "line=50:150", "step=50,150@0.2"])
async def test_every_pace_sends_all_of_it_or_until_the_time_is_over(pace: str) -> None:
    recorded = [request(i, i * 5, f"/{i}", session=f"s{i % 4}", after=i - 4 if i > 3 else None) for i in range(40)]
    async with serving() as served:
        whole = await ran(planned(*recorded, pace=parse(pace)), served)
        sent = len(served.asked)
        part = await ran(planned(*recorded, pace=parse(pace), duration=0.3), served)

    assert outcomes(whole) == {"200": sent}
    assert sent == 40
    assert outcomes(part)["200"] > 0
    assert set(part.seconds) == {0}


async def test_a_closed_user_never_waits_for_a_session_that_nobody_has_taken() -> None:
    recorded = [
        request(0, 0, "/a", session="a"), request(1, 10, "/b", session="b", made=(("{{post:1}}", "/id"),)),
        request(2, 20, "/{{post:1}}", session="a"), request(3, 30, "/{{post:1}}", session="b"),
    ]  # fmt: skip
    async with serving(lambda asked: OK.replace(b"2\r\n\r\nok", b'8\r\n\r\n{"id":1}')) as served:
        measure = await ran(planned(*recorded, pace=parse("closed=1")), served)

    assert outcomes(measure) == {"200": 3, "unmapped": 1}


async def test_nobody_waits_for_what_would_have_been_told_after_the_end() -> None:
    recorded = [
        request(0, 0, "/a", session="a"), request(1, 900, "/b", session="a", made=(("{{post:1}}", "/id"),), after=0),
        request(2, 1000, "/{{post:1}}", session="b"), request(3, 100_000, "/late"),
    ]  # fmt: skip
    async with serving(lambda asked: [0.7, OK] if asked.target == "/a" else OK) as served:
        measure = await ran(planned(*recorded, duration=1.2), served)

    assert outcomes(measure) == {"200": 1, "unmapped": 1}


async def test_the_warm_up_is_measured_apart() -> None:
    recorded = [request(i, i * 10, session=f"s{i}") for i in range(40)]
    async with serving() as served:
        measure = await ran(planned(*recorded), served, warmup=0.2)

    assert measure.warm == {"200": 20}
    assert outcomes(measure) == {"200": 20}


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
        loop.call_later(0.5, stop.set)
        began = loop.time()
        measure = await ran(planned(*recorded, pace=parse("rate=200000"), duration=30), served, stop=stop, max_open=50)

        assert loop.time() - began < 20
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
    assert outcomes(arriving) == {"200": 2, "unmapped": 1}


async def test_the_rate_cap_and_too_few_connections_end_every_session() -> None:
    recorded = [request(i, 0, session=f"s{i}") for i in range(5)]
    async with serving(lambda asked: [0.3, OK]) as served:
        measure = await ran(planned(*recorded), served, max_rate=200, max_open=1)

    assert outcomes(measure) == {"200": 1, "no descriptor": 4}


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
