"""A record becomes a Locust test that runs by itself, on one process or with a master and workers."""

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import socket

import pytest

from replay import locust
from replay.nullserver import Lies, nullserver
from replay.plaza import Plaza
from replay.records import Answer, Made, Request
from replay.sites import AnySite
from settings import ROOT
from tests.harness.flat import flat
from tests.replay.serving import OK, serving

LOCUST = [sys.executable, "-m", "locust"]


def recorded() -> list[Request]:
    """Two sessions: each reads, writes what gets an id, and reads that; the second names a cookie that nobody tells."""
    found = []
    for at, session in enumerate(("anna", "bert")):
        made = (Made("post", f"{{{{post:{at}}}}}", "/replay_target"),)
        cookie = (("cookie", "lang=en" if session == "anna" else "sid={{cookie:secret}}"),)
        body = b'{"text": "\xe4\xbd\xa0 \\\\1 \'"}\x00\xff'
        for k, (method, target, answer) in enumerate([
            ("GET", "/posts/7-a?q=1", Answer(200, 2_000)), ("POST", "/posts", Answer(200, 1_000, made=made)),
            ("GET", f"/posts/{{{{post:{at}}}}}", Answer(200, 1_000)), ("GET", "/gone", Answer(404, 1_000)),
        ]):  # fmt: skip
            headers = cookie if k == 3 else (("accept", "*/*"), ("host", "example.org"))
            found.append(
                Request(4 * at + k, 1000 * at + 52_000 * k, session, k, method, target, answer, headers=headers,
                        body=body if method == "POST" else b"")
            )  # fmt: skip
    return found


def exported(folder: Path, *, writes: bool = True) -> Path:
    path = folder / "locustfile.py"
    sessions = locust.spread(locust.sessions_of(recorded(), AnySite(), writes=writes), 10)
    path.write_text(locust.written(sessions, AnySite(), writes=writes, speed=1.0))
    return path


