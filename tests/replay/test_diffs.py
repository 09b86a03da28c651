"""What `run --diff` says when it could not compare: neither that all is equal nor that something differs."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from commands.replaying.diffs import Diff
from replay import results, workers
from replay.hearing import Hearing
from replay.measuring import Measure
from replay.nullserver import nullserver
from replay.running import Options
from replay.targets import Target
from replay.workers import Done
from settings import ROOT
from tests.harness.descendants import children, until
from tests.harness.flat import flat, line
from tests.replay.going import target_of
from tests.replay.recordings import planned, request
from tests.replay.small_site import small_site

PATIENCE = 120
RECORDED = [request(i, i * 5, f"/{i}", session=f"s{i}") for i in range(10)]
GONE = target_of("http://127.0.0.1:9")


def answer(path: str) -> tuple[int, str, str]:
    return 200, "text/html", "<p>hello</p>"


def diff(target: str, baseline: str = "", max_open: int = 100) -> Diff:
    """Without a baseline, with what was recorded."""
    options = Options("run-1", timeout=30.0, max_open=max_open)
    return Diff(planned(*RECORDED), target_of(target), target_of(baseline) if baseline else None, options, 1, RECORDED)


def measured(one: Diff) -> Done:
    return workers.run(one.plan, one.target, one.options, listener=Hearing)


def test_whole_passes_are_compared() -> None:
    with small_site(answer) as a, small_site(answer) as b:
        one = diff(b.url, a.url)

        assert one.first()
        assert one.rest(measured(one)) == []
    assert (one.missing, len(a.asked), len(b.asked)) == ("", 20, 20)


@pytest.mark.parametrize(
    "lost", ["this machine cannot send 9/s on time: it is late", "worker 1 of 1 ended before its time"]
)
def test_after_a_run_that_was_not_made_or_is_lost_no_pass_is_made(lost: str) -> None:
    done = Done(Measure(), lost=[lost])
    with small_site(answer) as a, small_site(answer) as b:
        one, known = diff(b.url, a.url), diff(b.url)
        one.first()
        known.first()

        assert (one.rest(done), known.rest(done)) == ([], [])
    assert one.missing == known.missing == f"the measured run cannot be used: {lost}"
    assert (len(a.asked), len(b.asked)) == (10, 0)


def passes(one: Diff, **gone: Target) -> str:
    """What is said where from the measured run on these sites are others."""
    one.first()
    done = measured(one)
    for name, site in gone.items():
        setattr(one, name, site)
    assert one.rest(done) == []
    return one.missing


def test_a_site_that_goes_away_has_not_answered_alike() -> None:
    with small_site(answer) as a, small_site(answer) as b:
        first = diff(b.url, GONE.url)
        assert not first.first()

        assert first.missing.startswith(f"pass 1 of 4, to {GONE.url}, cannot be used: the target is gone")
        assert passes(diff(b.url, a.url), target=GONE).startswith("pass 3 of 4, ")
        assert passes(diff(b.url, a.url), baseline=GONE).startswith("pass 4 of 4, ")
        assert passes(diff(b.url), target=GONE).startswith("pass 2 of 2, ")


def test_what_this_machine_did_not_send_is_not_called_unanswered() -> None:
    def slow(path: str) -> tuple[int, str, str]:
        time.sleep(0.2)
        return answer(path)

    with small_site(slow) as a:
        one = diff(a.url, a.url, max_open=1)

        assert not one.first()
    assert "requests were not sent, for all connections that --max-open allows were in use" in one.missing


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes by /proc")
def test_where_a_worker_of_the_last_pass_is_killed_nothing_was_compared_and_that_is_status_4(tmp_path: Path) -> None:
    record = flat(tmp_path / "flat.rec.jsonl.gz", rate=40, seconds=2)
    seen: set[int] = set()

    def there_were(number: int) -> bool:
        seen.update(children(process.pid))  # each pass has a worker of its own
        return len(seen) == number

    with nullserver() as port:
        typed = line(record, port, out := tmp_path / "run.json", "--diff")
        with subprocess.Popen(typed, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            until(lambda: there_were(2))
            os.kill(max(seen), signal.SIGKILL)
            said, wrong = process.communicate(timeout=PATIENCE)

    assert process.returncode == 4, said
    assert "Traceback" not in wrong
    assert "answers were not compared: pass 2 of 2" in said
    assert "no answer differs" not in said
    assert "killed by signal 9" in results.read(out).plan["not_compared"]


def test_a_run_that_cannot_be_made_asks_neither_site_and_is_status_4(tmp_path: Path) -> None:
    record, out = flat(tmp_path / "flat.rec.jsonl.gz", rate=5000, seconds=1), tmp_path / "run.json"
    with small_site(answer) as a, small_site(answer) as b:
        typed = line(record, b.server_port, out, "--pace", "rate=100000", "--diff", a.url)
        typed.remove("--no-selfcheck")
        done = subprocess.run(typed, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)

    assert done.returncode == 4, done.stdout + done.stderr
    assert "answers were not compared: the measured run cannot be used: this machine cannot send" in done.stdout
    assert set(a.asked) | set(b.asked) <= {"/.well-known/replay-target"}
