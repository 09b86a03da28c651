"""`plaza replay run` as it is typed: what it says, what it writes, and the status with which it ends."""

import asyncio
import gzip
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from replay import results
from replay.nullserver import Lies, nullserver
from replay.paces import HIDES
from replay.records import Header, Request
from replay.results import Run
from replay.writing import writing
from settings import ROOT
from tests.harness.crowd import until
from tests.replay.recordings import request
from tests.replay.serving import Served, serving

PATIENCE = 120
TRIES = 3
SLOW = Lies(delay_ms=800)  # a twentieth of that late is a machine that is very busy
HEADER = Header("abc", 0, 0, "http://old.example", source="combined")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with nullserver(SLOW) as port:
        yield port


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return written(
        tmp_path / "some.rec.jsonl.gz", [request(i, i * 10, f"/posts/{i % 3}", session=f"s{i}") for i in range(50)]
    )


def written(path: Path, requests: list[Request]) -> Path:
    with writing(path, HEADER) as writer:
        for one in requests:
            writer.add(one)
    return path


def command(record: Path, url: str | int, *options: str, checks: bool = False) -> list[str]:
    target = url if isinstance(url, str) else f"http://127.0.0.1:{url}"
    checked = [] if checks else ["--no-selfcheck"]
    return [sys.executable, "-m", "commands", "replay", "run", str(record), "--target", target, *checked, *options]


