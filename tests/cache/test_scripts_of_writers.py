"""`begin` and `end`, and what they leave of leases, values and lists."""

import pytest

from cache import records
from cache.link import Ask, Granted
from tests.cache.asking import LIST, LONG, ROW, Desk, fresh, record

pytest_plugins = ["tests.cache.stages", "tests.cache.askers"]


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
        assert (await desk.redis.pttl(key) > 0) is (key != b"l:epoch"), key


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
    await desk.end(await desk.begin([], ["t"]), [], ["t"])
    assert records.kind(await desk.get("t")) == b"G"


@pytest.mark.parametrize("half", ["begin", "end"])
async def test_after_either_half_of_a_write_an_early_refresh_stores_nothing(desk: Desk, half: str) -> None:
    await desk.stored("a", record("old"))
    mine = fresh()
    await desk.acquire("a", mine, nominated=True)
    if half == "begin":  # and then the writer was killed
        dead = await desk.begin(["a"], hold=1)
        await desk.overdue(dead, "a")
    else:  # Redis was away at its `begin`
        await desk.end(fresh(), ["a"])
    await desk.stored("a", record("new"))

    assert await desk.fill("a", record("old again"), mine) == "superseded"
    assert await desk.get("a") == record("new")


async def test_a_scope_is_free_when_the_last_of_its_writers_is(desk: Desk) -> None:
    one, two = await desk.begin([], ["s"]), await desk.begin([], ["s"])

    await desk.end(two, [], ["s"])
    assert (await desk.acquire_list("items", fresh(), "s")).answer == "bypass"
    await desk.end(one, [], ["s"])
    assert (await desk.acquire_list("items", fresh(), "s")).answer == "lease"
