"""The recipe of deploy/mirror.conf, in the real Nginx before two upstreams."""

import http.client
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from settings import ROOT
from tests.harness.site import free_port

PATIENCE = 30.0  # s
RECIPE = ROOT / "deploy" / "mirror.conf"


class Upstream(ThreadingHTTPServer):
    """Notes what it is asked; `open` lets its answers go."""

    daemon_threads = True

    def __init__(self, word: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.word, self.asked, self.open = word, list[tuple[str, str, dict[str, str]]](), threading.Event()
        self.open.set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def paths(self) -> list[str]:
        return sorted(f"{method} {path}" for method, path, _ in self.asked)


class _Asked(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.rfile.read(int(headers.get("content-length", "0")))
        self.server.asked.append((self.command, self.path, headers))
        self.server.open.wait(PATIENCE)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.word)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else self.server.word)

    do_POST = do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass
class Stage:
    port: int
    site: Upstream
    target: Upstream
    connections: list[http.client.HTTPConnection] = field(default_factory=list)

    def connect(self) -> http.client.HTTPConnection:
        self.connections.append(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE))
        return self.connections[-1]

    def ask(self, path: str, agent: str = "chosen", method: str = "GET") -> bytes:
        connection = self.connect()
        headers = {"User-Agent": agent, "Cookie": "plaza=secret", "Authorization": "Bearer secret"}
        connection.request(method, path, b"a=b" if method == "POST" else None, headers)
        return connection.getresponse().read()


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """`share` of the readers is mirrored, all unless a test says otherwise."""
    share = getattr(request, "param", "100%")
    with ExitStack() as stack:
        site, target = (stack.enter_context(Upstream(word)) for word in (b"site", b"target"))
        stage = Stage(free_port(), site, target)
        recipe = RECIPE.read_text()
        for old, new in (
            ("127.0.0.1:8000;", f"127.0.0.1:{site.server_port};"), ("10.0.0.9:8000 ", f"127.0.0.1:{target.server_port} "),
            ("listen 8080;", f"listen 127.0.0.1:{stage.port};"), ("    10% 1;\n", f"    {share} 1;\n"),
        ):  # fmt: skip
            assert old in recipe
            recipe = recipe.replace(old, new)
        if share == "100%":
            recipe = recipe.replace('    *   "";\n', "")
        (tmp_path / "nginx.conf").write_text(
            f"daemon off;\npid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{recipe}\n}}\n"
        )
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        command = [nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
        process = stack.enter_context(subprocess.Popen(command, stderr=subprocess.PIPE))
        stack.callback(process.terminate)
        until(lambda: stage.site.asked or answers(stage))
        site.asked.clear()
        until(lambda: share != "100%" or target.asked)
        target.asked.clear()
        yield stage
        site.open.set()
        target.open.set()
        for one in stage.connections:
            one.close()


def until(claim: "object") -> None:
    latest = time.monotonic() + PATIENCE
    while not (callable(claim) and claim()):
        assert time.monotonic() < latest
        time.sleep(0.01)


def answers(stage: Stage) -> bool:
    try:
        return stage.ask("/") == b"site"
    except OSError:
        return False


def test_what_is_read_is_mirrored_and_writes_are_not(stage: Stage) -> None:
    said = {stage.ask(path, method=method) for path, method in (("/a?b=c", "GET"), ("/d", "HEAD"), ("/e", "POST"))}
    until(lambda: len(stage.target.asked) >= 2)
    stage.ask("/last")
    until(lambda: "GET /last" in stage.target.paths())

    assert said == {b"site", b""}
    assert stage.site.paths() == ["GET /a?b=c", "GET /last", "HEAD /d", "POST /e"]
    assert stage.target.paths() == ["GET /a?b=c", "GET /last", "HEAD /d"]


def test_who_somebody_is_stays_with_the_site(stage: Stage) -> None:
    stage.ask("/a")
    until(lambda: stage.target.asked)

    _, _, mirrored = stage.target.asked[0]
    assert stage.site.asked[0][2]["cookie"] == "plaza=secret"
    assert not {"cookie", "authorization"} & set(mirrored)
    assert mirrored["x-replay-run"] == "mirror"


@pytest.mark.parametrize("stage", ["30%"], indirect=True)
def test_a_share_of_the_readers_is_mirrored_each_whole(stage: Stage) -> None:
    for reader in range(40):
        for page in range(2):
            stage.ask(f"/{reader}/{page}", agent=f"reader {reader}")
    until(lambda: len(stage.target.asked) >= 2)
    time.sleep(0.3)  # for one that would come too much

    chosen = {path.split("/")[1] for path in stage.target.paths()}
    assert len(stage.site.asked) == 80
    assert 2 <= len(chosen) <= 30
    assert len(stage.target.asked) == 2 * len(chosen)


def test_a_slow_target_makes_no_answer_late_and_holds_a_kept_connection_no_longer_than_it_may(stage: Stage) -> None:
    stage.target.open.clear()
    connection = stage.connect()

    connection.request("GET", "/a")
    first = connection.getresponse().read()
    connection.request("GET", "/b")
    second = connection.getresponse().read()

    assert (first, second) == (b"site", b"site")  # though the target has answered nothing yet
    assert not stage.target.open.is_set()


def test_a_target_that_is_away_is_not_noticed(stage: Stage) -> None:
    stage.target.shutdown()
    stage.target.server_close()

    assert [stage.ask(f"/{number}") for number in range(5)] == [b"site"] * 5
