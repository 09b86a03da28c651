"""What is said of the machine is so: shares of processes that really compute, limits that are really met."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from replay import machine
from replay.machine import MAX_OPEN, NO_DESCRIPTOR, NO_PORT, Shares

BUSY = "import setproctitle, time; setproctitle.setproctitle({!r}); print(flush=True)\nwhile True: pass"


@contextmanager
def busy(title: str) -> Iterator[int]:
    """A process that computes all the time under this name."""
    with subprocess.Popen([sys.executable, "-c", BUSY.format(title)], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_what_computes_is_told_by_kind() -> None:
    with busy("plaza web web-0"), busy("something else") as own:
        shares = Shares([own])
        until = time.monotonic() + 30
        while True:  # until it had some turns on a machine that is busy
            time.sleep(2)  # so long that it does not matter when it was read, if the machine is busy
            found = shares.by_kind()
            if (found["web"] > 0.1 and found["generator"] > 0.1) or time.monotonic() > until:
                break

    assert found["web"] > 0.1
    assert found["generator"] > 0.1
    assert "nginx" not in found or found["nginx"] < 0.1
    assert sum(found.values()) < machine.facts()["cores"] * 1.3


def test_cores_that_others_had_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a virtual machine whose host is busy: 100 ticks of a core were to be had, and were not."""
    monkeypatch.setattr(machine, "_PROC", tmp_path)
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 50 900 0 0 5 7 0 0\n")
    shares = Shares()
    untouched = shares.by_kind()
    stat.write_text("cpu  100 0 50 900 0 0 5 107 0 0\n")
    found = shares.by_kind()

    assert "stolen" not in untouched
    assert found["stolen"] > 0
    assert found["other"] == 0


def test_who_computes_too_much_is_named_and_what_was_missing_is_counted() -> None:
    found = machine.reasons([0.5, 0.95], {"200": 10, NO_DESCRIPTOR: 3, NO_PORT: 4, MAX_OPEN: 5})

    assert len(found) == 4
    assert "worker 2) computed 95% of the time" in found[0]
    assert found[1].startswith("3 requests found no free descriptor")
    assert found[2] == "5 requests were not sent, for all connections that --max-open allows were in use"
    assert found[3].startswith("4 requests found no free local port")
    assert machine.reasons([0.8], {"200": 10, "timeout": 4}) == []


def test_more_connections_than_descriptors_or_ports_are_refused_before() -> None:
    assert machine.own_limits(10) is None
    assert "more local ports" in str(machine.own_limits(60_000)) or "descriptors" in str(machine.own_limits(60_000))
    assert "descriptors" in str(machine.own_limits(10**9)) or "ports" in str(machine.own_limits(10**9))


_FIRST = "import os; from replay import machine; machine.go_first(); print(os.sched_getscheduler(0) == os.SCHED_RR)"


@pytest.mark.skipif(not hasattr(os, "sched_setscheduler"), reason="the system has no such order")
def test_who_sends_goes_before_all_others_where_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        allowed = True
    except PermissionError:
        allowed = False
    assert subprocess.check_output([sys.executable, "-c", _FIRST], text=True).split() == [str(allowed)]

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    machine.go_first()  # and goes on, in its turn


def test_facts_name_the_machine() -> None:
    found = machine.facts()

    assert found["cores"] >= 1
    assert found["cpu"]
    assert found["system"]
