"""One Plaza of its own for a test: a folder, a free port, and the real `plaza` to start it with."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from settings import ROOT, Settings, load
from tests.harness.compiled import give_templates

PLAZA = str(ROOT / "plaza")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Instance:
    """`environment` is what the shell that calls `plaza` has set beside PLAZA_VAR; `said` is the last word of `up`; `program`
    is the `plaza` of another copy of the source than this one."""

    var: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    said: str = ""
    program: str = PLAZA

    def plaza(self, *arguments: str, input: str = "", timeout: float = 300) -> "subprocess.CompletedProcess[str]":
        """Run a command as somebody would; nothing of the tests' own environment reaches it."""
        return subprocess.run(
            [self.program, *arguments], env=self._environment(), input=input, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip

    @contextmanager
    def started(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """The same, while it runs; what it says can be read as it comes."""
        pipe = subprocess.PIPE
        command = [self.program, *arguments]
        with subprocess.Popen(command, env=self._environment(), stdout=pipe, stderr=pipe, text=True) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PLAZA_")}
        return kept | {"PLAZA_VAR": str(self.var), "NO_COLOR": "1"} | self.environment

    def up(self, *arguments: str) -> str:
        give_templates(self.var)
        done = self.plaza("up", "--port", str(self.port), "--no-demo", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        self.said = done.stdout
        return done.stdout

    @property
    def settings(self) -> Settings:
        return load(var=self.var, port=self.port)

    def processes(self) -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in json.loads(self.plaza("status", "--json").stdout)["processes"]}

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        return self.ask("GET", path, headers=headers)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        if tls is None:
            connection = http.client.HTTPConnection("localhost", self.port, timeout=20)
        else:
            connection = http.client.HTTPSConnection("localhost", self.port, timeout=20, context=tls)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    @contextmanager
    def under_load(self, threads: int = 8) -> Iterator[Counter[str]]:
        """GETs and POSTs from several clients at once; what became of them is counted when the block has ended."""
        seen: Counter[str] = Counter()
        stop = threading.Event()

        def client(number: int) -> None:
            form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
            while not stop.is_set():
                try:
                    if number % 2:
                        answer = self.ask(
                            "POST", "/signin", body=b"email=nobody%40example.org&password=x", headers=form
                        )
                    else:
                        answer = self.get(("/", "/signin", "/healthz")[number % 3])
                    seen[f"{'POST' if number % 2 else 'GET'} {answer.status // 100}xx"] += 1
                except OSError as error:
                    seen[repr(error)] += 1
                except http.client.HTTPException as error:
                    seen[repr(error)] += 1

        clients = [threading.Thread(target=client, args=(number,)) for number in range(threads)]
        for thread in clients:
            thread.start()
        try:
            yield seen
        finally:
            stop.set()
            for thread in clients:
                thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(claim: Any, seconds: float = 60.0) -> float:
    """Wait until the claim holds; how long that took, in seconds."""
    started = time.monotonic()
    while not claim():
        assert time.monotonic() - started < seconds, "it did not come true"
        time.sleep(0.02)
    return time.monotonic() - started
