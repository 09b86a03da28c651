"""The connection of pushes: what is heard on it, and that L1 falls silent whenever it might not be heard."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from tornado.ioloop import IOLoop

from cache import tracking as tracking_module
from cache.link import Link
from cache.local import LAG, Local, now
from cache.tracking import Tracking
from settings import Settings
from tests.cache.own_redis import OwnRedis
from tests.cache.sides import Side, connect, end, side, until
from tests.harness.wires import Wire

pytest_plugins = ["tests.cache.two_sides"]


ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def alone(io_loop: IOLoop, tmp_path: Path) -> Iterator[tuple[Side, OwnRedis]]:
    """With a Redis that nobody else uses."""
    server = OwnRedis(tmp_path)
    io_loop.run_sync(server.start)
    made = io_loop.run_sync(lambda: side(server.url, "own"))
    yield made, server
    io_loop.run_sync(lambda: end(made))
    io_loop.run_sync(server.kill)


async def test_a_write_of_another_process_takes_the_answer_and_kills_the_ticket(here: Side, there: Side) -> None:
    here.keep("a")
    here.keep("b")
    ticket = here.local.ticket("a")
    assert here.has("a") == "old"
    await there.write("a")
    await until(lambda: not ticket.alive)

    assert here.has("a") is None
    assert here.has("b") == "old"


async def test_a_write_that_returned_is_heard_before_the_fence_passes_it(here: Side, there: Side) -> None:
    """What makes the fence a proof: no PONG overtakes the push of a write that had returned when its PING was sent."""
    for n in range(10):
        here.keep(f"a:{n}")
        await there.write(f"a:{n}")
        returned = now()
        while here.local.until - LAG < returned:  # noqa: ASYNC110 - the fence tells nobody
            await asyncio.sleep(0)
        assert here.has(f"a:{n}") is None


@pytest.mark.parametrize("name", ["post:%E4%BD%A0", "a:b:c~", "ключ"])
async def test_names_with_any_character_are_heard(here: Side, there: Side, name: str) -> None:
    ticket = here.local.ticket(name)
    await there.write(name)
    await until(lambda: not ticket.alive)


async def test_a_push_for_another_epochs_key_is_no_push(here: Side, there: Side) -> None:
    here.keep("a")
    await there.redis.set(f"{here.tracking._namespace}:0123456789abcdef:a", b"x", px=1000)
    ticket = here.local.ticket("b")
    await there.write("b")
    await until(lambda: not ticket.alive)

    assert here.has("a") == "old"


async def test_a_push_for_the_epoch_key_flushes(here: Side, there: Side) -> None:
    here.keep("a")
    ticket = here.local.ticket("b")
    await there.redis.set(f"{here.tracking._namespace}:epoch", b"run:another")
    await until(lambda: here.tracking.flushes)

    assert here.has("a") is None
    assert not ticket.alive


async def test_flushall_flushes(alone: tuple[Side, OwnRedis]) -> None:
    here, server = alone
    here.keep("a")
    ticket = here.local.ticket("b")
    client = connect(server.url)
    await client.flushall()
    await client.aclose()
    await until(lambda: not ticket.alive)

    assert here.has("a") is None


async def test_the_fence_is_when_the_question_was_sent_not_when_its_answer_came(here: Side) -> None:
    """A write may return while the answer is on its way, and its push comes behind that answer."""
    tracking = here.tracking
    assert tracking._wire
    sent = here.local.until - LAG + 0.001
    tracking._answered(tracking._wire, sent, [[b"1", b"0"]])

    assert here.local.until == sent + LAG


async def test_who_catches_up_knows_of_every_write_that_had_returned(here: Side, there: Side) -> None:
    for _ in range(50):
        here.keep("a")
        await there.write("a")
        await here.tracking.caught_up()
        assert here.has("a") is None


async def test_who_catches_up_while_the_fence_is_old_knows_of_them_too(on_wire: Side, wire: Wire) -> None:
    """The answer that makes L1 open again may be to a question of before: then it does not tell of all those writes."""
    wire.hang()
    await until(lambda: not on_wire.local.open)
    told = asyncio.ensure_future(on_wire.tracking.caught_up())
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert not told.done()
    await wire.mend()
    await told


async def test_a_killed_connection_flushes_and_is_made_anew(here: Side, there: Side) -> None:
    here.keep("a")
    ticket = here.local.ticket("b")
    me = here.tracking
    for each in (here, there):  # and nobody else's: other tests have theirs in this Redis
        assert each.tracking._wire is not None
        await there.redis.client_kill_filter(_id=await each.tracking._wire.ask(b"*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n"))
    await until(lambda: me.connections == 2 and here.local.open and there.local.open)

    assert here.has("a") is None
    assert not ticket.alive
    here.keep("a", "new")
    assert here.has("a") == "new"
    await there.write("a")
    await until(lambda: here.has("a") is None)


async def test_a_half_open_connection_is_silent_before_it_can_be_wrong(on_wire: Side, there: Side, wire: Wire) -> None:
    on_wire.keep("a")
    assert on_wire.has("a") == "old"
    wire.hang()
    await there.write("a")
    returned = now()
    while on_wire.has("a") is not None:
        assert now() - returned <= LAG
        await asyncio.sleep(0.001)
    assert not on_wire.local.open

    await wire.mend()
    await until(lambda: on_wire.local.open)
    assert on_wire.has("a") is None


async def test_without_a_server_it_tries_again_until_there_is_one(on_wire: Side, there: Side, wire: Wire) -> None:
    on_wire.keep("a")
    await wire.cut()
    await until(lambda: on_wire.tracking.error)
    assert not on_wire.local.open
    assert not on_wire.local.ticket("a").alive

    await wire.mend()
    await until(lambda: on_wire.local.open)
    assert on_wire.tracking.error is None
    assert on_wire.has("a") is None


async def test_a_redis_that_brings_no_pushes_opens_nothing(
    settings: Settings,
) -> None:
    """As some proxies do: CLIENT TRACKING is answered OK, and that is all."""
    redis = connect(settings.redis)
    link, local = Link(redis, settings.namespace), Local(1 << 20)
    tracking = Tracking(redis, settings.namespace, link, local)
    tracking._track = tracking_module._pack("CLIENT", "TRACKING", "OFF")
    await link.start()
    tracking.start()
    await until(lambda: tracking.canary_failures >= 2)
    assert not local.open

    tracking._track = tracking_module._pack("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", f"{settings.namespace}:")
    await until(lambda: local.open)
    await tracking.close()
    await link.close()
    await redis.aclose()


async def test_pushes_that_cease_on_a_living_connection_are_found_out(
    here: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking_module, "CANARY", 0.0)
    wire = here.tracking._wire
    assert wire
    here.tracking._next_canary = 0.0
    wire.send(tracking_module._pack("CLIENT", "TRACKING", "OFF"), 1, lambda _: None)
    await until(lambda: here.tracking.canary_failures)
    assert not here.local.open

    await until(lambda: here.local.open)
    assert here.tracking.connections == 2


async def test_a_loop_that_never_comes_to_its_sockets_still_hears_and_still_answers(
    here: Side, settings: Settings
) -> None:
    """Some thousand callbacks in one turn: L1 reads what has come by itself, pushes and PONGs in their order."""
    writer = redis.Redis.from_url(settings.redis, protocol=3)
    here.keep("a")
    here.keep("b")
    writer.set(here.link.full("a"), b"x", px=1000)
    returned, hits = now(), 0
    while now() < returned + 5 * LAG:  # no turn ends in here
        assert here.has("a") is None or now() - returned < LAG
        hits += here.has("b") is not None
    writer.close()

    while here.has("b") is None:  # the fence may be old at this moment: then Redis has been asked, and answers
        assert now() < returned + 30
    assert hits > 100
    assert here.tracking.connections == 1


async def test_the_canary_tells_how_long_a_push_takes(here: Side) -> None:
    assert here.tracking.push_lag is not None
    assert 0 < here.tracking.push_lag < 1
    assert here.tracking.canary_failures == 0


async def test_a_link_that_is_down_shuts_l1_though_pushes_come_in(here: Side) -> None:
    here.keep("a")
    line = here.link._line
    line.up = False
    line.tell()
    assert not here.local.open
    pongs = here.tracking.pongs
    await until(lambda: here.tracking.pongs > pongs + 1)
    assert not here.local.open

    line.up = True
    line.tell()
    await until(lambda: here.local.open)
    assert here.has("a") is None


async def test_redis_time_is_known(here: Side) -> None:
    seconds, micros = await here.redis.time()

    assert abs(here.tracking.redis_ms - (seconds * 1000 + micros / 1000)) < 500


async def test_a_blocked_loop_gives_nothing_old_and_recovers_on_the_same_connection(here: Side, there: Side) -> None:
    here.keep("a")
    await there.write("a")
    began = now()
    while now() - began <= LAG + 0.05:  # the loop is blocked: this is the thing itself
        pass
    assert here.has("a") is None

    await until(lambda: here.local.open)
    assert here.tracking.connections == 1
    assert here.has("a") is None


async def test_a_canary_that_does_not_listen_is_waited_for_at_the_end(here: Side) -> None:
    """redis-py connects by asyncio.wait_for, which in Python 3.11 can swallow a cancellation."""

    async def deaf() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(60)

    flying = asyncio.create_task(deaf(), name="canary")
    here.tracking._flying.add(flying)
    await asyncio.sleep(0)
    await here.tracking.close()

    assert flying.done()
