"""What is seen while a run is under way, with a terminal and without."""

import io

import pytest
from rich.console import Console

from replay.progress import Glimpse, Progress, glimpse_of, spark


def glimpse(done: int = 10, failed: int = 0, us: int = 2000) -> Glimpse:
    made = Glimpse(offered=done, sent=done, done=done, failed=failed, backlog=3, open=2)
    for _ in range(done):
        made.response.add(us)
        made.lag.add(100)
    return made


def test_glimpses_are_added_and_pass_through_json() -> None:
    both = glimpse(done=10)

    both.add(glimpse_of(glimpse(done=20, failed=1).as_json()))

    assert (both.offered, both.done, both.failed, both.backlog, both.response.n) == (30, 30, 1, 6, 30)


def test_nobody_watching_gets_one_calm_line_for_all_that_was_since_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("replay.progress.time.monotonic", lambda: now[0])
    console = Console(file=io.StringIO(), width=200, soft_wrap=True)
    seen = Progress(console, "a run", 60.0)

    with seen.shown():
        for _ in range(41):
            now[0] += 0.5
            seen.tell(glimpse(done=10, failed=1))

    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert lines[0].startswith("   10 s  20/s offered, 20/s done, 20 failed, p50 2.0")
    assert "3 waiting to be sent, 2 open" in lines[1]


def test_a_terminal_sees_rates_percentiles_and_a_curve_that_are_gone_at_the_end() -> None:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True)
    seen = Progress(console, "a run", 60.0)

    with seen.shown():
        seen.tell(glimpse(us=1000))
        seen.tell(glimpse(us=8000))
    shown = out.getvalue()

    for word in ("a run", "offered", "lag p99", "waiting", "failed", "of 1:00", "▁█" if "▁█" in shown else "▂█"):
        assert word in shown
    assert "\x1b[2K" in shown.rpartition("█")[2]  # the lines are cleared


def test_a_curve_goes_from_nothing_to_its_highest() -> None:
    assert spark([]) == ""
    assert spark([0.0, 0.0]) == ""
    assert spark([0.0, 50.0, 100.0]) == "▁▅█  up to 100.0 ms"
