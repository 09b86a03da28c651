"""What recording costs a web process: requests per second, and its CPU time for each, with and without, in turns; medians.

    .venv/bin/python tests/replay/measure_recording.py [rounds]

One web process of a site of its own is asked by wrk, straight at its address: a page that is kept, answered at the door, and
one that a handler makes anew. The recorder runs beside it, on the same machine. On a busy machine the rates are chance, and the
CPU time is what tells.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Final

from commands.embedded import servers
from commands.migrate import migrate
from commands.places import make_folders
from settings import ROOT, Settings, environment
from tests.harness.site import free_port

PAGES: Final = {"kept page": "/about", "made anew": "/signin"}
SECONDS: Final = 10  # what the recorder writes is from 2.5 s before
PATIENCE: Final = 60.0


@contextmanager
def one_web_process(settings: Settings) -> Iterator[tuple[str, int]]:
    """Its address and its process id."""
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-P", f"{ROOT}/server.py", "--listen", address]
    with (settings.var / "log" / "web.log").open("wb") as output:
        process = subprocess.Popen(command, env=environment({"var": str(settings.var)}), stdout=output, stderr=output)
    try:
        _until(lambda: _asked(f"http://{address}/healthz", 1)[1] > 0)
        yield f"http://{address}", process.pid
    finally:
        process.terminate()
        process.wait(PATIENCE)


@contextmanager
def recording(settings: Settings) -> Iterator[None]:
    command = [sys.executable, "-m", "commands", "record", "--out", str(settings.var / "r"), "--force"]
    env = environment({"var": str(settings.var)}) | {"NO_COLOR": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        _until((settings.run / "record.sock").exists)
        time.sleep(1.5)  # the web process looks for it once a second
        yield
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE)
    print("   ", " ".join(said.split("\n")[-3:-2] or [said]).strip())


def _asked(url: str, seconds: int) -> tuple[float, int]:
    """(requests per second, how many)."""
    told = subprocess.run(
        ["wrk", "-t1", "-c16", f"-d{seconds}s", url], capture_output=True, text=True, check=False, timeout=PATIENCE
    ).stdout
    rate, count = re.search(r"Requests/sec:\s+([\d.]+)", told), re.search(r"(\d+) requests in", told)
    return (float(rate[1]), int(count[1])) if rate and count else (0.0, 0)


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _until(claim: object) -> None:
    latest = time.monotonic() + PATIENCE
    while not (callable(claim) and claim()):
        if time.monotonic() > latest:
            raise TimeoutError
        time.sleep(0.1)


def main(rounds: int) -> None:
    found: dict[tuple[str, bool], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        settings = Settings(var=Path(folder) / "var")
        settings.var.mkdir()
        make_folders(settings)
        with servers(settings, fast=True):
            migrate(settings)
            with one_web_process(settings) as (url, pid):
                for path in PAGES.values():
                    _asked(url + path, 2)
                for number in range(rounds):
                    for recorded in (False, True) if number % 2 == 0 else (True, False):
                        for name, path in PAGES.items():
                            one = _round(settings, url + path, pid, recorded=recorded)
                            found.setdefault((name, recorded), []).append(one)
    for name in PAGES:
        for what, at in (("requests/s", 0), ("us of CPU", 1)):
            without, with_ = ([one[at] for one in found[name, recorded]] for recorded in (False, True))
            change = median(with_) / median(without) - 1
            print(f"{name:<12} {what:<11} {median(without):>8,.0f} without, {median(with_):>8,.0f} with: {change:+.1%}")
            print(f"{'':<24} {[round(rate) for rate in without]} {[round(rate) for rate in with_]}")


def _round(settings: Settings, url: str, pid: int, *, recorded: bool) -> tuple[float, float]:
    """(requests per second, microseconds of CPU of the web process for each)."""
    with recording(settings) if recorded else nullcontext():
        before = _cpu(pid)
        rate, count = _asked(url, SECONDS)
        return rate, (_cpu(pid) - before) / max(1, count) * 1e6


if __name__ == "__main__":
    os.chdir(ROOT)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
