"""A process's way to Redis: one trip a turn, and the epoch that every question is put under."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from redis.asyncio import Redis

from cache.link import Ask, Link
from cache.wire import Lost, Wire
from tests.cache.asking import TOKEN, WRITER, Links, told
from tests.cache.own_redis import OwnRedis
from tests.cache.steps import client
from tests.harness.counting import Counted
from tests.harness.wires import Wire as Relay

pytest_plugins = ["tests.cache.stages", "tests.cache.askers"]


# One trip a turn


async def test_what_is_asked_in_one_turn_of_the_loop_is_one_trip(link: Link, inside: Redis, counted: Counted) -> None:
    await link.start()
    for name in "abc":
        await inside.set(link.full(name), name)
    counted.clear()

    found = await asyncio.gather(
        link.get(["a", "b"]), link.get(["b", "x", "b"]), link.get(("c",)), link.get([]), link.get(["a", "a"])
    )

    assert list(found) == [[b"a", b"b"], [b"b", None, b"b"], [b"c"], [], [b"a", b"a"]]
    assert (counted.trips, counted.commands) == (1, ["MGET"])


async def test_a_thousand_names_are_several_mgets_and_one_trip(link: Link, inside: Redis, counted: Counted) -> None:
    await link.start()
    names = [f"n{i}" for i in range(1234)]
    await inside.mset({link.full(name): name for name in names})
    counted.clear()

    found, again = await asyncio.gather(link.get(names), link.get(names[::-1]))

    assert found == [name.encode() for name in names]
    assert again == found[::-1]
    assert (counted.trips, counted.commands) == (1, ["MGET"] * 3)


async def test_a_caller_who_goes_away_takes_nobody_along(link: Link, inside: Redis) -> None:
    await link.start()
    await link.acquire([Ask("known", 1)], TOKEN, 1000)  # from now on Redis knows the script
    await inside.set(link.full("a"), "a")
    wire = link._line.wire
    gone, stays = asyncio.create_task(link.get(["a"])), asyncio.create_task(link.get(["a"]))
    script = asyncio.create_task(link.acquire([Ask("b", 1)], TOKEN, 1000))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    script.cancel()

    assert await stays == [b"a"]
    assert await link.get(["b"]) == [b"L" + TOKEN], "the answers stayed in step"
    assert link._line.wire is wire, "and the connection is the same"


@pytest.mark.parametrize("name", ["", " ", "中文:🎈", "a\r\nGET b", "\0", "\ud800", "x" * 10_000])
async def test_any_name_will_do(link: Link, name: str) -> None:
    granted = await link.acquire([Ask(name, 1, (name + "s",))], TOKEN, 1000)

    assert granted is not None
    assert granted[0].answer == "lease"
    assert await link.get([name]) == [b"L" + TOKEN]


async def test_a_client_that_keeps_traces_hears_of_each_trip_from_who_waited(
    own_redis: OwnRedis,
) -> None:
    redis, heard = client(own_redis.url), list[Any]()
    redis.sent = lambda first, commands, began: heard.append(tuple(first))  # type: ignore[attr-defined]
    link = Link(redis, "l")
    await asyncio.gather(link.get(["a", "b"]), link.get(["a"]))
    await link.acquire([Ask("a", 1)], TOKEN, 1000)

    assert heard == [("MGET", "a", "b"), ("MGET", "a"), ("acquire", "a")]
    await link.close()
    await redis.aclose()


# The epoch


async def test_processes_that_come_at_once_agree_on_one_epoch(links: Links, own_redis: OwnRedis) -> None:
    several = [links.open(own_redis.url) for _ in range(5)]
    await asyncio.gather(*(link.start() for link in several))

    assert len({link.epoch for link in several}) == 1
    assert several[0].epoch


async def test_flushall_is_a_new_epoch_and_everybody_hears_of_it(
    links: Links, inside: Redis, own_redis: OwnRedis
) -> None:
    one, other = links.open(own_redis.url), links.open(own_redis.url)
    await one.start()
    await other.start()
    old, changes = one.epoch, told(one)
    await inside.flushall()

    assert await one.get(["a"]) == [None]
    assert await other.begin(["a"], [], WRITER, 1000)

    assert one.epoch == other.epoch != old
    assert changes == [(True, one.epoch)]


@pytest.mark.parametrize("kind", ["get", "acquire", "begin", "end"])
async def test_every_question_under_an_old_epoch_is_put_again_under_the_new_one(
    link: Link, inside: Redis, kind: str
) -> None:
    await link.start()
    old = link.full("a")
    await inside.set(old, b"old")
    run, _, _ = bytes(await inside.get("l:epoch") or b"").partition(b":")  # type: ignore[arg-type]
    await inside.set("l:epoch", run + b":other")

    questions: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
        "get": lambda: link.get(["a"]),
        "acquire": lambda: link.acquire([Ask("a", 1)], TOKEN, 1000),
        "begin": lambda: link.begin(["a"], [], WRITER, 1000),
        "end": lambda: link.end(["a"], [], WRITER),
    }
    answer = await questions[kind]()

    assert link.epoch == "other"
    assert answer
    assert answer != [b"old"]
    assert await inside.get(old) == b"old", "nobody has touched the name of the old epoch"


async def test_an_epoch_that_never_rests_is_given_up(
    link: Link, inside: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await link.start()
    send = Wire.send

    def changed_under_way(wire: Wire, packed: bytes, answers: int, done: Any) -> None:
        if b"MGET" in packed:
            send(wire, b"*2\r\n$3\r\nDEL\r\n$7\r\nl:epoch\r\n", 1, lambda _: None)
        send(wire, packed, answers, done)

    monkeypatch.setattr(Wire, "send", changed_under_way)

    assert await link.get(["a"]) is None
    assert link.up
    assert link.counts["epochs"] == 4  # the first one, and one for each of three tries
    monkeypatch.undo()
    assert await link.get(["a"]) == [None]


@pytest.mark.parametrize("saved", [True, False])
async def test_what_a_restarted_redis_brings_back_is_out_of_reach(
    link: Link,
    inside: Redis,
    own_redis: OwnRedis,
    saved: bool,
) -> None:
    await link.start()
    old, changes = link.epoch, told(link)
    await inside.set(link.full("a"), b"old")
    before = link.full("a")
    if saved:
        await inside.save()
    await own_redis.kill()
    await own_redis.start()

    assert await link.get(["a"]) == [None]
    assert await inside.get(before) == (b"old" if saved else None)
    assert link.epoch != old
    assert changes[0] == (True, link.epoch)
    assert await link.end(["a"], [], WRITER)


async def test_a_get_whose_answer_is_late_does_not_wait_for_another_try(
    far: Link, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would wait as long again for a connection, and then be told the same."""
    await far.start()
    connections = list[bool]()

    async def connect() -> Wire:
        connections.append(far.up)
        raise Lost("not in this test")

    monkeypatch.setattr(far._line, "_connect", connect)
    relay.hang()

    assert await far.get(["a"]) is None
    assert not any(connections)
    assert not far.up
