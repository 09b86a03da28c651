"""No read fails while processes are replaced or killed: the real site under a steady load of all that a crowd asks for."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from commands.probes import ready
from commands.supervision import Supervisor
from tests.commands.instances import Instance, free_port, until
from tests.commands.mix import Mix, prepare
from tests.harness.load import MANY, Report, reading

ENOUGH = 300  # requests that a short form makes at least, however slow the machine
DEATHS = 4  # of a process, while another one is restarted
PATIENCE = 120.0  # s for a process to be there again
RATE, WITHIN = 2000.0, 10.0  # a long form's requests a second, and the seconds in which each must be answered
SECONDS = 60.0  # of a long form


@dataclass
class Crowded:
    """A running site with two web processes, and what its crowd asks for."""

    instance: Instance
    mix: Mix

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.instance.settings)

    def pid(self, name: str) -> int | None:
        return self.supervisor.pid_of(name)

    def kill(self, name: str) -> None:
        """With -9; until it is there again."""
        pid = self.pid(name)
        assert pid
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.pid(name) not in (None, pid), PATIENCE)
        if name.startswith("web"):
            until(lambda: ready(self.instance.settings.run / f"{name}.sock") is None, PATIENCE)

    def reload(self) -> None:
        """Nginx reads a configuration that has changed; until those workers are gone that knew the old one only."""
        pid = self.pid("nginx")
        old = _children(pid)
        configuration = self.instance.settings.var / "etc" / "nginx.conf"
        text = configuration.read_text()
        configuration.write_text(text.replace("keepalive_timeout 65s", "keepalive_timeout 64s"))
        self.supervisor.signal("nginx", "HUP")
        until(lambda: not old & _children(pid), PATIENCE)
        configuration.write_text(text)
        self.supervisor.signal("nginx", "HUP")

    def restart(self) -> None:
        done = self.instance.plaza("restart")
        assert done.returncode == 0, done.stderr


def _children(pid: int | None) -> set[str]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return set(file.read().split())


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowded]:
    # That MySQL is slow on a busy machine is another matter.
    instance = Instance(tmp_path_factory.mktemp("crowded"), free_port(), {"PLAZA_MYSQL_TIMEOUT": "30"})
    try:
        instance.up("--web", "2")
        yield Crowded(instance, asyncio.run(prepare(instance)))
    finally:
        instance.plaza("down")


def none_failed(report: Report, asked: Mix, *, forms: bool = False) -> None:
    print(report)
    assert not report.failed, report
    assert set(report.answered) == {ask.kind for ask in (asked.both if forms else asked.reads)}
    assert report.requests > ENOUGH


FAULTS: dict[str, Callable[[Crowded], None]] = {
    "reload": Crowded.reload,
    "web-0": lambda site: site.kill("web-0"),
    "web-1": lambda site: site.kill("web-1"),
    "worker": lambda site: site.kill("worker"),
    "redis": lambda site: site.kill("redis"),
}


def test_a_restart_fails_no_request_forms_included(crowded: Crowded) -> None:
    with reading(crowded.instance.port, crowded.mix.both) as load:
        crowded.restart()

    none_failed(load.report, crowded.mix, forms=True)
    assert load.report.again == 0  # Nginx was left alone


def test_a_restart_beside_a_process_that_dies_again_and_again_fails_no_read(crowded: Crowded) -> None:
    old = crowded.pid("web-0")
    with reading(crowded.instance.port, crowded.mix.reads) as load, crowded.instance.started("restart") as restart:
        for _ in range(DEATHS):
            pid = crowded.pid("web-1")
            if pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: crowded.pid("web-1") not in (None, pid), PATIENCE)
            if crowded.pid("web-0") not in (None, old):
                break
        said = restart.communicate(timeout=3 * PATIENCE)

    assert restart.returncode == 0, said
    none_failed(load.report, crowded.mix)


def test_nobody_who_is_killed_fails_a_read(crowded: Crowded) -> None:
    with reading(crowded.instance.port, crowded.mix.reads) as load:
        for fault in ("web-0", "worker", "redis", "web-1"):
            time.sleep(0.5)
            FAULTS[fault](crowded)

    none_failed(load.report, crowded.mix)


def test_nginx_that_reads_its_configuration_again_fails_no_request(crowded: Crowded) -> None:
    with reading(crowded.instance.port, crowded.mix.both) as load:
        for _ in range(3):
            time.sleep(1)
            crowded.reload()

    none_failed(load.report, crowded.mix, forms=True)


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_nor_at_two_thousand_a_second_for_a_minute(crowded: Crowded, fault: str) -> None:
    with reading(crowded.instance.port, crowded.mix.reads, rate=RATE, clients=MANY, patience=WITHIN) as load:
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            time.sleep(2)
            FAULTS[fault](crowded)

    none_failed(load.report, crowded.mix)


@pytest.mark.long
def test_nor_does_a_restart_at_two_thousand_a_second_for_a_minute(crowded: Crowded) -> None:
    with reading(crowded.instance.port, crowded.mix.both, rate=RATE, clients=MANY, patience=WITHIN) as load:
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            crowded.restart()

    none_failed(load.report, crowded.mix, forms=True)
