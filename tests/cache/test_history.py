"""The history checker: it accuses every kind of wrong answer, no right one, and finds the cache innocent under faults."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop

from commands.proving import checker as judging
from commands.proving.checker import LAG
from commands.proving.evidence import excused, smallest
from commands.proving.ground import Ground, ground
from commands.proving.history import Found, history
from commands.proving.ledger import CRITICAL, KEYS, NONCES, now
from commands.proving.notes import Note
from tests.cache.world import World

SECONDS = 18.0
MS = 1_000_000


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "ledger")


@pytest.fixture(scope="module")
def place() -> Iterator[Ground]:
    with ground() as found:
        yield found


NOTE = Note(1, 1, 0, name=5, shelf=2, text="")
ALL = range(1, KEYS + 1)


def test_the_newest_row_and_one_that_a_write_under_way_brings_are_right(world: World) -> None:
    first, second = world.write(NOTE, 1, 1), world.write(NOTE, 1, 2, ended=None)
    judge = world.judge()

    for note in (first, second):
        judge.row(judge.ask("", (1,)), 1, note)
        judge = world.judge()

    assert world.kinds() == []


def test_a_row_older_than_a_write_that_had_returned_is_too_old(world: World) -> None:
    old = world.write(NOTE, 1, 1)
    world.write(NOTE, 1, 2)
    judge = world.judge()

    judge.row(judge.ask("", (1,)), 1, old)

    assert world.kinds() == ["too old"]
    assert world.found[0].missed == 2


def test_a_write_that_returns_after_the_question_may_be_missed(world: World) -> None:
    old = world.write(NOTE, 1, 1)
    judge = world.judge()
    question = judge.ask("", (1,))
    world.write(NOTE, 1, 2)

    judge.row(question, 1, old)

    assert world.kinds() == []


def test_a_process_with_l1_may_be_300_ms_behind_others_and_no_more(world: World) -> None:
    old = world.write(NOTE, 1, 1)
    world.write(NOTE, 1, 2, process=1, ended=200)
    judge = world.judge(0, lag=LAG)
    judge.level = judging.L1

    judge.row(judge.ask("", (1,)), 1, old)

    assert world.kinds() == []
    assert 200 * MS <= judge.staleness[judging.L1] < 300 * MS

    world.write(NOTE, 1, 3, process=1, ended=301)
    judge.row(judge.ask("", (1,)), 1, old)

    assert world.kinds() == ["too old"]


def test_a_process_with_l1_sees_its_own_write_at_once(world: World) -> None:
    old = world.write(NOTE, 1, 1)
    world.write(NOTE, 1, 2, process=0)
    judge = world.judge(0, lag=LAG)

    judge.row(judge.ask("", (1,)), 1, old)

    assert world.kinds() == ["own write not seen"]


def test_absent_is_a_version(world: World) -> None:
    judge = world.judge()
    judge.row(judge.ask("", (1,)), 1, None)
    assert world.kinds() == []

    world.write(NOTE, 1, 1)
    judge.row(judge.ask("", (1,)), 1, None)
    assert world.kinds() == ["too old"]

    world.write(None, 1, 2, ended=None)
    judge.row(judge.ask("", (1,)), 1, None)
    assert world.kinds() == ["too old"]


@pytest.mark.parametrize("change", [{"nonce": 800}, {"version": 2}, {"version": 0}, {"version": 1 << 40}, {"id": 2}])
def test_a_row_that_nobody_wrote_is_a_phantom(world: World, change: dict[str, int]) -> None:
    note = world.write(NOTE, 1, 1)
    judge = world.judge()
    assert note

    judge.row(judge.ask("", (1,)), 1, replace(note, **change))  # type: ignore[arg-type]

    assert world.kinds() == ["phantom"]


def test_a_row_of_a_transaction_that_was_rolled_back_is_known_as_such(world: World) -> None:
    undone = world.write(NOTE, 1, 1, ended=None)
    assert undone
    world.ledgers[0].roll_back(undone.nonce)
    world.write(NOTE, 1, 1)
    judge = world.judge()

    judge.row(judge.ask("", (1,)), 1, undone)

    assert world.kinds() == ["rolled back"]


def test_who_had_lost_its_lock_without_knowing_does_not_make_the_others_row_a_phantom(world: World) -> None:
    note = world.write(NOTE, 1, 1, process=0)
    world.write(None, 1, 1, process=1, ended=None)
    judge = world.judge()

    judge.row(judge.ask("", (1,)), 1, note)
    judge.members(judge.ask("", ALL), 2, {1})

    assert world.kinds() == []


@pytest.mark.parametrize("change", [{"name": 6}, {"shelf": 3}, {"text": "half"}])
def test_a_row_mixed_from_two_versions_is_found(world: World, change: dict[str, int | str]) -> None:
    note = world.write(NOTE, 1, 1)
    judge = world.judge()
    assert note

    judge.row(judge.ask("", (1,)), 1, replace(note, **change))  # type: ignore[arg-type]

    assert world.kinds() == ["mixed"]


def test_a_process_does_not_go_back_though_no_write_has_returned(world: World) -> None:
    old, new = world.write(NOTE, 1, 1), world.write(NOTE, 1, 2, ended=None)
    judge = world.judge()
    judge.row(judge.ask("", (1,)), 1, new)

    judge.row(judge.ask("", (1,)), 1, old)

    assert world.kinds() == ["went back"]


def test_lists_and_unique_values_are_judged_against_the_versions(world: World) -> None:
    note = world.write(NOTE, 3, 1)
    judge = world.judge()
    assert note

    judge.members(judge.ask("", ALL), 2, {3})
    judge.members(judge.ask("", ALL), 1, set())
    judge.named(judge.ask("", ALL), 5, note)
    judge.nobody_named(judge.ask("", ALL), 6)
    judge.census(judge.ask("", ALL), {3: 1})
    assert world.kinds() == []

    judge.members(judge.ask("", ALL), 2, set())
    judge.members(judge.ask("", ALL), 1, {3})
    judge.named(judge.ask("", ALL), 6, note)
    judge.nobody_named(judge.ask("", ALL), 5)
    judge.census(judge.ask("", ALL), {})
    assert world.kinds() == ["too old", "too old", "not its name", "too old", "too old"]


def test_a_list_may_miss_a_write_under_way_though_a_later_one_that_does_not_touch_it_has_returned(world: World) -> None:
    world.write(NOTE, 3, 1)
    world.write(replace(NOTE, shelf=4), 3, 2, ended=None)
    world.write(replace(NOTE, shelf=4, name=7), 3, 3)
    judge = world.judge()

    judge.members(judge.ask("", ALL), 2, {3})
    judge.nobody_named(judge.ask("", ALL), 8)
    assert world.kinds() == []

    judge.members(judge.ask("", ALL), 4, set())
    judge.nobody_named(judge.ask("", ALL), 7)
    assert world.kinds() == ["too old", "too old"]


def test_a_dead_writers_row_is_excused_only_when_redis_lost_its_tombstone_and_it_is_not_critical(world: World) -> None:
    world.write(NOTE, 1, 1, ended=None)
    ledger, moment = world.ledgers[0], now()

    assert excused(ledger, 1, None, [(moment, moment)])
    assert not excused(ledger, 1, None, [])
    assert not excused(ledger, 1, None, [(moment + 60_000 * MS, moment + 60_001 * MS)])
    assert not excused(ledger, 2, None, [(moment, moment)])

    ledger.enter(1, 1, ledger.nonce(), CRITICAL)
    assert not excused(ledger, 1, None, [(moment, now())])


def test_a_nonce_names_its_process_and_is_never_given_twice(world: World) -> None:
    nonces = [ledger.nonce() for ledger in world.ledgers for _ in range(50)]

    assert len(set(nonces)) == 100
    assert [nonce & 7 for nonce in nonces] == [0] * 50 + [1] * 50
    assert max(nonces) >> 3 < NONCES


def run(place: Ground, seconds: float, **choices: object) -> Found:
    async def told() -> Found:
        seed = secrets.randbelow(1_000_000)
        async with history(place, seed=seed, **choices) as one:  # type: ignore[arg-type]
            found = await one.run(seconds)
            found.problems += [f"seed {seed}"] if found.problems else []
            counts = one.ledger.total
            assert counts("votes") > 30, "hardly anybody voted"
            assert counts("returned") > 100, "hardly anything was written"
            assert counts("L1") + counts("L2") + counts("MySQL") > 5_000, "hardly anything was read"
            return found

    return uvloop.run(told())


def test_no_answer_is_wrong_in_a_history_with_every_kind_of_fault(place: Ground) -> None:
    found = run(place, SECONDS, pause=0.01, writes=25.0)

    assert found.problems == []
    assert found.evidence == [], smallest(found.evidence)
    assert found.quiet >= 1
    assert found.compared > 200


@pytest.mark.parametrize("guard", ["generations", "touch", pytest.param("index check", marks=pytest.mark.long),
                                   pytest.param("join rule", marks=pytest.mark.long)])  # fmt: skip
def test_a_guard_that_is_taken_away_is_missed_within_seconds(place: Ground, guard: str) -> None:
    async def accused() -> Found:
        async with history(place, seed=1, broken=guard) as one:
            return await one.run(30)

    found = uvloop.run(accused())

    assert not found.well
    worst = smallest(found.evidence)
    assert worst.events
    assert worst.violation.kind in {"too old", "own write not seen", "went back", "not its name"}
