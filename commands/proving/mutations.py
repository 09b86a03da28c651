"""The guards as they stand in the code: each is taken out of a copy of the tree, and the tests that aim at it must fail."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from settings import ROOT, environment

_TESTS = "tests/cache/test_mutations.py"
_LINE = re.compile(r"::(test_\w+)(?:\[(.+)\])? (PASSED|FAILED|ERROR)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Without `guard` a test failed, as it should, or none did. With `guard` empty: whether the copy that has them all passes."""

    guard: str
    well: bool


def outcomes() -> Iterator[Outcome]:
    """One after the other, as they become known; none at all where the tests could not be run."""
    command = [sys.executable, "-m", "pytest", _TESTS, "-v", "--tb=short", "--color=no"]
    with subprocess.Popen(command, cwd=ROOT, env=environment({}), stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout
        for line in tests.stdout:
            if told := _LINE.search(line):
                yield Outcome(told[2] or "", told[3] == "PASSED")
