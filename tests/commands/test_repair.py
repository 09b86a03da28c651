"""Processes die; Supervisor, and the next `plaza up`, put things right."""

import json
import os
import signal
from pathlib import Path

import pytest

from commands.events import handle, rotate
from commands.supervision import Supervisor
from tests.commands.instances import Instance, until


@pytest.mark.parametrize("name", ["web-0", "worker", "nginx", "redis", "mariadb", "events"])
def test_a_killed_process_is_back_within_three_seconds(site: Instance, name: str) -> None:
    supervisor = Supervisor(site.settings)
    killed = next(process.pid for process in supervisor.processes() if process.name == name)
    assert killed is not None

    os.kill(killed, signal.SIGKILL)

    def back() -> bool:
        """Every process runs, the killed one anew, and the site answers."""
        processes = supervisor.processes()
        renewed = all(process.pid != killed and process.state == "RUNNING" for process in processes)
        return renewed and site.plaza("status").returncode == 0

    until(back)
    exits = [json.loads(line) for line in (site.var / "log" / "exits.jsonl").read_text().splitlines()]
    assert {"process": name, "pid": killed, "state": "EXITED", "from": "RUNNING"}.items() <= exits[-1].items()


def test_a_killed_supervisor_leaves_nothing_that_hinders_the_next_up(deep: Instance) -> None:
    before = {row["pid"] for row in deep.processes().values()}
    os.kill(Supervisor(deep.settings).pid() or 0, signal.SIGKILL)
    assert deep.plaza("status").returncode == 1

    deep.up("--web", "1")

    assert not before & {row["pid"] for row in deep.processes().values()}
    assert deep.plaza("status").returncode == 0


def test_an_exit_that_was_asked_for_is_not_recorded(tmp_path: Path) -> None:
    body = {"processname": "web-0", "pid": "7", "from_state": "RUNNING"}

    handle("PROCESS_STATE_EXITED", body | {"expected": "1"}, tmp_path, tmp_path / "pid")
    assert not (tmp_path / "exits.jsonl").exists()

    handle("PROCESS_STATE_EXITED", body | {"expected": "0"}, tmp_path, tmp_path / "pid")
    assert json.loads((tmp_path / "exits.jsonl").read_text())["process"] == "web-0"


def test_rotation_keeps_the_last_five(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    for number in range(8):
        log.write_text(str(number) * 10)
        assert rotate(log, 5)

    assert not rotate(log, 5)
    assert [(tmp_path / f"access.log.{n}").read_text()[0] for n in range(1, 6)] == list("76543")
    assert len(list(tmp_path.iterdir())) == 5


def test_nginx_opens_its_access_log_anew(site: Instance) -> None:
    log = site.var / "log" / "access.log"
    pid = int((site.settings.run / "nginx.pid").read_text())
    rotate(log, -1)
    os.kill(pid, signal.SIGUSR1)

    until(log.exists)

    site.get("/healthz?after=rotation")
    until(lambda: "after=rotation" in log.read_text())
