"""The auditor finds what is older than it may be, on every level, and never cries wolf."""

import logging
from contextlib import suppress
from typing import Any

import pytest

from cache import records
from jobs.comparing import compare_writes
from models import Models, comparing, comparisons
from models.comparisons import AFTER
from models.counts import COUNTS
from models.errors import Busy, NotFound
from models.posts import BY_ID, FRONT_PAGES, OF_MONTH
from models.writing import Draft
from tests.harness.people import People
from tests.harness.webs import read_often
from tests.harness.wires import Wire
from tests.models.audited import due_now, forget, plant, waiting, written


@pytest.fixture
def choices() -> dict[str, Any]:
    return {"compare_every": 1, "redis_timeout": 5.0}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for 0.4 s where nothing is behind, and each counts from 0."""
    monkeypatch.setattr(comparing, "PAUSE", 0.05)
    COUNTS.clear()


async def test_a_write_is_looked_at_three_times_and_then_no_more(models: Models, people: People) -> None:
    _, new = await written(models, people)
    await models.posts.one(new.id)
    assert await waiting(models) == [0]
    assert await models.auditor.look() == 0  # not yet
    for looks in (1, 2):
        await due_now(models)
        await compare_writes(models)
        assert await waiting(models) == [looks]
    await due_now(models)
    await compare_writes(models)

    assert await waiting(models) == []
    assert COUNTS["auditor.compared"] >= 3
    assert COUNTS["auditor.violations"] == 0
    assert await models.auditor.comparisons.violations() == []


async def test_the_looks_are_one_ten_and_sixty_seconds_after_the_write(models: Models, people: People) -> None:
    await written(models, people)
    gaps = []
    for _ in AFTER:
        ((gap,),) = await models.db.fetch("SELECT TIMESTAMPDIFF(MICROSECOND, at, due) / 1000000 FROM comparisons")
        gaps.append(float(gap))
        await due_now(models)
        await compare_writes(models)

    assert gaps == pytest.approx([1, 10, 60], abs=0.01)


async def test_an_old_record_in_redis_is_a_violation_with_its_whole_trace(
    models: Models, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = await written(models, people)
    await plant(models, old)
    await due_now(models)
    with caplog.at_level(logging.ERROR, "plaza.auditor"):
        await compare_writes(models)

    (violation,) = await models.auditor.comparisons.violations()
    assert (violation.level, violation.name) == ("redis", f"post:{old.id}")
    assert violation.trace["values"]["title"] == ["Old", "New"]
    assert violation.trace["versions"] == [new.version, new.version]
    assert f"post:{old.id}" in violation.trace["slots"]
    assert len(violation.trace["writer"]) == 32
    assert violation.trace["looks"][0]["after_s"] == 1
    assert violation.trace["looks"][0]["different"] == [f"redis post:{old.id}"]
    assert f"post:{old.id} of redis is older than it may be, in ['title']" in caplog.text
    assert COUNTS["auditor.violations"] == 1


async def test_an_old_row_in_the_memory_of_a_process_is_a_violation(
    models: Models, near: Models, people: People
) -> None:
    old, _ = await written(models, people)
    await read_often(near, old.id)
    entry = near.cache.local.peek(BY_ID(old.id).name)
    assert entry
    entry.value = old
    await due_now(models)
    await compare_writes(models)

    (violation,) = await models.auditor.comparisons.violations()
    assert (violation.level, violation.name) == ("web-0", f"post:{old.id}")


async def test_an_old_list_is_found_by_the_scope_that_the_write_touched(models: Models, people: People) -> None:
    await written(models, people)
    await forget(models)
    await models.writing.create(Draft("Newer", "", "Words.", ()), by=people.alice, publish=True)
    await models.posts.front(1)
    name = models.cache.link.full(FRONT_PAGES(1).name)
    stamps, items = records.decode_list(await models.redis.get(name))  # type: ignore[arg-type]
    await models.redis.set(name, records.encode_list(stamps, (items[0] - 1, *items[2:])), px=60_000)
    await due_now(models)
    await compare_writes(models)

    (violation,) = await models.auditor.comparisons.violations()
    assert (violation.level, violation.name) == ("redis", FRONT_PAGES(1).name)


async def test_a_list_that_a_process_keeps_is_found_by_its_scope(models: Models, near: Models, people: People) -> None:
    """A month's list: its values cannot be told from the scope."""
    old, _ = await written(models, people)
    assert old.published_at
    slot = OF_MONTH(f"{old.published_at:%Y-%m}", 0)
    for _ in range(3):
        await near.posts.of_month(old.published_at.date())
    entry = near.cache.local.peek(slot.name)
    assert entry
    entry.value = ((), entry.value[1])
    await due_now(models)
    await compare_writes(models)

    (violation,) = await models.auditor.comparisons.violations()
    assert (violation.level, violation.name) == ("web-0", slot.name)


async def test_a_look_that_comes_too_late_is_counted_and_not_done(models: Models, people: People) -> None:
    old, _ = await written(models, people)
    await plant(models, old)
    await due_now(models, late=40)
    await compare_writes(models)

    assert COUNTS["auditor.missed"] == 1
    assert await waiting(models) == [1]
    assert await models.auditor.comparisons.violations() == []


async def test_what_has_no_room_is_counted_and_the_write_goes_on(
    models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "MOST_WAITING", 1)
    await models.writing.create(Draft("A", "", "Words.", ()), by=people.alice)
    before = len(await waiting(models))
    await models.writing.create(Draft("B", "", "Words.", ()), by=people.alice)

    assert before == len(await waiting(models)) == 1
    assert COUNTS["auditor.dropped"] == 1


async def test_what_is_rolled_back_is_not_compared(models: Models, people: People) -> None:
    await forget(models)
    with pytest.raises(NotFound):
        await models.writing.edit(10**9, Draft("A", "", "Words.", ()), version=1, by=people.alice)
    with suppress(RuntimeError):
        async with models.posts.write() as w:
            w.touch(BY_ID(1))
            w.last.append(_fails)

    assert await waiting(models) == []


@pytest.mark.parametrize("choices", [{"compare_every": 0}])
async def test_with_the_setting_at_nought_nothing_is_compared(models: Models, people: People) -> None:
    await models.writing.create(Draft("A", "", "Words.", ()), by=people.alice)

    assert await waiting(models) == []


@pytest.mark.parametrize("choices", [{"compare_every": 1, "redis_timeout": 0.5}])
async def test_without_redis_a_look_waits(redis_wire: Wire, models: Models, people: People) -> None:
    await written(models, people)
    await redis_wire.cut()
    await due_now(models)
    with pytest.raises(Busy):
        await models.auditor.look()

    assert await waiting(models) == [0]
    assert COUNTS["auditor.unasked"] == 1
    await redis_wire.mend()


async def _fails(*_: object) -> None:
    raise RuntimeError
