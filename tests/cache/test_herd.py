"""Two thousand readers of one row, in four processes: MySQL is asked once, and by each process once when Redis is away (G6)."""

import uvloop

from commands.proving.ground import ground
from commands.proving.herd import READERS, Stampede, stampedes
from commands.proving.ledger import PROCESSES


def test_a_crowd_is_one_load_and_with_redis_away_one_in_each_process() -> None:
    with ground() as place:
        found = uvloop.run(stampedes(place, seed=1))

    assert PROCESSES * READERS == 2000
    assert [one for one in found if not one.well] == []
    assert [one.most for one in found] == [1, 1, PROCESSES] * 2


def test_a_crowd_that_loads_too_often_not_at_all_or_in_vain_is_not_well() -> None:
    assert Stampede("", 1, 1, 0).well
    assert not Stampede("", 2, 1, 0).well
    assert not Stampede("", 0, 1, 0).well
    assert not Stampede("", 1, 1, 3).well
