"""`plaza dev`: one process without Nginx, restarted when a source file changes."""

import os
import signal
import subprocess
from pathlib import Path

from settings import ROOT
from tests.commands.instances import PLAZA, Instance, until


def test_a_changed_source_file_restarts_the_process(fresh: Instance) -> None:
    process = subprocess.Popen(
        [PLAZA, "dev", "--port", str(fresh.port)], env=os.environ | {"PLAZA_VAR": str(fresh.var)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip

    def server() -> int:
        """The process number of the web process, 0 while there is none."""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        named = (pid for pid in children if b"plaza web" in Path(f"/proc/{pid}/cmdline").read_bytes())
        return int(next(named, 0))

    def answers() -> bool:
        try:
            return fresh.get("/readyz").status == 200
        except OSError:
            return False

    try:
        until(answers, 120)
        first = server()

        os.utime(ROOT / "static" / "site.css")

        until(lambda: server() not in (0, first), 120)
        until(answers, 120)
        assert fresh.get("/").status == 200
    finally:
        process.send_signal(signal.SIGINT)
        try:
            said, _ = process.communicate(timeout=180)
        finally:
            process.kill()  # what does not end by itself must not be there in other tests
    assert "changed: static/site.css" in said
    assert process.returncode == 0
    assert not (fresh.settings.run / "mysql.sock").exists()  # its database ended with it
