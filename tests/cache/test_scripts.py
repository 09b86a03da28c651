"""The scripts, each by itself and against the others, as two processes would call them."""

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from redis.asyncio import Redis
from tornado.ioloop import IOLoop

from cache import records
from cache.link import Ask, Fill, Granted, Link
from tests.cache.stages import own_redis  # noqa: F401 - a fixture
from tests.cache.steps import OwnRedis, client

ROW, LIST = 77, records.LIST_SCHEMA
LONG = 60_000  # ms; longer than any test
_ids = count(1)


def fresh() -> bytes:
    """A token, or a writer: never the same twice."""
    return b"nonce..." + next(_ids).to_bytes(8, "big")


def record(text: str, *, version: int = 1, schema: int = ROW, stamps: tuple[bytes, ...] = ()) -> bytes:
    """A record V, whose payload the scripts do not look at."""
    data = bytearray(records.encode_list(stamps, (text,)))
    data[1:3], data[4:12] = schema.to_bytes(2, "big"), version.to_bytes(8, "big")
    return bytes(data)


class Desk:
    """A link, Redis itself, and questions spelt shortly."""

    def __init__(self, link: Link, redis: Redis) -> None:
        self.link, self.redis = link, redis

    async def acquire(self, name: str, token: bytes, *, lease: int = LONG, **more: Any) -> Granted:
        granted = await self.link.acquire([Ask(name, more.pop("schema", ROW), **more)], token, lease)
        assert granted is not None
        return granted[0]

    async def acquire_list(self, name: str, token: bytes, *scopes: str, **more: Any) -> Granted:
        return await self.acquire(name, token, schema=LIST, scopes=scopes, **more)

    async def fill(self, name: str, data: bytes, token: bytes, *scopes: str, ttl: int = LONG) -> str:
        filled = await self.link.fill([Fill(name, data, ttl, scopes)], token)
        assert filled is not None
        return filled[0]

    async def get(self, name: str) -> bytes | None:
        found = await self.link.get([name])
        assert found is not None
        return found[0]

    async def stored(self, name: str, data: bytes) -> None:
        """As a reader leaves it."""
        token = fresh()
        assert (await self.acquire(name, token)).answer == "lease"
        assert await self.fill(name, data, token) == "stored"

    async def stored_list(self, name: str, *scopes: str) -> bytes:
        token = fresh()
        granted = await self.acquire_list(name, token, *scopes)
        data = record("items", version=0, schema=LIST, stamps=granted.stamps)
        assert (granted.answer, await self.fill(name, data, token, *scopes)) == ("lease", "stored")
        return data

    async def begin(self, records: list[str], scopes: list[str] | None = None, hold: int = LONG) -> bytes:
        writer = fresh()
        assert await self.link.begin(records, scopes or [], writer, hold)
        return writer

    async def end(self, writer: bytes, records: list[str], scopes: list[str] | None = None) -> None:
        assert await self.link.end(records, scopes or [], writer)

    async def overdue(self, begun: bytes, *names: str) -> None:
        """Wait until Redis' clock has passed the deadline of a writer in the tombstones and generations of these names."""
        due = 0
        for name in names:
            data = await self.get(name) or b""
            at = data.find(begun)
            due = max(due, int.from_bytes(data[at + 16 : at + 24], "big") if at >= 0 else 0)
        while True:
            seconds, micros = await self.redis.time()
            if seconds * 1000 + micros // 1000 > due:
                return
            await asyncio.sleep(0.005)


@pytest.fixture
def desk(io_loop: IOLoop, own_redis: OwnRedis) -> Iterator[Desk]:  # noqa: F811 - the fixture
    redis = client(own_redis.url)
    link = Link(redis, "s")
    io_loop.run_sync(link.start)
    yield Desk(link, redis)
    io_loop.run_sync(link.close)
    io_loop.run_sync(redis.aclose)


async def test_one_of_two_readers_gets_the_lease_and_the_other_learns_how_long_it_lasts(desk: Desk) -> None:
    mine = fresh()

    assert await desk.acquire("a", mine) == Granted("lease")
    other = await desk.acquire("a", fresh())
    assert other.answer == "busy"
    assert 0 < other.rest_ms <= LONG
    assert (await desk.acquire("a", mine)).answer == "lease", "the same call once more, its answer was lost"
    assert (await desk.get("a")) == b"L" + mine


