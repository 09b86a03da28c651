"""Each guard of the cache is needed: a copy of the tree without it fails the tests that aim at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cache.guards import GUARDS
from tests.cache.mutations import Moved, Mutation, copy_tree, without
from tests.cache.nursery import LONG, Nursery
from tests.harness.servers import Databases

TRIES = 3


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_tree(tmp_path_factory.mktemp("copy"))


@pytest.fixture(scope="module")
def nursery(copy: Path, databases: Databases) -> Iterator[Nursery]:
    nursery = Nursery(copy, databases._server.var)
    yield nursery
    nursery.close()


@pytest.mark.parametrize("mutation", GUARDS, ids=lambda mutation: mutation.guard)
def test_without_this_guard_a_test_fails(nursery: Nursery, copy: Path, mutation: Mutation) -> None:
    """Tried again when none failed: on a machine that stands still for a second, what was left behind may have ended by
    itself."""
    told: dict[str, str] = {}
    with without(mutation, copy):
        for _ in range(TRIES):
            told = nursery.run(mutation.tests)
            if any(why.startswith("call: ") for why in told.values()):
                return

    raise AssertionError(told)


def test_with_all_guards_the_same_tests_pass(nursery: Nursery) -> None:
    told = nursery.run(tuple(dict.fromkeys(test for mutation in GUARDS for test in mutation.tests)), LONG)

    assert set(told.values()) == {""}, {name: why for name, why in told.items() if why}


def test_a_mutation_that_does_not_find_its_guard_says_so(copy: Path) -> None:
    nowhere = Mutation("none", (("cache/aside.py", "no such line", ""),), ())
    everywhere = Mutation("many", (("cache/aside.py", "self", ""),), ())

    before = (copy / "cache/aside.py").read_text()
    for lost in (nowhere, everywhere):
        with pytest.raises(Moved), without(lost, copy):
            pass

    assert (copy / "cache/aside.py").read_text() == before
