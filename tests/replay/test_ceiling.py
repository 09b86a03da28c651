"""The classic short report counts what a closed loop can count, and says what it hides."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from replay.nullserver import Lies, nullserver
from settings import ROOT
from tests.harness.descendants import until


def asked(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "commands", "replay", "ceiling", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)


def rows(said: str) -> dict[str, float]:
    """Each line of the report: what, and how many or how long."""
    found = re.findall(r"^  (\S.*?) {2,}([\d,.]+)(?: m?s)?$", said, re.MULTILINE)
    return {name: float(value.replace(",", "")) for name, value in found}


def test_the_report_has_all_its_lines_and_they_go_together() -> None:
    with nullserver(Lies(delay_ms=30, slow_ms=300, slow_every=10)) as port:
        done = asked(f"http://127.0.0.1:{port}/posts/你好?q=a b#part", "-c", "50", "-n", "1000")
    told = rows(done.stdout)

    assert done.returncode == 0
    assert told["successful calls"] == told["status code 200"] == 1000
    assert 30 <= told["fastest"] < told["average"] < told["slowest"]
    assert told["average"] >= 57
    assert told["slowest"] >= 300
    assert told["amplitude"] == pytest.approx(told["slowest"] - told["fastest"], abs=0.02)
    assert told["RPS"] == pytest.approx(1000 / told["total"], rel=0.02)
    assert told["total"] >= 1.1  # fifty users of twenty calls each, 57 ms in the mean
    assert told["p50"] < 300 <= told["p99"] + 2  # it is the middle of a bucket
    assert "A closed loop" in done.stdout


def test_calls_that_fail_are_counted_apart_by_what_went_wrong() -> None:
    with nullserver(Lies(reset_every=10, silent_every=25)) as port:
        done = asked(f"http://127.0.0.1:{port}/", "-c", "4", "-n", "100", "--timeout", "1")
    told = rows(done.stdout)

    assert done.returncode == 1
    assert told["failed calls: timeout"] == 4
    assert told["failed calls: reset"] == 8  # 50 and 100 were silent
    assert told["successful calls"] == told["status code 200"] == 88

    assert "12 calls that failed are not in these times; they took up to 1." in done.stderr


def test_ctrl_c_tells_what_was_measured_and_counts_nothing_that_was_under_way() -> None:
    with nullserver(Lies(delay_ms=200)) as port:
        command = [sys.executable, "-m", "commands", "replay", "ceiling", f"http://127.0.0.1:{port}/", "-n", "1000000"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            until(lambda: connections(port) >= 10)
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            said, wrong = process.communicate(timeout=60)

    assert process.returncode == 130
    assert 0 < rows(said)["successful calls"] < 1_000_000
    assert "failed calls" not in said
    assert "Traceback" not in wrong


def test_ctrl_c_ends_it_at_once_where_the_target_says_nothing() -> None:
    """The kernel takes the connection, and nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        command = [sys.executable, "-m", "commands", "replay", "ceiling", f"http://127.0.0.1:{port}/"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            until(lambda: connections(port) >= 1)
            process.send_signal(signal.SIGINT)
            said, wrong = process.communicate(timeout=60)

    assert process.returncode == 130  # 3 when it waited for an answer
    assert (said, wrong.strip()) == ("", "! interrupted")


def connections(port: int) -> int:
    """Those of this machine to the port, as the kernel lists them."""
    return len(re.findall(rf" 0100007F:{port:04X} 01 ", Path("/proc/net/tcp").read_text()))


def test_answers_that_are_errors_are_no_success() -> None:
    with nullserver(Lies(status=503)) as port:
        done = asked(f"http://127.0.0.1:{port}/", "-c", "2", "-n", "10")

    assert done.returncode == 1
    assert rows(done.stdout)["successful calls"] == 0
    assert rows(done.stdout)["status code 503"] == 10


@pytest.mark.parametrize(("words", "status", "said"), [
    (("http://127.0.0.1:1/", "-c", "5", "-n", "4"), 2, "-n is at least -c"),
    (("http://127.0.0.1:1/",), 3, "nothing listens there"),
    (("ftp://127.0.0.1/",), 2, "is no address such as"),
    (("127.0.0.1:8000",), 2, "is no address such as"),
    (("http://[::1",), 2, "Invalid IPv6 URL"),
    (("http://no-such-host.invalid/",), 3, "it has no address"),
    (("http://127.0.0.1:1/", "-c", "0"), 2, "0 is not in the range"),
    (("http://127.0.0.1:99999/",), 2, "Port out of range"),
])  # fmt: skip
def test_bad_input_is_told_in_a_line(words: tuple[str, ...], status: int, said: str) -> None:
    done = asked(*words)

    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr
