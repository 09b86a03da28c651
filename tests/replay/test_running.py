"""What is sent, when, and in which order, against real sockets."""

import asyncio
import time
from typing import Any

import pytest

from replay.connections import Connections, Sent
from replay.measuring import Measure
from replay.paces import parse
from tests.harness.crowd import until
from tests.replay.going import outcomes, ran
from tests.replay.recordings import planned, request
from tests.replay.serving import OK, Asked, serving


async def test_at_a_thousand_times_the_speed_every_session_keeps_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent side by side goes in its order down connections of its own; a chain arrives in its order."""
    together = [request(i, i * 40, f"/{i}", session=f"s{i % 9}", took=900) for i in range(400)]
    chains = [
        request(i, i * 40, f"/{i}", session=f"s{i % 9}", took=1, after=i - 9 if i > 8 else None) for i in range(400)
    ]
    sent, send = list[tuple[str, int]](), Connections.send

    def noted(connections: Connections, one: Sent) -> bool:
        sent.append((one.step.request.session, one.step.request.i))
        return send(connections, one)

    monkeypatch.setattr(Connections, "send", noted)
    async with serving() as served:
        measure = await ran(planned(*together, speed=1000), served)
        beside, of_chains = sent[:], len(sent)
        await ran(planned(*chains, speed=1000), served)

    assert outcomes(measure) == {"200": 400}
    for session in range(9):
        expected = list(range(session, 400, 9))
        assert [i for name, i in beside if name == f"s{session}"] == expected
        assert [int(target[1:]) for target in served.targets[of_chains:] if int(target[1:]) % 9 == session] == expected


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


async def test_who_is_held_up_by_the_order_of_a_session_is_not_late() -> None:
    recorded = [request(0, 0, "/slow", took=1), request(1, 2, "/then", after=0), request(2, 4, "/behind")]
    async with serving(lambda asked: [0.6, OK] if asked.target == "/slow" else OK) as served:
        measure = await ran(planned(*recorded), served)

        assert served.targets == ["/slow", "/then", "/behind"]
    assert measure.seconds[0].lag.max < 500_000
    assert measure.routes["GET /behind"].response.max < 500_000


async def test_a_stall_of_the_server_holds_no_arrival_up_and_counts_for_all_of_them() -> None:
    recorded = [request(i, i, session=f"s{i}") for i in range(20)]
    async with serving(lambda asked: [0.6, OK]) as served:
        running = asyncio.create_task(ran(planned(*recorded, pace=parse("rate=100")), served))
        await until(lambda: len(served.asked) == 20)

        assert not running.done()
        measure = await running
    assert outcomes(measure) == {"200": 20}


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


async def test_the_warm_up_is_measured_apart() -> None:
    recorded = [request(i, i * 10, session=f"s{i}") for i in range(40)]
    async with serving() as served:
        measure = await ran(planned(*recorded), served, warmup=0.2)

    assert measure.warm == {"200": 20}
    assert outcomes(measure) == {"200": 20}


async def test_what_is_due_goes_before_answers_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty answers come together, and each takes long to count: what is due meanwhile does not wait for all of them."""
    crowd = [request(i, 0, "/slow", session=f"s{i}") for i in range(20)]
    end = Measure.end

    def slow(measure: Measure, route: str, *told: Any) -> None:
        if route == "GET /slow":
            time.sleep(0.05)
        end(measure, route, *told)

    monkeypatch.setattr(Measure, "end", slow)
    gate = asyncio.Event()

    async def all_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await gate.wait()
        writer.write(OK)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(all_at_once, "127.0.0.1", 0) as server:
        asyncio.get_running_loop().call_later(0.3, gate.set)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        measure = await ran(planned(*crowd, request(20, 500, "/due", session="late")), url)

    assert outcomes(measure) == {"200": 21}
    assert measure.seconds[0].lag.value_at(1.0) < 300_000  # and not the second that all of them take
