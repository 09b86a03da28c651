"""What becomes of questions when Redis forgets scripts, breaks connections, is slow, or is gone."""

import asyncio
import logging
import signal
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from cache.link import Ask, Fill, Link
from cache.records import LIST_SCHEMA, encode_list
from cache.scripts import ACQUIRE, BEGIN, END, FILL
from cache.wire import Lost, Wire
from tests.cache.asking import SECONDS, TOKEN, WRITER, Links, back, fresh, told
from tests.cache.own_redis import OwnRedis
from tests.cache.steps import until
from tests.harness.counting import Counted
from tests.harness.wires import Wire as Relay

pytest_plugins = ["tests.cache.stages", "tests.cache.askers"]


# Scripts that Redis does not know


async def test_script_flush_is_not_noticed(link: Link, inside: Redis) -> None:
    await link.start()
    for _ in range(2):
        await inside.script_flush()
        granted = await link.acquire([Ask("a", 1)], TOKEN, 1000)
        assert granted is not None
        assert granted[0].answer == "lease"

    await inside.script_flush()
    await inside.delete("l:epoch")
    assert await link.get(["a"]) == [None]


async def test_a_script_is_sent_whole_only_once(link: Link, counted: Counted) -> None:
    await link.start()
    counted.clear()
    for _ in range(3):
        await link.begin(["a"], ["s"], WRITER, 1000)

    assert counted.commands == ["EVALSHA", "EVAL", "EVALSHA", "EVALSHA"]


# Connections that break


async def test_a_killed_connection_is_not_noticed(link: Link, inside: Redis) -> None:
    await link.start()
    changes = told(link)
    for _ in range(3):
        await inside.client_kill_filter(_type="normal", skipme=True)
        assert await link.get(["a"]) == [None]
        await inside.client_kill_filter(_type="normal", skipme=True)
        assert await link.begin(["b"], [], WRITER, 1000)

    assert changes == []


async def test_questions_on_a_connection_that_is_cut_in_flight_are_answered_by_a_new_one(
    far: Link, relay: Relay
) -> None:
    relay.hang()
    asked = [asyncio.create_task(far.get(["a"])), asyncio.create_task(far.get(["b"]))]
    writes = asyncio.create_task(far.end(["c"], [], WRITER))
    await asyncio.sleep(0.01)
    await relay.cut()
    await relay.mend()

    assert await asyncio.gather(*asked) == [[None], [None]]
    assert await writes
    assert far.up


