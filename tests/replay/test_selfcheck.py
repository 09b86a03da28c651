"""A machine that cannot send a plan on time says so before it sends anything."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from replay import planning, results, selfcheck
from replay.measuring import Measure
from replay.nullserver import nullserver
from replay.paces import Pace
from replay.planning import Choices
from replay.plans import Plan
from replay.reading import requests
from replay.sites import AnySite
from replay.workers import Done
from settings import ROOT
from tests.harness.descendants import children, until
from tests.harness.flat import flat, line


def planned(folder: Path, pace: Pace) -> Plan:
    record = flat(folder / "flat.rec.jsonl.gz", rate=200, seconds=1)
    return planning.plan(list(requests(record)), AnySite(), Choices(pace))


def test_what_cannot_be_sent_is_not_on_time_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selfcheck, "SECONDS", 0.05)

    checked = selfcheck.check(1_000_000, 1)

    assert not checked.on_time
    assert "requests were sent in their second" in checked.why[0]
    assert checked.sent < 1_000_000


def test_a_plan_is_tried_half_as_fast_again_and_never_with_too_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def check(rate: float, processes: int, per_session: int, late_ms: float) -> selfcheck.Checked:
        tried.append((rate, processes, per_session, late_ms))
        return selfcheck.Checked(rate, processes, rate, {}, [], [] if len(tried) > 1 else ["a neighbour had the core"])

    monkeypatch.setattr(selfcheck, "check", check)

    checked = selfcheck.before(planned(tmp_path, Pace("rate", (1000.0,))), 2)
    selfcheck.before(planned(tmp_path, Pace("rate", (10.0,))), 1)
    selfcheck.before(planned(tmp_path, Pace("rate", (900_000.0,))), 1, 400.0)
    selfcheck.before(planned(tmp_path, Pace("rate", (400.0,))), 1, 900_000.0)

    assert checked is not None
    assert checked.on_time
    # 20 sessions of ten requests that took a millisecond each; tried again, since the first time it was late.
    assert tried == [(1500.0, 2, 10, 0.5)] * 2 + [(selfcheck.LEAST, 1, 10, 0.5)] + [(600.0, 1, 10, 0.5)] * 2


def test_who_asks_for_a_ceiling_has_no_rate_to_be_checked(tmp_path: Path) -> None:
    assert selfcheck.before(planned(tmp_path, Pace("closed", (3.0,))), 1) is None


def test_ctrl_c_is_no_reason_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def interrupted(*_: object, **__: object) -> Done:
        tried.append(True)
        return Done(Measure(), interrupted=True)

    monkeypatch.setattr("replay.workers.run", interrupted)

    with pytest.raises(KeyboardInterrupt):
        list(selfcheck.search(1))
    assert len(tried) == 1


def test_a_run_that_this_machine_cannot_send_is_invalid_and_not_sent(tmp_path: Path) -> None:
    record, out = flat(tmp_path / "flat.rec.jsonl.gz", rate=5000, seconds=1), tmp_path / "run.json"
    with nullserver() as port:
        command = [word for word in line(record, port, out, "--pace", "rate=100000") if word != "--no-selfcheck"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)

    run = results.read(out)
    assert done.returncode == 4
    assert run.sent == 0
    assert run.why[0].startswith("this machine cannot send 150,000/s on time: ")
    assert run.selfcheck["on_time"] is False
    assert "INVALID" in done.stdout


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes by /proc")
def test_ctrl_c_during_the_self_check_is_interrupted_and_not_invalid(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=100, seconds=60)
    with nullserver() as port:
        command = [word for word in line(record, port, tmp_path / "run.json") if word != "--no-selfcheck"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            until(lambda: children(process.pid))  # the null server, and then the worker
            process.send_signal(signal.SIGINT)
            said, wrong = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "INVALID" not in said
    assert "Traceback" not in wrong


def test_the_highest_rate_is_between_what_was_on_time_and_what_was_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(rate: float, processes: int, per_session: int, late_ms: float) -> selfcheck.Checked:
        return selfcheck.Checked(rate, processes, rate, {}, [], [] if rate <= 5300 else ["late"])

    monkeypatch.setattr(selfcheck, "check", check)

    found = list(selfcheck.search(1))

    assert [one.rate for one in found] == [1000, 2000, 4000, 8000, 6000, 5000, 5500, 5250]
    assert max(one.rate for one in found if one.on_time) == 5250


@pytest.mark.long
def test_the_command_tells_a_rate_and_how_exactly_it_was_sent() -> None:
    command = [sys.executable, "-m", "commands", "replay", "selfcheck"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode in (0, 4), done.stderr  # 4 on a machine that does too much else
    assert "lag p50" in done.stdout
    assert "are sent on time by one worker" in done.stdout or "cannot send on time now" in done.stdout


def test_what_was_checked_stands_in_the_result_as_json() -> None:
    checked = selfcheck.Checked(1500.0, 1, 1500.0, {"p99": 0.2}, [0.1], [])

    assert json.loads(json.dumps(checked.as_json()))["on_time"] is True
