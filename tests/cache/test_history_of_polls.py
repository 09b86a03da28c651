"""The history checker and the counts of polls: it accuses what no transaction has made, and what is too old."""

from dataclasses import replace
from pathlib import Path

from commands.proving.checker import Checker
from commands.proving.polls import key_of
from models.results import Result
from tests.cache.world import World


def test_counts_of_a_poll_are_those_of_a_transaction_and_not_older_than_the_last_that_returned(tmp_path: Path) -> None:
    world = World(tmp_path / "ledger")
    none, one, two = (Result(1, voters, (voters, 0), voters) for voters in range(3))
    under_way = Result(1, 2, (1, 1), 3)
    judge = world.judge()

    def answered(result: Result, judge: Checker = judge) -> None:
        judge.result(judge.ask("one", (key_of(1),)), result)

    answered(none)
    world.count(one)
    world.count(two, ended=10)
    answered(two)
    world.count(under_way, ended=None)
    answered(under_way)
    assert world.kinds() == []

    answered(replace(two, votes=(1, 0)))  # of two moments
    answered(replace(under_way, votes=(0, 2)))
    answered(Result(1, 3, (3, 0), 4))
    answered(one, world.judge(1))
    assert world.kinds() == ["mixed", "phantom", "phantom", "too old"]
    assert world.found[-1].missed == 2
