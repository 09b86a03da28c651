"""`plaza replay ab` and `run --diff` against two small sites, one of which is slower in one route, or answers otherwise."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from commands.replaying import ab
from replay.records import Answer, Header, Request
from replay.rounds import Turns, read
from replay.writing import writing
from settings import ROOT
from tests.replay.small_site import Answer as Told
from tests.replay.small_site import Answering, small_site

ADDRESSES = ("/", "/blog/1-a", "/blog/2-b", "/about")
START = (
    sys.executable, "-c",
    f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); runpy.run_module('commands', run_name='__main__')", "replay",
)  # fmt: skip
PATIENCE = 300  # s; each run is a process of its own


def site(slow: float = 0.0, text: str = "Plaza") -> Answering:
    """In `/blog` it takes so many seconds longer; `text` is what it says on `/about`."""

    def answer(path: str) -> Told:
        if path.startswith("/blog"):
            time.sleep(slow)
        return 200, "text/html", f"<p>{text if path == '/about' else 'hello'}</p><p>{time.time()}</p>"

    return answer


@pytest.fixture
def record(tmp_path: Path) -> Callable[[int, float], Path]:
    """A file of so many requests in so many seconds."""

    def write(count: int, seconds: float) -> Path:
        path = tmp_path / "f.rec.jsonl.gz"
        with writing(path, Header("", 0, 0, "")) as writer:
            for i in range(count):
                t_us = int(i * seconds / count * 1_000_000)
                target = ADDRESSES[i % len(ADDRESSES)]
                writer.add(Request(i, t_us, f"s{i % 8}", i // 8, "GET", target, Answer(200, 1000)))
        return path

    return write


def plaza(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """As it is called in a shell, in another folder than that of the program."""
    return subprocess.run(
        [*START, *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_both_have_their_turns_and_every_run_is_kept(tmp_path: Path, record: Callable[[int, float], Path]) -> None:
    """In two rounds nothing can be shown, and that is said, with how many it takes."""
    with small_site(site()) as a, small_site(site()) as b:
        done = plaza(
            tmp_path, "ab", record(40, 0.4).name, "--a", a.url, "--b", b.url, "--rounds", 2, "--no-warm-up", "--invalid-too",
            "--no-selfcheck", "--seed", 7,
        )  # fmt: skip
        asked = len(a.asked), len(b.asked)

    assert done.returncode == 0, done.stdout + done.stderr
    turns = read(tmp_path / "ab.json")
    assert isinstance(turns, Turns)
    assert turns.order == "ABBA"
    assert [run.plan["target"] for run in turns.runs] == [a.url, b.url, b.url, a.url]
    assert {run.plan["seed"] for run in turns.runs} == {7}
    assert asked[0] >= 2 * 40 <= asked[1]
    assert turns.comparison
    assert turns.comparison["verdict"] == "not enough power"
    assert "rounds would tell" in " ".join(done.stdout.split())


def test_what_cannot_be_compared_ends_at_once(tmp_path: Path, record: Callable[[int, float], Path]) -> None:
    file = record(8, 0.1)
    with small_site(site()) as a:
        gone = plaza(tmp_path, "ab", file, "--a", a.url, "--b", "http://127.0.0.1:1", "--rounds", 2, "--no-selfcheck")
        wrong = plaza(tmp_path, "ab", file, "--a", a.url, "--b", a.url, "--pace", "nonsense")
        ours = plaza(tmp_path, "ab", file, "--a", a.url, "--b", a.url, "--out=x.json", "--target", a.url)

    assert gone.returncode == 3
    assert "nothing listens there" in gone.stderr
    assert wrong.returncode == 2
    assert (ours.returncode, "`ab` gives this" in ours.stderr) == (2, True)


@pytest.mark.parametrize(("words", "why"), [
    (("--out", "there"), "is there already; --force"), (("--out", "no/ab.json"), "there is no folder"),
    (("--out", "link", "--force"), "is no regular file"),
])  # fmt: skip
def test_where_nothing_can_be_kept_nothing_is_measured(
    tmp_path: Path,
    record: Callable[[int, float], Path],
    words: tuple[str, ...],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there").write_text("mine")
    Path("link").symlink_to("there")
    with small_site(site()) as a:
        done = CliRunner().invoke(ab.command, [str(record(8, 0.1)), "--a", a.url, "--b", a.url, *words])
        assert a.asked == []

    assert (done.exit_code, why in done.output) == (2, True), done.output
    assert (Path("link").is_symlink(), Path("there").read_text()) == (True, "mine")


def children(process: "subprocess.Popen[str]") -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@contextmanager
def ab_that_waits(folder: Path, file: Path) -> Iterator[tuple["subprocess.Popen[str]", list[int]]]:
    """An `ab` whose first run has asked the site, which does not answer until the block is over; and the process of that run."""
    asked, free = threading.Event(), threading.Event()

    def answer(path: str) -> Told:
        asked.set()
        free.wait(PATIENCE)
        return 200, "text/html", ""

    with small_site(answer) as a:
        command = [
            *START,
            "ab",
            str(file),
            "--a",
            a.url,
            "--b",
            a.url,
            "--no-warm-up",
            "--no-selfcheck",
            "--timeout",
            "1h",
        ]
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert asked.wait(PATIENCE)
                yield process, children(process)
            finally:
                free.set()
                if process.poll() is None:
                    process.kill()


@pytest.mark.parametrize(("to_the_run", "sent", "status", "said"), [
    (True, signal.SIGKILL, 4, "it was killed by signal 9"),  # and not 1, by which a commit would be called a bad one
    (False, signal.SIGINT, 130, "interrupted"),
])  # fmt: skip
def test_who_is_killed_has_said_nothing_of_b(
    tmp_path: Path, record: Callable[[int, float], Path], to_the_run: bool, sent: int, status: int, said: str
) -> None:
    with ab_that_waits(tmp_path, record(8, 0.1)) as (process, (run,)):
        os.kill(run if to_the_run else process.pid, sent)
        _, wrong = process.communicate(timeout=PATIENCE)

    assert (process.returncode, said in wrong) == (status, True), wrong
    assert not Path(f"/proc/{run}").exists()


def test_a_result_that_cannot_be_written_says_nothing_of_b(
    tmp_path: Path, record: Callable[[int, float], Path]
) -> None:
    file, folder = record(8, 0.1), tmp_path / "folder"
    folder.mkdir()

    def answer(path: str) -> Told:
        shutil.rmtree(folder, ignore_errors=True)
        return 200, "text/html", ""

    with small_site(answer) as a:
        done = plaza(
            tmp_path, "ab", file, "--a", a.url, "--b", a.url, "--no-warm-up", "--no-selfcheck", "--invalid-too", "--out",
            folder / "ab.json",
        )  # fmt: skip

    assert (done.returncode, "cannot write" in done.stderr) == (4, True), done.stderr


@pytest.mark.long
def test_the_slower_site_and_its_route_are_named(tmp_path: Path, record: Callable[[int, float], Path]) -> None:
    """Half a hundredth of a second in one route, in eight rounds; on a machine that is busy with other tests too."""
    with small_site(site()) as a, small_site(site(0.005)) as b:
        done = plaza(
            tmp_path, "ab", record(400, 4), "--a", a.url, "--b", b.url, "--invalid-too", "--no-selfcheck", "--out", "found.json"
        )  # fmt: skip

    assert done.returncode == 1, done.stdout + done.stderr
    turns = read(tmp_path / "found.json")
    assert isinstance(turns, Turns)
    assert turns.comparison
    assert turns.comparison["verdict"] == "slower"
    assert f"B ({b.url}) is slower" in turns.comparison["sentence"]
    slower = {row["route"] for row in turns.comparison["rows"] if row["word"] == "slower"}
    assert "GET /blog/<n>-<slug>" in slower
    assert not slower & {"GET /", "GET /about"}


def test_answers_that_differ_are_found_and_what_differs_by_itself_is_not(
    tmp_path: Path, record: Callable[[int, float], Path]
) -> None:
    file, out, page = record(40, 0.4), tmp_path / "run.json", tmp_path / "run.html"
    with small_site(site()) as a, small_site(site()) as same, small_site(site(text="Piazza")) as other:
        differ = plaza(
            tmp_path,
            "run",
            file,
            "--target",
            other.url,
            "--no-selfcheck",
            "--out",
            out,
            "--html",
            page,
            "--diff",
            a.url,
        )
        alike = plaza(tmp_path, "run", file, "--target", same.url, "--no-selfcheck", "--diff", a.url)

    assert differ.returncode == 5, differ.stdout + differ.stderr
    (found,) = json.loads(out.read_text())["differences"]
    assert found == {
        "route": "GET /about",
        "what": "body text",
        "share": 1.0,
        "noise": 0.0,
        "expected": "Plaza",
        "found": "Piazza",
    }
    assert "Piazza" in page.read_text()
    assert [one.stat().st_mode & 0o077 for one in (out, page)] == [0, 0]
    assert alike.returncode in (0, 4), alike.stdout + alike.stderr  # 4: this machine was late, whatever the answers
    assert "no answer differs" in alike.stdout


def test_answers_are_compared_with_what_was_recorded(tmp_path: Path, record: Callable[[int, float], Path]) -> None:
    def gone(path: str) -> Told:
        return (404, "text/html", "no") if path == "/about" else (200, "text/html", f"{time.time()}")

    with small_site(gone) as a:
        done = plaza(tmp_path, "run", record(40, 0.4), "--target", a.url, "--no-selfcheck", "--diff")

    assert done.returncode == 5, done.stdout + done.stderr
    assert "GET /about, status" in done.stdout
    assert "1 fields of answers differ from what was recorded" in done.stdout