async def test_a_fill_needs_the_lease(desk: Desk) -> None:
    mine, other = fresh(), fresh()
    await desk.acquire("a", mine)

    assert await desk.fill("a", record("other"), other) == "superseded"
    assert await desk.fill("a", record("mine"), mine, ttl=5000) == "stored"
    assert await desk.fill("a", record("mine"), mine) == "stored", "the same call once more"
    assert await desk.fill("a", record("late"), other) == "superseded"
    assert await desk.fill("b", record("b"), mine) == "expired"
    assert await desk.get("a") == record("mine")
    assert 0 < await desk.redis.pttl(desk.link.full("a")) <= 5000


async def test_every_item_is_filled_by_itself(desk: Desk) -> None:
    mine, other = fresh(), fresh()
    await desk.acquire("a", mine)
    await desk.acquire("b", other)
    await desk.acquire("c", mine)
    await desk.begin(["c"])

    answers = await desk.link.fill([Fill(name, record(name), LONG) for name in "abcd"], mine)

    assert answers == ["stored", "superseded", "invalidated", "expired"]


async def test_asks_of_every_kind_are_answered_in_order(desk: Desk) -> None:
    await desk.stored("value", record("value"))
    await desk.acquire("busy", fresh())
    await desk.begin(["written"])
    items = await desk.stored_list("items", "s1", "s2")
    asks = [
        Ask("items", LIST, ("s1", "s2")), Ask("value", ROW), Ask("none", ROW), Ask("busy", ROW), Ask("written", ROW),
        Ask("more", LIST, ("s1",)),
    ]  # fmt: skip

    granted = await desk.link.acquire(asks, fresh(), LONG)

    assert granted is not None
    assert [one.answer for one in granted] == ["value", "value", "lease", "busy", "bypass", "lease"]
    assert (granted[0].data, granted[1].data) == (items, record("value"))
    assert granted[0].stamps == records.decode_list(items)[0]
    assert granted[5].stamps == granted[0].stamps[:1]


async def test_a_value_that_has_come_meanwhile_is_the_answer(desk: Desk) -> None:
    await desk.stored("a", record("a"))

    assert await desk.acquire("a", fresh()) == Granted("value", record("a"))
    await desk.stored("gone", records.ABSENT)
    assert await desk.acquire("gone", fresh()) == Granted("value", records.ABSENT)


@pytest.mark.parametrize(
    "data", [b"", b"?", b"V", b"V\0\0", b"Nx", b"G" + b"g" * 8, b"T", b"T" + b"x" * 7, record("a", schema=78)]
)
async def test_what_this_code_cannot_read_is_a_miss_with_lease(desk: Desk, data: bytes) -> None:
    await desk.redis.set(desk.link.full("a"), data)

    token = fresh()
    assert (await desk.acquire("a", token)).answer == "lease"
    assert await desk.fill("a", record("new"), token) == "stored"


async def test_a_reader_that_could_not_read_a_value_gets_the_lease(desk: Desk) -> None:
    await desk.stored("a", record("broken"))

    assert (await desk.acquire("a", fresh(), force=True)).answer == "lease"


async def test_something_that_is_no_string_is_none_of_ours(desk: Desk) -> None:
    for name in ("a", "a+", "scope"):
        await desk.redis.lpush(desk.link.full(name), "x")

    token = fresh()
    granted = await desk.acquire_list("a", token, "scope")

    assert granted.answer == "lease"
    data = record("items", version=0, schema=LIST, stamps=granted.stamps)
    assert await desk.fill("a", data, token, "scope") == "stored"
    await desk.redis.lpush(desk.link.full("b"), "x")
    await desk.end(await desk.begin(["b"]), ["b"])
    assert await desk.get("b") is None


async def test_a_lease_without_an_end_is_taken_over(desk: Desk) -> None:
    await desk.acquire("a", fresh())
    await desk.redis.persist(desk.link.full("a"))

    assert (await desk.acquire("a", fresh())).answer == "lease"


async def test_an_early_refresh_elects_one_and_the_value_stays(desk: Desk) -> None:
    await desk.stored("a", record("old"))
    mine = fresh()

    assert await desk.acquire("a", mine, nominated=True) == Granted("refresh", record("old"))
    assert await desk.acquire("a", fresh(), nominated=True) == Granted("value", record("old"))
    assert await desk.acquire("a", fresh()) == Granted("value", record("old"))
    assert await desk.fill("a", record("new"), fresh()) == "superseded"
    assert await desk.fill("a", record("new"), mine) == "stored"
    assert await desk.get("a") == record("new")
    assert (await desk.acquire("a", fresh(), nominated=True)).answer == "refresh", "the first one's right is spent"


async def test_an_early_refresh_stores_nothing_over_a_newer_version(desk: Desk) -> None:
    await desk.stored("a", record("newer", version=5))
    mine = fresh()
    await desk.acquire("a", mine, nominated=True)

    assert await desk.fill("a", record("older", version=4), mine) == "superseded"
    assert await desk.get("a") == record("newer", version=5)
    assert await desk.fill("a", record("same", version=5), mine) == "stored"