def environment() -> Mapping[str, str]:
    """As a stranger has it: nothing of ours can be imported."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def ran(folder: Path, *options: str, timeout: float = 120) -> "subprocess.CompletedProcess[str]":
    line = [*LOCUST, "-f", "locustfile.py", "--headless", "--json", *options]
    return subprocess.run(
        line, cwd=folder, env=environment(), capture_output=True, text=True, timeout=timeout, check=False
    )


def counts(said: str) -> dict[str, tuple[int, int]]:
    """Requests and failures by name."""
    return {one["name"]: (one["num_requests"], one["num_failures"]) for one in json.loads(said[said.index("[") :])}


def test_pauses_are_from_the_end_of_what_came_before_and_what_the_client_makes_is_left_out() -> None:
    anna = locust.sessions_of(recorded(), AnySite(), writes=True)["anna"]

    assert [step[0] for step in anna] == [0.0, 0.05, 0.051, 0.051]
    assert [step[3] for step in anna] == ["GET /posts/<n>-<slug>", "POST /posts", "GET /posts/<n>", "GET /gone"]
    assert anna[0][5] == [["accept", "*/*"]]
    assert anna[1][7] == [["{{post:0}}", "/replay_target"]]


def test_without_writes_only_what_reads_is_there() -> None:
    found = locust.sessions_of(recorded(), AnySite(), writes=False)

    assert {step[1] for session in found.values() for step in session} == {"GET"}


def test_few_of_many_sessions_are_taken_over_the_whole_time() -> None:
    many = {str(at): [[at]] for at in range(100)}

    assert locust.spread(many, 4) == [[[0]], [[25]], [[50]], [[75]]]
    assert len(locust.spread(many, 200)) == 100


def test_a_user_plays_sessions_with_what_answers_made(tmp_path: Path) -> None:
    exported(tmp_path)
    with nullserver() as port:
        done = ran(tmp_path, "--host", f"http://127.0.0.1:{port}", "-u", "2", "-r", "2", "-t", "3s")
    found = counts(done.stdout)

    assert found["GET /posts/<n>-<slug>"][0] > 2
    assert found["GET /posts/<n>"][0] > 2  # its id was told by the answer to the POST
    assert found["GET /posts/<n>"][1] == 0
    asked, failed = found["GET /gone"]  # here it is 200, recorded was 404
    assert asked == failed > 0
    assert "200 in place of 404" in done.stderr + done.stdout
    assert "were left out" in done.stderr  # nobody told what {{cookie:secret}} is


def command(*words: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "commands", "replay", "export", "locust", *words]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_writes_what_is_recorded_as_python(tmp_path: Path) -> None:
    record, out = flat(tmp_path / "flat.rec.jsonl.gz", rate=100, seconds=1, sessions=10), tmp_path / "locustfile.py"

    done = command(str(record), "--out", str(out), "--sessions", "4", "--speed", "2.5")

    assert done.returncode == 0
    assert "40 requests of 4 of 10 sessions" in done.stdout
    text = out.read_text()
    compile(text, str(out), "exec")
    assert "SPEED = 2.5 " in text
    assert text.count("'GET', '/'") == 40


def test_the_command_says_in_a_line_what_it_cannot_write(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=10, seconds=1)
    (tmp_path / "none.gz").write_text("no record")

    for words, said in (
        ((str(record), "--out", str(tmp_path / "no" / "x.py")), "could not be written"),
        ((str(tmp_path / "none.gz"), "--out", str(tmp_path / "x.py")), "is no record file"),
    ):
        done = command(*words)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_values_stand_in_for_placeholders(tmp_path: Path) -> None:
    exported(tmp_path)
    (tmp_path / "values.json").write_text(json.dumps({"{{cookie:secret}}": "s"}))
    with nullserver() as port:
        host = f"http://127.0.0.1:{port}"
        done = ran(tmp_path, "--host", host, "-u", "2", "-r", "2", "-t", "3s", "--values", "values.json")

    assert counts(done.stdout)["GET /gone"][0] > 2
    assert "were left out" not in done.stderr


async def test_a_cookie_has_the_name_that_the_target_gave_it(tmp_path: Path, tls: ssl.SSLContext) -> None:
    """Recorded under http, sent to https: from a prepared session to the one that the target makes."""
    cookie, made = (("cookie", "plaza={{cookie:1}}"),), (Made("cookie", "{{cookie:2}}", "cookie:plaza"),)
    steps = [("/signin", cookie, made), ("/account", cookie, ()), ("/{{cookie:2}}", (), ())]
    requests = [
        Request(k, k, "anna", k, "GET", target, Answer(200, 1, made=made), headers=headers)
        for k, (target, headers, made) in enumerate(steps)
    ]
    found = locust.sessions_of(requests, Plaza(), writes=False)
    (tmp_path / "locustfile.py").write_text(locust.written(list(found.values()), Plaza(), writes=False, speed=1.0))
    (tmp_path / "values.json").write_text(json.dumps({"{{cookie:1}}": "prepared"}))
    given = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: __Host-plaza=new; Path=/; Secure\r\n\r\n")
    async with serving(lambda asked: given if asked.target == "/signin" else OK, tls) as served:
        host = f"https://localhost:{served.port}"
        done = await asyncio.to_thread(ran, tmp_path, "--host", host, "-u", "1", "-t", "3s", "--values", "values.json")

        asked = [(one.target, one.headers.get("cookie")) for one in served.asked[:3]]
    assert asked == [
        ("/signin", "__Host-plaza=prepared"),
        ("/account", "__Host-plaza=new"),
        ("/new", "__Host-plaza=new"),
    ], done.stderr


def test_a_target_that_does_not_say_that_it_is_one_gets_nothing(tmp_path: Path) -> None:
    exported(tmp_path)
    with nullserver(Lies(status=404)) as port:
        done = ran(tmp_path, "--host", f"http://127.0.0.1:{port}", "-u", "1", "-t", "2s")

    assert done.returncode == 3
    assert "is no replay target" in done.stderr


@pytest.fixture
def free_port() -> int:
    with socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@contextmanager
def process(line: list[str], folder: Path) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(line, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True) as one:
        try:
            yield one
        finally:
            one.kill()


@pytest.mark.long
def test_a_master_and_two_workers_send_it_together(tmp_path: Path, free_port: int) -> None:
    exported(tmp_path)
    there = ["--master-port", str(free_port)]
    worker = [*LOCUST, "-f", "locustfile.py", "--worker", "--master-host", "127.0.0.1", *there]
    with nullserver() as port, ExitStack() as stack:
        crew = [stack.enter_context(process(worker, tmp_path)) for _ in range(2)]
        done = ran(
            tmp_path, "--master", "--master-bind-port", str(free_port), "--expect-workers", "2", "--host",
            f"http://127.0.0.1:{port}", "-u", "6", "-r", "6", "-t", "5s",
        )  # fmt: skip
        ended = [one.communicate(timeout=60) for one in crew]

    found = counts(done.stdout)
    assert found["GET /posts/<n>"][0] > 10
    assert found["GET /posts/<n>"][1] == 0
    assert [one.returncode for one in crew] == [0, 0], ended
