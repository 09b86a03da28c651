"""Traffic of the plainest kind, so many requests at one rate, and its replay by the real command."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from replay import results
from replay.nullserver import Lies, nullserver
from replay.records import Answer, Header, Request
from replay.results import Run
from replay.writing import Writer
from settings import ROOT

SECOND = 1_000_000  # us
TRIES = 3


def flat(path: Path, *, rate: float, seconds: float, sessions: int = 20) -> Path:
    """Sessions take turns, and no request waits for another's answer."""
    writer = Writer(path, Header("", 0, 0, "http://recorded.example", source="combined"), force=True)
    for i in range(round(rate * seconds)):
        answer = Answer(200, 1000)
        writer.add(Request(i, round(i * SECOND / rate), f"s{i % sessions}", i // sessions, "GET", "/", answer))
    writer.finish()
    return path


@dataclass(frozen=True, slots=True)
class Replayed:
    status: int
    run: Run
    said: str


def line(record: Path, port: int, out: Path, *options: str) -> list[str]:
    """`plaza replay run`, without the self-check: what that is for has tests of its own."""
    target = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "commands", "replay", "run", str(record), "--target", target, "--no-selfcheck"]
    return [*command, "--pace", "absolute", "--out", str(out), *options]


def replayed(record: Path, port: int, *options: str) -> Replayed:
    out = record.with_suffix(".json")
    done = subprocess.run(
        line(record, port, out, *options), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    return Replayed(done.returncode, results.read(out), done.stdout + done.stderr)


@contextmanager
def under_way(record: Path, port: int, *options: str) -> "Iterator[subprocess.Popen[str]]":
    """A replay that is not waited for, in a process group of its own."""
    command = line(record, port, record.with_suffix(".json"), *options)
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def believe(claim: Callable[[Run], None], record: Path, lies: Lies, *options: str) -> None:
    """What a replay against a server that lies must report. Other processes of this machine may have had the core when something
    was due: of the generator, which then says INVALID as it should, or of the server, whose truth is then another. So it is
    asked again, rather than that a test allows more than is claimed."""
    for attempt in range(1, TRIES + 1):
        with nullserver(lies) as port:
            done = replayed(record, port, *options)
        try:
            assert done.run.verdict != "invalid", done.said
            claim(done.run)
        except AssertionError:
            if attempt == TRIES:
                raise
        else:
            return