@pytest.mark.parametrize("ended", [False, True])
async def test_a_write_takes_the_right_to_refresh(desk: Desk, ended: bool) -> None:
    await desk.stored("a", record("old"))
    mine = fresh()
    await desk.acquire("a", mine, nominated=True)
    writer = await desk.begin(["a"])
    if ended:
        await desk.end(writer, ["a"])
        await desk.stored("a", record("new"))

    assert await desk.fill("a", record("old again"), mine) == ("superseded" if ended else "invalidated")
    assert await desk.get("a") != record("old again")


async def test_a_write_takes_the_lease_and_nobody_gets_one_until_it_ends(desk: Desk) -> None:
    mine = fresh()
    await desk.acquire("a", mine)
    writer = await desk.begin(["a"])

    assert await desk.fill("a", record("old"), mine) == "invalidated"
    assert await desk.acquire("a", mine) == Granted("bypass")
    await desk.end(writer, ["a"])
    assert await desk.fill("a", record("old"), mine) == "expired"
    assert (await desk.acquire("a", fresh())).answer == "lease"


async def test_the_last_of_two_writers_frees_the_name(desk: Desk) -> None:
    one, two = await desk.begin(["a"]), await desk.begin(["a"])

    await desk.end(one, ["a"])
    await desk.end(one, ["a"])
    assert (await desk.acquire("a", fresh())).answer == "bypass"
    assert await desk.get("a") == b"T" + two + (await desk.get("a") or b"")[-8:]
    await desk.end(two, ["a"])
    assert await desk.get("a") is None


async def test_a_writer_that_begins_twice_ends_once(desk: Desk) -> None:
    writer = fresh()
    for _ in range(2):
        assert await desk.link.begin(["a"], ["s"], writer, LONG)

    await desk.end(writer, ["a"], ["s"])

    assert await desk.get("a") is None
    assert len(await desk.get("s") or b"") == 9


async def test_a_dead_writer_is_dropped_while_others_keep_writing(desk: Desk) -> None:
    dead = await desk.begin(["a"], ["s"], hold=1)
    alive = await desk.begin(["a"], ["s"])
    await desk.overdue(dead, "a", "s")

    await desk.end(alive, ["a"], ["s"])

    assert await desk.get("a") is None
    assert len(await desk.get("s") or b"") == 9


async def test_a_tombstone_stands_as_long_as_its_last_writer_may_live(desk: Desk) -> None:
    await desk.begin(["a"], hold=LONG)
    short = await desk.begin(["a"], hold=1000)

    assert await desk.redis.pttl(desk.link.full("a")) > 1000
    await desk.end(short, ["a"])
    assert await desk.redis.pttl(desk.link.full("a")) > 1000


async def test_a_tombstone_of_dead_writers_is_no_obstacle(desk: Desk) -> None:
    dead = await desk.begin(["a"], ["s"], hold=30)
    await desk.redis.persist(desk.link.full("a"))  # else Redis might take it before the script sees it
    await desk.overdue(dead, "a", "s")

    assert (await desk.acquire("a", fresh())).answer == "lease"
    assert (await desk.acquire_list("items", fresh(), "s")).answer == "lease"


@pytest.mark.parametrize("standing", ["value", "absent", "lease", "nothing"])
async def test_end_deletes_whatever_stands(desk: Desk, standing: str) -> None:
    writer = await desk.begin(["a"])
    await desk.redis.delete(desk.link.full("a"))  # evicted
    token = fresh()
    if standing != "nothing":
        await desk.acquire("a", token)
    if standing in ("value", "absent"):
        assert await desk.fill("a", record("old") if standing == "value" else records.ABSENT, token) == "stored"

    await desk.end(writer, ["a"])

    assert await desk.get("a") is None
    assert await desk.fill("a", record("old"), token) == "expired"


async def test_end_without_begin_forgets_all_the_same(desk: Desk) -> None:
    await desk.stored("a", record("old"))
    await desk.stored_list("items", "s")
    before = await desk.get("s")

    await desk.end(fresh(), ["a"], ["s"])

    assert await desk.get("a") is None
    assert records.generation(await desk.get("s")) != records.generation(before)


async def test_an_operator_who_drops_a_name_does_not_end_the_writers(desk: Desk) -> None:
    await desk.begin(["a"], ["s"])
    await desk.stored("b", record("b"))

    assert await desk.link.end(["a", "b"], ["s"], b"")

    assert (await desk.acquire("a", fresh())).answer == "bypass"
    assert (await desk.acquire_list("items", fresh(), "s")).answer == "bypass"
    assert await desk.get("b") is None


