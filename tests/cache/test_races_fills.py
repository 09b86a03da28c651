"""Races of a reader's fill with a writer: R1 to R3, R11, R18, R24 to R26."""

import asyncio
import time
from dataclasses import dataclass

import pytest

from cache import records
from tests.cache.steps import NOTE, NOTES, PAGE, Note, Process, Stage, until_answers

pytest_plugins = ["tests.cache.stages"]


async def lapse(stage: Stage, process: Process, name: str) -> None:
    """Let what stands under a name end at once, as if its time had passed."""
    assert await stage.redis.pexpire(process.link.full(name), 1)
    await until_answers(lambda: _gone(stage, process, name))


async def _gone(stage: Stage, process: Process, name: str) -> bool:
    return not await stage.redis.exists(process.link.full(name))


async def test_r01_a_fill_that_read_before_a_write_is_refused_after_it(stage: Stage) -> None:
    reader, writer = await stage.process(), await stage.process()
    load = stage.truth.hold()
    early = asyncio.create_task(reader.text(1))
    await load.reached()
    await writer.write(1, "new")
    load.free()

    assert await early == "old"
    assert await reader.text(1) == "new"
    assert await writer.text(1) == "new"
    assert reader.link.answers("fill")[0] == ["expired"]


async def test_r01_a_fill_is_refused_while_the_write_is_under_way_too(stage: Stage) -> None:
    reader, writer = await stage.process(), await stage.process()
    load, before_end = stage.truth.hold(), writer.hold("before end")
    early = asyncio.create_task(reader.text(1))
    await load.reached()
    write = asyncio.create_task(writer.write(1, "new"))
    await before_end.reached()
    load.free()
    assert await early == "old"
    assert await reader.text(1) == "new"
    before_end.free()
    await write

    assert await reader.text(1) == "new"


async def test_r02_the_lease_of_a_second_reader_does_not_let_the_first_one_fill(stage: Stage) -> None:
    """ABA: both leases are of one process, and the first fill comes while the second lease stands."""
    one, writer = await stage.process(), await stage.process()
    load, second_fill = stage.truth.hold(), one.hold("before fill")
    early = asyncio.create_task(one.text(1))
    await load.reached()
    await writer.write(1, "new")
    late = asyncio.create_task(one.cache.rows(Note, [NOTE(1)], stage.truth.notes))
    await asyncio.sleep(0)
    load.free()
    await second_fill.reached()
    second_fill.free()

    assert await early == "old"
    assert (await late)[NOTE(1)] == Note(1, "new")
    assert await writer.text(1) == "new"


