"""Processes that a benchmark starts beside the instance, and the plain question by which one knows that they answer."""

import gzip
import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands.children import end
from commands.console import Trouble
from settings import ROOT

PATIENCE = 20.0  # seconds for one more process to answer
Process = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Server:
    """Where something answers, and the processes that do."""

    address: str
    pids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Door(Server):
    """A web process that also does what we ask on its standard input (`inside`)."""

    process: Process

    def ask(self, do: str, **facts: Any) -> Any:
        """Do it and give back what it said. Raises Trouble."""
        self.send(do, **facts)
        return self.receive()

    def send(self, do: str, **facts: Any) -> None:
        """Ask without waiting; `receive` gives the answer."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"do": do, **facts}).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise Trouble("a process that was measured from inside has ended")
        told = json.loads(line)
        if "trouble" in told:
            raise Trouble(f"a process that was measured from inside failed: {told['trouble']}")
        return told["found"]

    @property
    def memory(self) -> float:
        """What it holds in memory (RSS), in MB of 1,000,000 bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6


@contextmanager
def running(line: list[str], log: Path, environment: dict[str, str], *, piped: bool = False) -> Iterator[Process]:
    """A process until the end of the block; `piped`: we speak with it, and its log has its errors alone."""
    pipe = subprocess.PIPE if piped else None
    with log.open("ab") as output:
        # A session of its own: Ctrl-C in the terminal reaches us, and we end it.
        process = subprocess.Popen(
            line, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe or output, stderr=output, start_new_session=True
        )  # fmt: skip
    try:
        yield process
    finally:
        end(process, 15)
        for one in (process.stdin, process.stdout):
            if one:
                one.close()


def wait_for(url: str, process: Process, log: Path) -> None:
    """Until it answers 200. Raises Trouble with its last words."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if fetch(url)[0] == 200:
                return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > until:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise Trouble(f"{url} does not answer: {''.join(last)}")
        time.sleep(0.05)


def fetch(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """One GET: status and body, unpacked. Raises OSError."""
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request("GET", f"/{path}", headers={"Accept-Encoding": "identity", **(headers or {})})
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body
    except http.client.HTTPException as error:
        raise OSError(f"no answer: {error!r}") from None
    finally:
        connection.close()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens at now."""
    with ExitStack() as stack:
        doors = [stack.enter_context(socket.socket()) for _ in range(count)]
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return [door.getsockname()[1] for door in doors]