async def test_a_list_is_valid_as_long_as_its_generations_are(desk: Desk) -> None:
    items = await desk.stored_list("items", "s1", "s2")

    assert (await desk.acquire_list("items", fresh(), "s1", "s2")).data == items
    await desk.end(await desk.begin([], ["s2"]), [], ["s2"])
    assert (await desk.acquire_list("items", fresh(), "s1", "s2")).answer == "lease"


async def test_begin_and_end_both_renew_a_generation_and_no_generation_comes_twice(desk: Desk) -> None:
    seen = set()
    writer = fresh()
    for _ in range(3):
        assert await desk.link.begin([], ["s"], writer, LONG)
        seen.add(records.generation(await desk.get("s")))
        assert await desk.link.end([], ["s"], writer)
        seen.add(records.generation(await desk.get("s")))

    assert len(seen) == 6


async def test_no_list_is_stored_while_its_scope_is_being_written(desk: Desk) -> None:
    mine = fresh()
    granted = await desk.acquire_list("items", mine, "s")
    writer = await desk.begin([], ["s"])
    old = record("old", version=0, schema=LIST, stamps=granted.stamps)
    now = records.generation(await desk.get("s")) or b""

    assert await desk.acquire_list("other", fresh(), "s") == Granted("bypass")
    assert await desk.fill("items", old, mine, "s") == "invalidated"
    assert await desk.get("items") is None

    await desk.redis.set(desk.link.full("items"), b"L" + mine)  # as if the lease had come after `begin`
    assert await desk.fill("items", record("new", schema=LIST, stamps=(now,)), mine, "s") == "invalidated"
    await desk.end(writer, [], ["s"])
    assert (await desk.acquire_list("items", fresh(), "s")).answer == "lease"


@pytest.mark.parametrize("refresh", [False, True])
async def test_a_list_read_before_a_write_is_not_stored_after_it(desk: Desk, refresh: bool) -> None:
    mine = fresh()
    if refresh:
        await desk.stored_list("items", "s")
    granted = await desk.acquire_list("items", mine, "s", nominated=refresh)
    await desk.end(await desk.begin([], ["s"]), [], ["s"])

    stale = record("stale", version=0, schema=LIST, stamps=granted.stamps)

    assert granted.answer == ("refresh" if refresh else "lease")
    assert await desk.fill("items", stale, mine, "s") == "invalidated"
    assert await desk.get("items") is None


async def test_an_evicted_generation_makes_its_lists_unreadable(desk: Desk) -> None:
    items = await desk.stored_list("items", "s")
    mine = fresh()
    stamps = (await desk.acquire_list("other", mine, "s")).stamps
    await desk.redis.delete(desk.link.full("s"))

    assert await desk.fill("other", record("x", schema=LIST, stamps=stamps), mine, "s") == "invalidated"
    granted = await desk.acquire_list("items", fresh(), "s")
    assert granted.answer == "lease"
    assert granted.stamps != records.decode_list(items)[0]


async def test_a_release_frees_only_what_its_token_holds(desk: Desk) -> None:
    mine, other = fresh(), fresh()
    await desk.acquire("a", mine)
    await desk.acquire("b", other)
    await desk.stored("c", record("c"))
    await desk.acquire("c", mine, nominated=True)

    await desk.link.release(["a", "b", "c"], mine)

    assert (await desk.acquire("a", other)).answer == "lease"
    assert await desk.get("b") == b"L" + other
    assert await desk.acquire("c", other, nominated=True) == Granted("refresh", record("c"))


async def test_every_record_has_an_end_but_the_epoch(desk: Desk) -> None:
    await desk.stored("a", record("a"))
    await desk.acquire("a", fresh(), nominated=True)
    await desk.stored_list("items", "s1")
    await desk.acquire("b", fresh())
    await desk.begin(["c"], ["s2"])

    for key in await desk.redis.keys("*"):
        assert (await desk.redis.pttl(key) > 0) is (key != b"s:epoch"), key


async def test_a_full_redis_refuses_values_but_no_tombstone_and_no_end(desk: Desk) -> None:
    await desk.stored("a", record("old"))
    await desk.acquire("b", fresh())
    await desk.redis.config_set("maxmemory-policy", "noeviction")
    await desk.redis.config_set("maxmemory", "1mb")

    assert await desk.link.acquire([Ask("new", ROW)], fresh(), LONG) is None
    assert desk.link.up, "Redis is well, it only has no room"
    writer = await desk.begin(["a"], ["s"])
    assert records.kind(await desk.get("a")) == b"T"
    await desk.end(writer, ["a"], ["s"])
    assert await desk.get("a") is None