async def test_r02_no_two_fills_of_a_process_have_one_token(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    one, writer = await stage.process(), await stage.process()
    tokens: list[bytes] = []
    acquire = one.link.acquire

    async def seen(asks: object, token: bytes, *rest: object) -> object:
        tokens.append(token)
        return await acquire(asks, token, *rest)

    monkeypatch.setattr(one.link, "acquire", seen)
    for text in ("a", "b", "c"):
        await writer.write(1, text)
        assert await one.text(1) == text
    await one.page()

    assert len(tokens) == len(set(tokens)) == 4


async def test_r03_who_fills_after_its_lease_has_ended_does_not_overwrite_the_next_lease(stage: Stage) -> None:
    slow, quick, writer = await stage.process(), await stage.process(), await stage.process()
    slow_load = stage.truth.hold()
    early = asyncio.create_task(slow.text(1))
    await slow_load.reached()
    await lapse(stage, slow, NOTE(1).name)
    await writer.write(1, "new")
    fill = quick.hold("before fill")
    late = asyncio.create_task(quick.text(1))
    await fill.reached()
    slow_load.free()
    assert await early == "old"
    fill.free()
    assert await late == "new"

    assert slow.link.answers("fill") == [["superseded"]]
    assert quick.link.answers("fill") == [["stored"]]
    assert await slow.text(1) == await writer.text(1) == "new"
    assert stage.truth.loads == 2


async def test_r03_who_fills_after_its_lease_has_ended_does_not_overwrite_a_value(stage: Stage) -> None:
    slow, quick, writer = await stage.process(), await stage.process(), await stage.process()
    slow_load = stage.truth.hold()
    early = asyncio.create_task(slow.text(1))
    await slow_load.reached()
    await lapse(stage, slow, NOTE(1).name)
    await writer.write(1, "new")
    assert await quick.text(1) == "new"
    slow_load.free()

    assert await early == "old"
    assert await slow.text(1) == await quick.text(1) == "new"


async def test_r11_that_a_row_is_absent_is_not_filled_after_it_was_inserted(stage: Stage) -> None:
    reader, writer = await stage.process(), await stage.process()
    load = stage.truth.hold()
    early = asyncio.create_task(reader.note(7))
    await load.reached()
    await writer.write(7, "born")
    load.free()

    assert await early is None
    assert await reader.text(7) == await writer.text(7) == "born"


async def test_r18_a_fill_whose_lease_was_evicted_is_refused(stage: Stage) -> None:
    reader, writer = await stage.process(), await stage.process()
    load = stage.truth.hold()
    early = asyncio.create_task(reader.text(1))
    await load.reached()
    await writer.write(1, "new")
    assert await stage.raw(writer, NOTE(1)) is None  # as after an eviction: nothing tells that there was a write
    load.free()

    assert await early == "old"
    assert await stage.raw(writer, NOTE(1)) is None
    assert await writer.text(1) == "new"


async def test_r18_what_was_filled_while_a_tombstone_was_evicted_goes_with_the_end(stage: Stage) -> None:
    reader, writer = await stage.process(), await stage.process()
    before_end = writer.hold("after begin")
    write = asyncio.create_task(writer.write(1, "new"))
    await before_end.reached()
    assert await stage.redis.delete(writer.link.full(NOTE(1).name))
    assert await reader.text(1) == "old"
    assert records.kind(await stage.raw(reader, NOTE(1)) or b"?") in ("V", b"V", ord("V"))
    before_end.free()
    await write

    assert await reader.text(1) == await writer.text(1) == "new"


async def test_r18_a_lease_taken_while_a_tombstone_was_evicted_goes_with_the_end(stage: Stage) -> None:
    reader, writer = await stage.process(), await stage.process()
    begun, load = writer.hold("after begin"), stage.truth.hold()
    write = asyncio.create_task(writer.write(1, "new"))
    await begun.reached()
    assert await stage.redis.delete(writer.link.full(NOTE(1).name))
    early = asyncio.create_task(reader.text(1))
    await load.reached()
    begun.free()
    await write
    load.free()

    assert await early == "old"
    assert await reader.text(1) == await writer.text(1) == "new"


async def test_r18_a_list_that_was_built_while_its_generation_was_evicted_is_refused(stage: Stage) -> None:
    reader, writer = await stage.process(), await stage.process()
    begun = writer.hold("after begin")
    write = asyncio.create_task(writer.write(2, "second"))
    await begun.reached()
    assert await stage.redis.delete(writer.link.full(NOTES().name))
    assert await reader.page() == (1,)
    begun.free()
    await write

    assert await reader.page() == (1, 2)


async def test_r24_a_loader_that_raises_gives_its_lease_back_and_nothing_is_remembered(stage: Stage) -> None:
    one, other = await stage.process(), await stage.process()

    async def fails(_: object) -> dict[object, Note]:
        raise OSError("no truth today")

    with pytest.raises(OSError, match="no truth"):
        await one.cache.rows(Note, [NOTE(1)], fails)  # type: ignore[arg-type]
    await until_answers(lambda: _gone(stage, one, NOTE(1).name))

    assert await other.text(1) == "old"
    assert "BUSY" not in repr(other.link.told)


async def test_r24_a_list_whose_loader_raises_gives_its_lease_back(stage: Stage) -> None:
    one, other = await stage.process(), await stage.process()

    async def fails() -> tuple[int, ...]:
        raise OSError("no truth today")

    with pytest.raises(OSError, match="no truth"):
        await one.cache.items(PAGE(1), fails)
    await until_answers(lambda: _gone(stage, one, PAGE(1).name))

    assert await other.page() == (1,)


async def test_r25_two_programs_with_two_shapes_of_a_row_take_turns_and_each_reads_its_own(stage: Stage) -> None:
    old_program, new_program = await stage.process(), await stage.process()
    mine = Note

    @dataclass(frozen=True, slots=True)
    class Newer:
        id: int
        text: bytes

    Newer.__name__ = "Note"

    async def load(slots: list[object]) -> dict[object, Newer]:
        return {NOTE(id): Newer(id, text.encode()) for id, text in stage.truth.rows.items()}

    for turn in ("a", "b", "c"):
        await old_program.write(1, turn)
        found = await new_program.cache.rows(Newer, [NOTE(1)], load)  # type: ignore[arg-type]
        assert found[NOTE(1)] == Newer(1, turn.encode())
        assert await old_program.note(1) == mine(1, turn)
        found = await new_program.cache.rows(Newer, [NOTE(1)], load)  # type: ignore[arg-type]
        assert found[NOTE(1)] == Newer(1, turn.encode())


@pytest.mark.parametrize("hours", [-1000, -1, 1, 1000])
async def test_r26_a_writer_whose_clock_is_wrong_holds_its_tombstone_for_as_long_as_another(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    reader, writer = await stage.process(), await stage.process()
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + hours * 3600)
    monkeypatch.setattr(time, "time_ns", lambda: int((now() + hours * 3600) * 1e9))
    begun = writer.hold("after begin")
    write = asyncio.create_task(writer.write(1, "new"))
    await begun.reached()
    left = await stage.redis.pttl(writer.link.full(NOTE(1).name))
    assert 5_000 < left <= 11_000
    assert await reader.text(1) == "old"
    assert await stage.raw(reader, NOTE(1))  # a tombstone: nothing was filled
    begun.free()
    await write

    assert await reader.text(1) == "new"
    assert await reader.text(1) == "new"
    assert stage.truth.loads == 2


async def test_r26_a_value_filled_under_a_wrong_clock_is_neither_refreshed_at_once_nor_kept_for_ever(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    skewed, right = await stage.process(), await stage.process()
    now = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now() - 3_600_000)
        await skewed.text(1)
    for _ in range(20):
        await right.text(1)
    left = await stage.redis.pttl(right.link.full(NOTE(1).name))

    assert stage.truth.loads == 1
    assert 50_000 < left < 70_000
