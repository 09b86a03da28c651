"""The worker opens and closes polls within a second of their time, each once, whoever else is at it."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs import polls as duty
from models import Models
from models.audit import entries
from models.polls import Poll
from settings import Settings
from tests.harness.people import People
from tests.jobs.test_publishing import has_begun, worker
from tests.models.poll_making import colours, ids, in_hours, members, set_clock


async def moved(models: Models) -> Counter[tuple[str, str]]:
    """How often each poll was opened and closed, by the log."""
    found = [
        *await entries(models.db, action="poll.open", most=500),
        *await entries(models.db, action="poll.close", most=500),
    ]
    return Counter((entry.target, entry.action) for entry in found)


async def test_what_is_due_moves_on_and_all_that_shows_it_follows(models: Models, people: People) -> None:
    begun, over = (
        await colours(models, people, opens_at=in_hours(1)),
        await colours(models, people, closes_at=in_hours(1)),
    )
    missed = await colours(models, people, opens_at=in_hours(1), closes_at=in_hours(2))
    later, endless = await colours(models, people, opens_at=in_hours(1)), await colours(models, people)
    gone = await models.polls.trash((await colours(models, people, opens_at=in_hours(1))).id, by=people.alice)
    for poll in (begun, over, missed, later, endless):  # so that all of it is remembered
        await models.polls.one(poll.id)
    assert [poll.id for poll in await models.polls.open()] == [endless.id, over.id]
    assert await models.polls.closed() == []
    assert (await models.search.polls("colour")).ids == (endless.id, over.id)
    await set_clock(models, begun, opened=-0.01)
    await set_clock(models, over, closes=-0.01)
    await set_clock(models, missed, opened=-2, closes=-1)
    await set_clock(models, gone, opened=-1)

    await duty.follow_time(models)

    assert [poll.id for poll in await models.polls.open()] == [endless.id, begun.id]
    assert [poll.id for poll in await models.polls.closed()] == [missed.id, over.id]
    assert (await models.search.polls("colour")).ids == (endless.id, missed.id, over.id, begun.id)
    found = await models.polls.many([poll.id for poll in (begun, over, missed, later, endless, gone)])
    assert [(poll.status, poll.version) for poll in found] == [
        ("open", 2), ("closed", 2), ("closed", 2), ("scheduled", 1), ("open", 1), ("trashed", 2)
    ]  # fmt: skip
    assert await models.polls.fresh().many([poll.id for poll in found]) == found
    assert await moved(models) == {
        (f"poll {begun.id}", "poll.open"): 1, (f"poll {over.id}", "poll.close"): 1, (f"poll {missed.id}", "poll.close"): 1
    }  # fmt: skip


async def test_two_workers_move_each_poll_once(
    models: Models, other_models: Models, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duty, "AT_ONCE", 3)
    made = [await colours(models, people, closes_at=in_hours(1)) for _ in range(12)]
    for poll in made:
        await set_clock(models, poll, closes=-0.01)

    await asyncio.gather(*(duty.follow_time(m) for m in (models, other_models, models, other_models)))

    assert await moved(models) == {(f"poll {poll.id}", "poll.close"): 1 for poll in made}
    assert {poll.version for poll in await models.polls.fresh().many([poll.id for poll in made])} == {2}


async def test_a_poll_under_a_crowd_closes_all_the_same(models: Models, other_models: Models, people: People) -> None:
    poll, crowd = await colours(models, people, closes_at=in_hours(1)), await members(models, 300)
    await set_clock(models, poll, closes=0.5 / 3600)

    async def vote(n: int) -> Any:
        while (await models.polls.fresh().one(poll.id)).status == "open":
            await asyncio.gather(
                other_models.ballots.cast(poll, ids(poll, n % 3), voter=crowd[n]), return_exceptions=True
            )

    voting = asyncio.gather(*(vote(n) for n in range(40)))
    await asyncio.sleep(0.6)
    began = time.perf_counter()
    await duty.follow_time(models)

    assert time.perf_counter() - began < 30  # the crowd votes until it is closed
    assert (await models.polls.one(poll.id)).status == "closed"
    await voting


async def test_it_follows_its_time_at_once(settings: Settings, models: Models, people: People) -> None:
    async def at(status: str) -> float:
        until = time.monotonic() + 60
        while (await models.polls.one(poll.id)).status != status:
            assert time.monotonic() < until
            await asyncio.sleep(0.02)
        return time.time()

    with worker(settings) as process:
        await asyncio.to_thread(has_begun, process)
        opens = datetime.now(UTC) + timedelta(seconds=0.7)
        poll: Poll = await colours(models, people, opens_at=opens, closes_at=opens + timedelta(seconds=1.5))
        late = await at("open") - opens.timestamp(), await at("closed") - opens.timestamp() - 1.5

    assert all(0 <= seconds < 10 for seconds in late)  # one, on a machine that has nothing else to do
