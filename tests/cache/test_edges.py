"""Bad input: no acknowledged write is lost, and nothing older than the bound is ever answered."""

import asyncio
import time

import pytest

from cache import Key
from cache.records import LARGEST
from tests.cache.samples import NOTE, NOTES, PAGE, Note, rows
from tests.cache.steps import Process, Stage, near, until, warm

pytest_plugins = ["tests.cache.stages"]

ROTTEN = [
    b"", b"V", b"N?", b"T", b"L", b"G", b"garbage", b"\xff" * 40, b"V" + bytes(24), b"V" + b"\xff" * 60,
    b"T" + b"\xff" * 3, b"T\x01" + bytes(24), b"L" + b"x" * 7, b"G" + b"x" * 8, "中文".encode(),
]  # fmt: skip


@pytest.mark.parametrize("data", ROTTEN)
async def test_bytes_that_cannot_be_read_are_a_miss_and_are_replaced(stage: Stage, data: bytes) -> None:
    one, other = await stage.process(), await stage.process()
    for slot in (NOTE(1), PAGE(1)):
        await stage.redis.set(one.link.full(slot.name), data, px=60_000 if data[:1] != b"L" else 50)
    found = [await one.text(1), await one.page(), await other.text(1), await other.page()]

    assert found == ["old", (1,), "old", (1,)]
    assert (await stage.raw(one, NOTE(1)) or b"")[:1] == (await stage.raw(one, PAGE(1)) or b"")[:1] == b"V"
    await one.write(1, "new")
    await one.write(2, "second")
    assert [await other.text(1), await other.page()] == ["new", (1, 2)]


@pytest.mark.parametrize("data", ROTTEN)
async def test_rotten_generations_serve_no_list_and_do_not_stop_a_write(stage: Stage, data: bytes) -> None:
    one, other = await stage.process(), await stage.process()
    await one.page()
    await stage.redis.set(one.link.full(NOTES().name), data, px=60_000)
    stage.truth.rows[2] = "second"
    assert await one.page() == (1, 2)
    await stage.redis.set(one.link.full(NOTES().name), data, px=60_000)
    await one.write(3, "third")

    assert await other.page() == await one.page() == (1, 2, 3)


@pytest.mark.parametrize("slot", [NOTE(1), PAGE(1), NOTES()])
async def test_a_name_that_holds_no_string_is_a_miss_and_is_replaced(stage: Stage, slot: object) -> None:
    one, other = await stage.process(), await stage.process()
    await stage.redis.delete(one.link.full(slot.name))  # type: ignore[attr-defined]
    await stage.redis.sadd(one.link.full(slot.name), "a member")  # type: ignore[attr-defined]
    assert [await one.text(1), await one.page()] == ["old", (1,)]
    await one.write(1, "new")
    await one.write(2, "second")

    assert [await other.text(1), await other.page()] == ["new", (1, 2)]


@pytest.mark.parametrize("byte", [1, 2, 3], ids=["schema", "schema", "codec"])
async def test_a_record_of_a_future_program_is_a_miss_with_a_lease(stage: Stage, byte: int) -> None:
    one, other = await stage.process(), await stage.process()
    await one.text(1)
    stands = bytearray(await stage.raw(one, NOTE(1)) or b"")
    stands[byte] ^= 0x40
    await stage.redis.set(one.link.full(NOTE(1).name), bytes(stands), px=60_000)

    assert await other.text(1) == "old"
    assert other.link.answers("fill") == [["stored"]]
    assert await one.text(1) == "old"
    assert stage.truth.loads == 2


async def test_a_value_too_big_is_answered_and_counted_and_not_kept(stage: Stage) -> None:
    one, other = await stage.process(local=True), await stage.process()
    huge = "".join(map(chr, range(0x4E00, 0x9000))) * 40
    stage.truth.rows[1] = huge
    assert len(huge.encode()) > LARGEST
    found = [await one.text(1), await one.text(1), await one.text(1), await other.text(1)]

    assert found == [huge] * 4
    assert await stage.raw(one, NOTE(1)) is None
    assert near(one, 1) is None
    assert one.link.counts["too_big"] == 3
    await one.write(1, "small")
    assert await other.text(1) == await one.text(1) == "small"


async def test_a_value_that_was_small_and_grows_too_big_is_not_answered_as_it_was(stage: Stage) -> None:
    one, other = await stage.process(local=True), await stage.process()
    await warm(one, 1)
    await other.write(1, "x" * 1000 + "y" * (2 * LARGEST))

    text = await one.text(1) or ""
    assert text.startswith("x")
    assert (await other.text(1) or "").startswith("x")


