"""`acquire`, `fill` and `release`, as two processes would call them."""

import pytest

from cache import records
from cache.link import Ask, Fill, Granted
from tests.cache.asking import LIST, LONG, ROW, Desk, fresh, record

pytest_plugins = ["tests.cache.stages", "tests.cache.askers"]


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
