"""The history of figures: what all processes counted in each ten seconds of an hour, and in each minute of a day."""

from pathlib import Path
from threading import Thread

import pytest

from models import Models
from models.history import COARSE, FINE, KEPT, History, Sample
from models.metrics import Series
from models.snapshots import Snapshot

PUSHES: Series = ("plaza_pushes_total",)
LAG: Series = ("plaza_push_lag_seconds",)  # of several the worst
KEPT_BYTES: Series = ("plaza_l1_bytes",)  # of several the sum
START = 6_000_000.0  # a whole minute


def process(
    pushes: float, *, name: str = "web-0", pid: int = 1, started: float = 0, lag: float = 0.0, kept: float = 0.0
) -> Snapshot:
    return Snapshot(name, pid, pid, started, 0.0, {PUSHES: pushes}, {LAG: lag, KEPT_BYTES: kept}, {})


@pytest.fixture
def history(tmp_path: Path) -> History:
    """It begins with a process that has counted 100 already."""
    history = History(tmp_path / "figures" / "history.sqlite")
    history.add([process(100)], START)
    return history


def rises(history: History, step: int = FINE) -> list[float]:
    return [sample.rises.get(PUSHES, 0) for sample in history.read(step, 0)]


def test_a_sample_has_what_was_counted_since_the_last_one(history: History) -> None:
    history.add([process(105, lag=0.1, kept=10)], START + 10)
    history.add([process(105), process(7, name="web-1", pid=2, started=START + 11, lag=0.3, kept=5)], START + 20)

    assert history.read(FINE, 0) == [
        Sample(int(START) + 10, 10, {PUSHES: 5}, {LAG: 0.1, KEPT_BYTES: 10}),
        Sample(int(START) + 20, 10, {PUSHES: 7}, {LAG: 0.3, KEPT_BYTES: 5}),
    ]
    assert len(history.read(FINE, START + 10)) == 1


def test_what_was_counted_before_anybody_looked_is_not_the_last_seconds(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    history.add([process(100)], START)
    history.add([process(100), process(50, name="web-1", pid=2)], START + 10)  # it was not seen, though it lived

    assert rises(history) == [0]


def test_a_process_that_begins_anew_begins_at_nought_and_that_is_no_fall(history: History) -> None:
    history.add([process(3, pid=2, started=START + 5)], START + 10)
    history.add([process(4, pid=2, started=START + 5)], START + 20)

    assert rises(history) == [3, 1]


def test_several_processes_are_one(history: History) -> None:
    history.add([process(101), process(1, name="web-1", pid=2, started=START + 1)], START + 10)
    history.add([process(102, lag=0.2, kept=1), process(5, name="web-1", pid=2, lag=0.1, kept=2)], START + 20)

    assert rises(history) == [2, 5]
    assert history.read(FINE, 0)[-1].gauges == {LAG: 0.2, KEPT_BYTES: 3}


def test_a_minute_is_the_sum_of_its_samples_and_keeps_the_worst(history: History) -> None:
    for at, pushes, lag, kept in ((10, 101, 0.1, 1), (20, 103, 0.9, 2), (60, 104, 0.2, 3), (70, 110, 0.3, 4)):
        history.add([process(pushes, lag=lag, kept=kept)], START + at)

    assert history.read(COARSE, 0) == [
        Sample(int(START) + 60, 60, {PUSHES: 4}, {LAG: 0.9, KEPT_BYTES: 3}),
        Sample(int(START) + 120, 10, {PUSHES: 6}, {LAG: 0.3, KEPT_BYTES: 4}),
    ]


def test_a_worker_that_begins_anew_goes_on(history: History, tmp_path: Path) -> None:
    History(tmp_path / "figures" / "history.sqlite").add([process(108)], START + 40)

    assert history.read(FINE, 0) == [Sample(int(START) + 40, 40, {PUSHES: 8}, {LAG: 0.0, KEPT_BYTES: 0.0})]


def test_a_clock_that_went_back_spoils_nothing(history: History) -> None:
    history.add([process(105)], START - 100)
    history.add([process(106)], START - 90)

    assert rises(history) == [1]


@pytest.mark.parametrize("step", [FINE, COARSE])
def test_it_is_bounded(history: History, step: int) -> None:
    end = START + 60 * 26 * 60  # 26 hours, looked at once a minute
    for at in range(int(START) + 60, int(end) + 1, 60):
        history.add([process(at)], at)

    found = history.read(step, 0)
    assert end - KEPT[step] < found[0].at <= end - KEPT[step] + 60
    assert len(found) == KEPT[step] / 60


def test_a_file_that_is_broken_is_begun_anew(history: History, tmp_path: Path) -> None:
    path = tmp_path / "figures" / "history.sqlite"
    path.write_bytes(b"no database at all" * 100)
    for at in (10, 20, 30):
        history.add([process(100 + at)], START + at)

    assert rises(history) == [10]  # what broke it cost a sample, and so does the beginning


def test_a_history_that_nobody_keeps_is_empty(tmp_path: Path) -> None:
    assert History(tmp_path / "history.sqlite").read(FINE, 0) == []
    assert not (tmp_path / "history.sqlite").exists()


def test_a_sample_that_is_added_while_others_are_read_is_read_whole_or_not_at_all(history: History) -> None:
    """The page of the cache reads in one process, the worker adds in another; each time there is a series that was never seen."""

    def add() -> None:
        for n in range(1, 40):
            history.add(
                [Snapshot("web-0", 1, 1, 0.0, 0.0, {PUSHES: 100 + n, (f"new_{n}_total",): n}, {}, {})], START + 10 * n
            )

    thread = Thread(target=add)
    thread.start()
    while thread.is_alive():
        history.read(FINE, 0)
    thread.join()

    assert rises(history) == [1] * 39


async def test_a_file_that_cannot_be_read_is_no_history_and_no_fault(models: Models) -> None:
    file = models.figures.settings.var / "figures" / "history.sqlite"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"no database, but long enough to be taken for one" * 100)

    assert await models.figures.history(FINE, 0) == []
