"""Races of a reader's fill with a writer: R1 to R3, R11, R18."""

import asyncio

import pytest

from cache import records
from tests.cache.samples import NOTE, NOTES, Note, rows
from tests.cache.steps import Process, Stage, until, until_answers

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
    late = asyncio.create_task(rows(one.cache, Note, [NOTE(1)], stage.truth.notes))
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


async def test_r03_a_lease_that_stands_makes_others_wait_for_its_fill(stage: Stage) -> None:
    one, other = await stage.process(), await stage.process()
    load = stage.truth.hold()
    first = asyncio.create_task(one.text(1))
    await load.reached()
    second = asyncio.create_task(other.text(1))
    await until(lambda: other.link.answers("acquire"))
    load.free()

    assert await first == await second == "old"
    assert stage.truth.loads == 1


async def test_r03_an_early_refresh_that_read_before_a_write_is_refused_after_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the lease of the sister key while the old value stands; then a write comes, and another reader fills the new one."""
    early, other = await stage.process(local=True), await stage.process(local=True)
    assert await other.text(1) == "old"
    monkeypatch.setattr(early.cache, "_early", lambda: lambda soft, cost: True)
    load = stage.truth.hold()
    assert await early.text(1) == "old"
    await load.reached()
    monkeypatch.undo()
    await other.write(1, "new")
    assert await other.text(1) == "new"
    load.free()
    await until(lambda: early.link.answers("fill"))

    assert early.link.answers("fill") == [["superseded"]]
    assert await early.text(1) == await other.text(1) == "new"


async def test_r03_of_all_who_are_nominated_one_refreshes_and_nobody_waits(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await stage.process(local=True), await stage.process(local=True)
    await one.text(1)
    for process in (one, other):
        monkeypatch.setattr(process.cache, "_early", lambda: lambda soft, cost: soft >= 0)
    load = stage.truth.hold()
    assert [await one.text(1), await other.text(1), await one.text(1)] == ["old"] * 3
    await load.reached()
    await until(lambda: len(other.link.answers("acquire")) == 1)
    load.free()
    await until(lambda: len(one.link.answers("fill")) == 2)

    assert stage.truth.loads == 2


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
    assert records.kind(await stage.raw(reader, NOTE(1))) == records.VALUE
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
