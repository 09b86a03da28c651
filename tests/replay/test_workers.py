"""Several processes send one plan as one would, and none is lost without a word."""

import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from replay import results
from replay.measuring import Measure
from replay.nullserver import Lies, nullserver
from replay.records import Answer, Header, Request
from replay.sending import Reporter
from replay.writing import Writer
from tests.harness.descendants import children, lives, until
from tests.harness.flat import flat, replayed, under_way

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes by /proc")


def senders(process: "subprocess.Popen[str]", count: int) -> list[int]:
    """Once they send."""
    until(lambda: len(children(process.pid)) == count)
    time.sleep(1)
    return children(process.pid)


def test_three_workers_send_all_of_it_once_from_one_beginning(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=300, seconds=4, sessions=30)

    with nullserver() as port:
        run = replayed(record, port, "--workers", "3").run

    assert run.outcomes == {"200": 1200}
    assert run.response_ms["n"] == run.lag_ms["n"] == 1200
    assert len(run.series) <= 5
    assert [second.offered for second in run.series[:4]] == [300] * 4
    assert run.plan["workers"] == 3


def test_more_workers_than_sessions_are_not_needed(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=100, seconds=1, sessions=2)

    with nullserver() as port:
        run = replayed(record, port, "--workers", "5").run

    assert run.outcomes == {"200": 100}


def test_a_rate_cap_is_for_all_workers_together(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=300, seconds=1)

    with nullserver() as port:
        run = replayed(record, port, "--workers", "3", "--max-rate", "100").run

    assert run.outcomes == {"200": 300}
    assert run.series[0].sent <= 110
    assert run.plan["held_ms"]["n"] > 150
    assert (run.response_ms["p50"] or 0) > 500  # it is no measure of what was recorded,
    assert (run.lag_ms["p50"] or 0) < 250  # and that is not the generator's doing


def test_where_one_worker_stops_for_errors_all_do(tmp_path: Path) -> None:
    """The others have too few requests to see it by themselves, and a plan of five minutes."""
    record = tmp_path / "shares.rec.jsonl.gz"
    writer = Writer(record, Header("", 0, 0, "http://recorded.example", source="combined"))
    sent = sorted([(ms * 5, "many") for ms in range(400)] + [(s * 30_000, name) for s in range(10) for name in "ab"])
    for i, (ms, session) in enumerate(sent):
        writer.add(Request(i, ms * 1000, session, i, "GET", "/", Answer(200, 1000)))
    writer.finish()

    with nullserver(Lies(status=503)) as port:
        done = replayed(record, port, "--workers", "3", "--stop-on-errors", "50%")

    assert done.status in (1, 4)  # stopped; INVALID too, where the machine was busy
    assert done.run.series[-1].t < 120
    assert done.run.sent < 420


async def test_waiting_for_last_answers_does_not_make_a_process_look_idle() -> None:
    measure, began = Measure(), time.monotonic_ns()
    measure.start(began)
    reporter = Reporter(measure, began)
    measure.send(began)
    while time.process_time() < 0.2:
        pass

    reporter.look()
    busy = reporter.own_cpu
    await asyncio.sleep(0.5)
    reporter.look()

    assert busy > 0
    assert reporter.own_cpu == busy


def test_a_worker_that_dies_makes_the_run_invalid_and_ends_it(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=100, seconds=300)

    with nullserver() as port, under_way(record, port, "--workers", "3") as process:
        os.kill(senders(process, 3)[1], signal.SIGKILL)
        process.communicate(timeout=120)

    run = results.read(record.with_suffix(".json"))
    assert process.returncode == 4
    assert any("worker 2 of 3 ended before its time (killed by signal 9)" in why for why in run.why)
    assert 0 < run.sent < 30_000  # what the others measured


@pytest.mark.parametrize("everybody", [False, True], ids=["parent", "group"])
def test_ctrl_c_ends_all_and_what_was_measured_is_reported(tmp_path: Path, everybody: bool) -> None:
    """In a terminal it reaches the whole group; `kill -INT` one process."""
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=100, seconds=300)

    with nullserver() as port, under_way(record, port, "--workers", "2") as process:
        crew = senders(process, 2)
        (os.killpg if everybody else os.kill)(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=120)

    run = results.read(record.with_suffix(".json"))
    assert process.returncode == 130
    assert run.verdict == "interrupted"
    assert 0 < run.sent < 30_000
    assert run.sent == sum(run.outcomes.values())
    assert "Traceback" not in said
    assert not any(map(lives, crew))


def test_a_worker_ends_when_its_parent_has(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=100, seconds=300)

    with nullserver() as port, under_way(record, port, "--workers", "2") as process:
        crew = senders(process, 2)
        process.kill()
        process.wait(60)

        until(lambda: not any(map(lives, crew)))
