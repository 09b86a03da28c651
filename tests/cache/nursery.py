"""Runs tests of a copy of the tree in forked children of one process, which has loaded once all that is not ours.

As a program (`python -m tests.cache.nursery COPY SERVERS`) it reads a line with the names of tests and how many seconds they wait
for what does not come, and answers with a line: what became of them. The children find the test servers at SERVERS.
"""

import importlib
import json
import multiprocessing
import os
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import pytest

PATIENCE = 2.0  # s that a test of a broken copy waits for what does not come
LONG = 30.0  # s that one of a whole copy does: it comes, however busy the machine is
OPTIONS = ("-q", "-p", "pytest_tornado.plugin", "-p", "no:logging", "-p", "no:faulthandler", "--async-test-timeout=20",
           "-W", "ignore::pytest.PytestAssertRewriteWarning")  # fmt: skip


class Shared:
    """Tells the children's fixtures where the servers are, as xdist would, and notes what became of each test."""

    def __init__(self, servers: str, patience: float) -> None:
        self._servers, self._patience = servers, patience
        self.told: dict[str, str] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        cast(Any, config).workerinput = {"plaza_servers": self._servers, "workerid": f"m{os.getpid()}"}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        steps = sys.modules.get("tests.cache.steps")
        if steps is not None:
            cast(Any, steps).PATIENCE = self._patience

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.rpartition("::")[2]
        if report.failed and not self.told.get(name):  # what it leaves may fail as well
            why = getattr(report.longrepr, "reprcrash", None)
            self.told[name] = f"{report.when}: {why.message.splitlines()[0] if why else report.longrepr}"
        elif report.when == "call":
            self.told.setdefault(name, "")


class Nursery:
    """The near end: `run` says of each test "" when it passed, else when it failed and why."""

    def __init__(self, copy: Path, servers: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cache.nursery", str(copy), str(servers)], cwd=copy, text=True,
            env={**os.environ, "PYTHONPATH": str(copy), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, tests: tuple[str, ...], patience: float = PATIENCE) -> dict[str, str]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps((tests, patience)) + "\n")
        self._process.stdin.flush()
        told: dict[str, str] = json.loads(self._process.stdout.readline())
        return told

    def close(self) -> None:
        with suppress(OSError):
            self._process.communicate(timeout=10)


def _in_child(work: Any, *given: Any) -> Any:
    """What `work` gives, done in a forked child."""
    here, there = multiprocessing.Pipe()
    child = os.fork()
    if child == 0:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            try:
                there.send(work(*given))
            except BaseException as error:
                there.send({"nothing": f"child: {error!r}"})
            finally:
                os._exit(0)
    there.close()
    try:
        return _received(here)
    finally:
        os.waitpid(child, 0)


def _received(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except EOFError:
        return {"nothing": "the child died"}


def _foreign(copy: str) -> list[str]:
    """The modules that our tests load and that are not ours."""
    importlib.import_module("tests.conftest")
    importlib.import_module("tests.cache.stages")
    return [name for name, module in list(sys.modules.items())
            if not str(getattr(module, "__file__", "") or copy).startswith(copy)]  # fmt: skip


def _run(tests: list[str], patience: float, servers: str) -> dict[str, str]:
    shared = Shared(servers, patience)
    code = pytest.main([*OPTIONS, *tests], plugins=[shared])
    if not shared.told:
        shared.told["nothing"] = f"collect: pytest ended with {int(code)}"
    return shared.told


def main(copy: str, servers: str) -> None:
    for name in _in_child(_foreign, copy):
        with suppress(ImportError):
            importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(_in_child(_run, *json.loads(line), servers)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
