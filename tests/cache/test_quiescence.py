"""When nobody writes any more, every level of every process holds what MySQL holds; and a difference would be seen."""

import secrets
from collections.abc import Iterator

import pytest
import uvloop

from cache import records
from commands.proving import comparing
from commands.proving.ground import Ground, ground
from commands.proving.history import History, history
from commands.proving.ledger import KEYS
from commands.proving.notes import NOTE, Note


@pytest.fixture(scope="module")
def place() -> Iterator[Ground]:
    with ground() as found:
        yield found


async def quiet(one: History) -> list[str]:
    """What differs after a second of writing without faults."""
    await one.run(1.0, faults=False)
    return one.found.problems


def test_after_the_last_write_all_levels_agree_with_mysql_and_a_planted_difference_is_seen(place: Ground) -> None:
    async def told() -> None:
        async with history(place, seed=secrets.randbelow(1_000_000), writes=40.0, pause=0.01) as one:
            assert await quiet(one) == []
            assert one.found.quiet == 1
            assert one.found.compared > 200

            victim = next(note for note in await one.notes.fresh().many(range(1, KEYS + 1)))
            await _plant(one, victim)
            await one.quiesce()

        assert any(problem.startswith("L2") for problem in one.found.problems), one.found.problems
        assert any(problem.startswith("process") for problem in one.found.problems), "what readers are told differs too"

    uvloop.run(told())


async def _plant(one: History, note: Note) -> None:
    """Another version in Redis, as if a guard had let it through."""
    link = one.tables.cache.link
    old = Note(note.id, note.version, note.nonce, note.name, note.shelf, "something else")
    client = one.ground.redis.client()
    await client.set(link.full(NOTE(note.id).name), records.encode_row(old), px=60_000)
    await client.aclose()


def test_what_is_still_under_way_is_waited_for_and_told_when_it_does_not_end(place: Ground) -> None:
    async def told() -> None:
        async with history(place, seed=1, tasks=1) as one:
            link = one.tables.cache.link
            assert await link.get([NOTE(1).name]) == [None]
            client = one.ground.redis.client()
            await client.set(link.full(NOTE(1).name), b"T" + bytes(16) + (1 << 62).to_bytes(8, "big"))
            await client.aclose()

            assert (await comparing.of_redis(one.notes, one.tables.cache))["stuck"] == ["prove.note:1: T"]

    uvloop.run(told())