def ran(record: Path, url: str | int, *options: str, checks: bool = False) -> tuple[int, str]:
    done = subprocess.run(
        command(record, url, *options, checks=checks),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    return done.returncode, said


def judged(record: Path, url: str | int, *options: str) -> tuple[int, str]:
    """Asked again where this machine was too busy to send on time, which it says, as it should."""
    for _ in range(TRIES - 1):
        status, said = ran(record, url, *options)
        if status != 4:
            return status, said
    return ran(record, url, *options)


@pytest.mark.parametrize("pace", ["closed=5", "session"])
def test_what_a_closed_loop_hides_is_told_with_its_figures(record: Path, port: int, tmp_path: Path, pace: str) -> None:
    _, said = judged(record, port, "--pace", pace, "--sessions", "10")

    assert (HIDES in " ".join(said.split())) is (pace == "closed=5"), said


def test_a_pass_is_told_and_written(record: Path, port: int, tmp_path: Path) -> None:
    out, page = tmp_path / "run.json", tmp_path / "run.html"
    status, said = judged(record, port, "--slo", "p50<30s,errors<=0%", "--out", str(out), "--html", str(page))
    run = results.read(out)

    assert (status, run.verdict) == (0, "pass"), said
    assert (run.offered, run.sent, run.completed, run.outcomes) == (50, 50, 50, {"200": 50})
    assert [(one.text, one.met) for one in run.objectives] == [("p50<30s", True), ("errors<=0%", True)]
    assert [(route.route, route.n) for route in run.routes] == [("GET /posts/<n>", 50)]
    assert (run.response_ms["p50"] or 0) >= 800
    assert run.response_ms["p99"] is None  # of fifty
    assert run.plan["pace"] == "session"
    assert sum(map(sum, run.heat.counts)) == 50 if run.heat else False
    assert "✓ pass" in said
    assert page.read_text().startswith("<!doctype html>")


def test_an_objective_that_is_missed_and_one_of_too_few_samples_are_status_1(record: Path, port: int) -> None:
    status, said = judged(record, port, "--slo", "p50<1ms,p99<30s")

    assert status == 1, said
    assert "p50<1ms was missed: it was 8" in said
    assert "p99<30s was missed: there were too few samples" in said


@pytest.mark.parametrize(("options", "why"), [
    (["--pace", "quick"], "no pace is named quick"), (["--slo", "p98<1ms"], "'p98' is not measured"),
    (["--slo", "p99<1%"], "p99 has the unit ms or s"), (["--slo", "fast"], "'fast' is no objective"),
    (["--only", "("], "'(' is no regular expression"), (["--rewrite", "a"], "is not written as 'pattern=>replacement'"),
    (["--rewrite", r"a=>\2"], "invalid group reference"), (["--duration", "soon"], "'soon' is no duration"),
    (["--stop-on-errors", "200%"], "'200%' is no share"), (["--only", "POST"], "nothing is left to be sent"),
    (["--warmup", "5m"], "leaves nothing to be measured"),
    (["--values", "pyproject.toml"], "is not JSON"), (["--out", "/no/such/folder/run.json"], "there is no folder"),
])  # fmt: skip
def test_wrong_usage_is_status_2_and_names_the_word(options: list[str], why: str, record: Path) -> None:
    status, said = ran(record, "http://127.0.0.1:9", *options)

    assert status == 2
    assert why in " ".join(said.split())


@pytest.mark.parametrize(("url", "status", "why"), [
    ("http://127.0.0.1:9", 3, "nothing listens there"), ("http://no.such.host.invalid", 3, "it has no address"),
    ("localhost:8000", 2, "is no address such as"), ("http://127.0.0.1:9/path", 2, "a target is a whole site"),
])  # fmt: skip
def test_a_target_that_is_none(url: str, status: int, why: str, record: Path) -> None:
    found, said = ran(record, url)

    assert (found, why in said) == (status, True), said


def test_a_site_that_does_not_say_so_may_be_read_from_here_but_not_written_to(record: Path) -> None:
    with nullserver(Lies(status=404, delay_ms=800)) as port:
        reads, _ = judged(record, port)
        writes, said = ran(record, port, "--writes")

    assert (reads, writes) == (0, 3)
    assert "is no replay target" in said


def test_files_that_are_no_records_are_status_2_and_a_cut_one_is_used_and_said(
    record: Path, port: int, tmp_path: Path
) -> None:
    lines = gzip.decompress(record.read_bytes()).splitlines(keepends=True)
    other, cut = tmp_path / "other", tmp_path / "cut"
    other.write_bytes(gzip.compress(lines[0].replace(b"plaza-record/1", b"plaza-record/9")))
    cut.write_bytes(gzip.compress(b"".join(lines[:-10])))

    assert ran(other, port)[0] == 2
    status, said = judged(cut, port)
    assert status == 0, said
    assert "was cut off" in said


def test_what_this_machine_cannot_send_is_invalid_and_no_pretty_number(record: Path, port: int, tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    status, said = ran(record, port, "--pace", "rate=60000", "--out", str(out), checks=True)

    assert status == 4, said
    assert results.read(out).verdict == "invalid"
    assert "this machine cannot send" in said


@asynccontextmanager
async def under_way(record: Path, served: Served, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Until the end of the block it has sent some twenty requests; then it is waited for."""
    typed = command(record, served.url, "--pace", "rate=40", "--duration", "10m", *options)
    going = await asyncio.create_subprocess_exec(*typed, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        await until(lambda: len(served.asked) > 20)
        yield going
        said = (await asyncio.wait_for(going.communicate(), PATIENCE))[0].decode()
        assert "Traceback" not in said, said
    finally:
        if going.returncode is None:
            going.kill()
            await going.wait()


async def test_a_target_that_goes_away_ends_the_run_with_what_was_measured(record: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    async with AsyncExitStack() as site:
        served = await site.enter_async_context(serving())
        async with under_way(record, served, "--out", str(out), "--timeout", "2s") as going:
            await site.aclose()
    run = results.read(out)

    assert going.returncode in (1, 4)  # late too, where the machine was busy
    assert any("the target is gone" in why for why in run.why), run.why
    assert run.completed >= 10
    assert run.outcomes["refused"] > 20
    assert run.offered == sum(run.outcomes.values())


async def test_ctrl_c_ends_it_with_what_was_measured_and_status_130(record: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    async with serving() as served, under_way(record, served, "--out", str(out)) as going:
        going.send_signal(signal.SIGINT)
    run = results.read(out)

    assert (going.returncode, run.verdict) == (130, "interrupted")
    assert run.completed >= 10
    assert run.seconds < 100
    assert run.offered == sum(run.outcomes.values())


@pytest.mark.parametrize("workers", [1, 3])
def test_several_workers_send_the_one_plan(workers: int, tmp_path: Path) -> None:
    record = written(
        tmp_path / "more.rec.jsonl.gz", [request(i, i * 5, f"/{i}", session=f"s{i % 40}") for i in range(200)]
    )
    out = tmp_path / "run.json"
    with nullserver(SLOW) as port:
        _, said = ran(record, port, "--workers", str(workers), "--out", str(out))
    run: Run = results.read(out)

    assert (run.offered, run.sent, run.outcomes) == (200, 200, {"200": 200}), said
    assert len(run.series) <= 6
    assert json.loads(out.read_text())["plan"]["workers"] == workers
