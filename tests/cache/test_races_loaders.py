"""Loaders that fail, programs of two ages, clocks that differ: R24 to R26."""

import asyncio
import time
from dataclasses import dataclass

import pytest

from tests.cache.samples import NOTE, PAGE, Note, rows
from tests.cache.steps import Process, Stage, until_answers

pytest_plugins = ["tests.cache.stages"]


async def _gone(stage: Stage, process: Process, name: str) -> bool:
    return not await stage.redis.exists(process.link.full(name))


async def test_r24_a_loader_that_raises_gives_its_lease_back_and_nothing_is_remembered(stage: Stage) -> None:
    one, other = await stage.process(), await stage.process()

    async def fails(_: object) -> dict[object, Note]:
        raise OSError("no truth today")

    with pytest.raises(OSError, match="no truth"):
        await rows(one.cache, Note, [NOTE(1)], fails)  # type: ignore[arg-type]
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
        found = await rows(new_program.cache, Newer, [NOTE(1)], load)  # type: ignore[arg-type]
        assert found[NOTE(1)] == Newer(1, turn.encode())
        assert await old_program.note(1) == mine(1, turn)
        found = await rows(new_program.cache, Newer, [NOTE(1)], load)  # type: ignore[arg-type]
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
    assert 47_000 < left <= 60_000