WORDS = [
    "", ":", "a:b", "a%3Ab", "*", "?", "[a]", "\\", "{a}", "é", "e\u0301", "中文", "\x00", "\n", "🜁", "\u202e", "~", "a" * 300,
]  # fmt: skip


def test_every_text_is_a_key_of_its_own() -> None:
    word = Key("word", Note, by=("text", "more"), ttl=60)
    names = {word(one, other).name for one in WORDS for other in WORDS}

    assert len(names) == len(WORDS) ** 2
    assert all(name.isascii() and name.isprintable() and " " not in name for name in names)


@pytest.mark.parametrize("text", WORDS)
async def test_any_text_may_be_a_key_for_reads_writes_and_pushes(stage: Stage, text: str) -> None:
    word = Key("word", Note, by=("text",), ttl=60)
    slot = word(text)
    one, other = await stage.process(local=True), await stage.process()
    truth = {slot: Note(1, "old")}

    async def load(slots: list[object]) -> dict[object, Note]:
        return {slot: truth[slot] for slot in slots}  # type: ignore[index]

    async def read(process: Process) -> str:
        found = (await rows(process.cache, Note, [slot], load))[slot]  # type: ignore[arg-type]
        assert found
        return found.text

    while not isinstance(one.cache.near(slot.name), Note):
        assert await read(one) == "old"
    writer = other.cache.writer()
    await other.cache.begin([slot], writer, 10.0)
    truth[slot] = Note(1, "new")
    await other.cache.end([slot], writer)
    await until(lambda: not isinstance(one.cache.near(slot.name), Note))

    assert await read(one) == await read(other) == "new"


async def test_everybody_who_waits_for_a_loader_that_raises_gets_its_error_and_the_next_one_an_answer(
    stage: Stage,
) -> None:
    one = await stage.process()
    load = stage.truth.hold()

    async def fails(slots: list[object]) -> dict[object, Note]:
        await stage.truth.notes(slots)  # type: ignore[arg-type]
        raise OSError("no truth today")

    first = asyncio.create_task(rows(one.cache, Note, [NOTE(1)], fails))  # type: ignore[arg-type]
    await load.reached()
    others = [asyncio.create_task(rows(one.cache, Note, [NOTE(1)], fails)) for _ in range(3)]  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    load.free()
    found = await asyncio.gather(first, *others, return_exceptions=True)

    assert {type(error) for error in found} == {OSError}
    assert await one.text(1) == "old"


async def test_a_request_that_was_cancelled_in_its_fill_leaves_a_whole_record_or_none(stage: Stage) -> None:
    one, other = await stage.process(), await stage.process()
    fill = one.hold("before fill")
    asked = asyncio.create_task(one.text(1))
    await fill.reached()
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    fill.free()

    assert await other.text(1) == "old"
    assert stage.truth.loads == 1


@pytest.mark.parametrize("step", ["before begin", "after begin", "before end", "after end"])
async def test_a_request_that_was_cancelled_in_its_write_loses_nothing(stage: Stage, step: str) -> None:
    """As `Table.write` does it: whatever happens, `end` comes, shielded."""
    one, other = await stage.process(local=True), await stage.process(local=True)
    await warm(other, 1)
    gate = one.hold(step)

    async def write() -> None:
        slots, writer = (NOTE(1), NOTES()), one.cache.writer()
        try:
            await one.cache.begin(slots, writer, 10.0)
            one.commit(1, "new")
        finally:
            await asyncio.shield(one.cache.end(slots, writer))

    asked = asyncio.create_task(write())
    await gate.reached()
    asked.cancel()
    gate.free()
    await asyncio.gather(asked, return_exceptions=True)
    await until(lambda: one.link.answers("end"))
    await until(lambda: near(other, 1) is None)

    assert await other.text(1) == await one.text(1) == stage.truth.rows[1]


@pytest.mark.parametrize("seconds", [-10_000_000.0, -5.0, 5.0, 10_000_000.0])
async def test_a_clock_that_jumps_changes_no_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """The wall clock alone can jump; CLOCK_BOOTTIME and the loop's clock cannot."""
    one, other = await stage.process(local=True), await stage.process(local=True)
    await warm(one, 1)
    await warm(other, 1)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)
    assert near(one, 1) == "old"
    await one.write(1, "new")
    assert near(one, 1) is None
    await until(lambda: near(other, 1) is None)

    assert await other.text(1) == await one.text(1) == "new"
    assert await warm(other, 1) == "new"
    assert await stage.redis.pttl(one.link.full(NOTE(1).name)) > 47_000