async def test_what_was_done_but_not_answered_is_done_once_more(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    await link.start()
    ask, sent = Wire.ask, {script.name: list[bytes]() for script in (ACQUIRE, FILL, BEGIN, END)}

    async def first_answer_lost(wire: Wire, packed: bytes) -> Any:
        answer = await ask(wire, packed)
        for script in (ACQUIRE, FILL, BEGIN, END):
            if script.sha in packed:
                sent[script.name].append(packed)
                if len(sent[script.name]) == 1:
                    wire.close(Lost("reset by peer"))
                    raise Lost("reset by peer")
        return answer

    asks = [Ask("a", LIST_SCHEMA, ("s",))]
    other = b"x" * 16  # from here on Redis knows the scripts
    await link.acquire(asks, other, 10_000)
    await link.fill([Fill("b", b"N", 10_000)], other)
    await link.begin([], [], other, 1)
    await link.end(["a"], [], other)
    monkeypatch.setattr(Wire, "ask", first_answer_lost)

    granted = await link.acquire(asks, TOKEN, 10_000)
    assert granted is not None
    assert granted[0].answer == "busy"  # by the lease that nobody has heard of; it is given back
    granted = await link.acquire(asks, fresh(), 10_000)
    assert granted is not None
    assert granted[0].answer == "lease"
    items = Fill("a", encode_list(granted[0].stamps, (1,)), 10_000, ("s",))
    assert await link.fill([items], granted[0].token) == ["stored"]
    assert await link.begin(["a"], ["s"], WRITER, 10_000)
    assert await link.end(["a"], ["s"], WRITER)

    assert link.up
    # A generation that is set twice could make a list valid again that was read between the two.
    assert [sent[script.name][0] == sent[script.name][1] for script in (ACQUIRE, BEGIN, END)] == [False] * 3


async def test_a_question_that_was_asked_again_and_arrives_late_gives_nobody_a_right(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy still holds the first copy back when the second has been answered, and a write has come and gone."""
    await link.start()
    await link.acquire([Ask("b", 1)], b"x" * 16, 10_000)  # from here on Redis knows the script
    ask, late = Wire.ask, list[bytes]()

    async def held_back(wire: Wire, packed: bytes) -> Any:
        if TOKEN in packed and not late:
            late.append(packed)
            wire.close(Lost("reset by peer"))
            raise Lost("reset by peer")
        return await ask(wire, packed)

    monkeypatch.setattr(Wire, "ask", held_back)
    granted = await link.acquire([Ask("a", 1)], TOKEN, 10_000)
    assert granted is not None
    assert granted[0].answer == "lease"
    assert await link.begin(["a"], [], WRITER, 10_000)
    assert await link.end(["a"], [], WRITER)
    await ask(await link._line.connected(), late[0])

    assert await link.fill([Fill("a", b"N", 10_000)], granted[0].token) == ["superseded"]
    assert await link.get(["a"]) == [b"L" + TOKEN]  # it has come


async def test_a_late_answer_is_never_taken_for_the_next_ones(far: Link, relay: Relay, inside: Redis) -> None:
    await inside.set(far.full("a"), b"of a")
    await inside.set(far.full("b"), b"of b")
    changes = told(far)
    relay.hang()

    assert await far.get(["a"]) is None
    assert not far.up
    assert await far.get(["b"]) is None, "at once: nobody asks"
    await relay.mend()
    await back(far)

    assert await far.get(["b"]) == [b"of b"]
    assert [state for state, _ in changes] == [False, True]
    assert far.counts["outages"] == 1


async def test_a_paused_redis_is_an_outage_and_comes_back_by_itself(links: Links, own_redis: OwnRedis) -> None:
    link = links.open(own_redis.url, seconds=SECONDS)
    await link.start()
    own_redis.send(signal.SIGSTOP)
    try:
        assert not await link.begin(["a"], [], WRITER, 60_000)
        assert not await link.end(["a"], [], WRITER)
        assert await link.acquire([Ask("b", 1)], TOKEN, 1000) is None
        assert not await link.recover_now()
    finally:
        own_redis.send(signal.SIGCONT)
    await back(link)

    assert await link.end(["a"], [], WRITER)
    assert await link.get(["a"]) == [None], "the begin that was done after its time-out does no harm"


async def test_a_redis_that_is_loading_is_not_asked(link: Link, inside: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    await link.start()
    await inside.config_set("replica-serve-stale-data", "no")
    await inside.replicaof("127.0.0.1", "1")  # MASTERDOWN to every question

    assert await link.get(["a"]) is None
    assert not link.up
    await inside.replicaof("NO", "ONE")
    await back(link)
    assert await link.get(["a"]) == [None]


async def test_no_redis_at_the_start_is_no_error(links: Links, tmp_path: Path, own_redis: OwnRedis) -> None:
    await own_redis.kill()
    link = links.open(own_redis.url)

    assert await link.get(["a"]) is None
    assert not await link.begin(["a"], [], WRITER, 1000)
    await link.release(["a"], TOKEN)
    await own_redis.start()
    await back(link)
    assert await link.get(["a"]) == [None]


async def test_hits_are_not_trusted_before_the_replay(links: Links, own_redis: OwnRedis, inside: Redis) -> None:
    seen: list[Any] = []
    well = asyncio.Event()

    async def replay() -> None:
        seen.append((link.up, await link.get(["a"]), await link.end(["a"], [], WRITER, force=True)))
        if not well.is_set():
            raise OSError("MySQL is away, too")

    link = links.open(own_redis.url, replay=replay)
    await link.start()
    assert not link.up
    well.set()
    await back(link)

    assert {state for state, _, _ in seen} == {False}
    assert {answer is None for _, answer, _ in seen} == {True}
    assert {ended for _, _, ended in seen} == {True}


async def test_who_waits_when_the_link_is_closed_is_answered(far: Link, relay: Relay) -> None:
    relay.hang()
    asked = [asyncio.create_task(far.get(["a"])), asyncio.create_task(far.acquire([Ask("b", 1)], TOKEN, 1000))]
    await asyncio.sleep(0.01)
    await far.close()

    assert await asyncio.gather(*asked) == [None, None]
    assert await far.get(["a"]) is None
    assert not await far.recover_now()


async def test_who_waits_for_the_connection_when_the_link_is_closed_is_answered(links: Links, relay: Relay) -> None:
    relay.hang()
    link = links.open(f"unix://{relay.path}")
    asked = [asyncio.create_task(link.get(["a"])), asyncio.create_task(link.begin(["b"], [], WRITER, 1000))]
    await until(lambda: link._line._recovery is not None)
    await link.close()

    assert await asyncio.gather(*asked) == [None, False]


@pytest.mark.parametrize("nonsense", [b"!?\r\n", b"+nobody asked\r\n"])
async def test_a_peer_that_talks_nonsense_is_an_outage(links: Links, tmp_path: Path, nonsense: bytes) -> None:
    talking: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task: asyncio.Task[None] | None = asyncio.current_task()
        assert task
        talking.add(task)
        try:
            while await reader.read(1000):
                writer.write(nonsense)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(talk, str(tmp_path / "fool.sock"))
    link = links.open(f"unix://{tmp_path}/fool.sock", seconds=SECONDS)

    assert await link.get(["a"]) is None
    assert not link.up
    await link.close()
    server.close()
    await asyncio.gather(*talking)


async def test_an_error_of_one_script_is_no_outage(link: Link, caplog: pytest.LogCaptureFixture) -> None:
    await link.start()
    with caplog.at_level(logging.WARNING):
        assert await link.acquire([Ask("a", 1)], TOKEN, -1) is None  # no such lease

    assert link.up
    assert "Redis refused" in caplog.text
    assert link.counts["refused"] == 1


async def test_a_loop_that_was_held_up_reads_what_has_come_before_it_calls_it_late(
    links: Links, own_redis: OwnRedis
) -> None:
    link = links.open(own_redis.url, seconds=SECONDS)
    await link.start()
    clock = asyncio.get_running_loop().time
    asked = asyncio.create_task(link.get(["a"]))
    while not link.counts["trips"]:  # noqa: ASYNC110
        await asyncio.sleep(0)
    busy_until = clock() + 1.5 * SECONDS
    while clock() < busy_until:
        pass

    assert await asked == [None]
    assert link.up
