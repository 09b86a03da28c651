"""`plaza bench`: it runs, says what it measured, and leaves nothing. No figure is judged here."""

import json
from pathlib import Path

import pytest

from commands.bench import judge
from commands.benchmarks import texts
from commands.benchmarks.lanes import Benchmark, Lane, Result, Sample, Subject
from tests.commands.instances import Instance

LANES = {"nginx", "static", "web", "bare"}


@pytest.mark.long
def test_bench_measures_every_lane_and_leaves_nothing(fresh: Instance, tmp_path: Path) -> None:
    # A database that does not exist, and a folder of their own for temporary files: neither may matter, or be left full.
    fresh.environment |= {"PLAZA_MYSQL_URL": "mysql://nobody@127.0.0.1:1/none", "TMPDIR": str(tmp_path)}
    file = fresh.var.parent / "bench.json"

    arguments = ("--rounds", "1", "--seconds", "0.5", "--load", "12", "--json", str(file), "front")
    done = fresh.plaza("bench", *arguments, timeout=120)

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(file.read_text())
    assert (told["rounds"], told["seconds"], told["posts"]) == (1, 0.5, 12)
    assert {"commit", "cores", "cpu", "python", "tornado", "nginx", "mariadb", "redis"} <= set(told["facts"])
    front = told["benchmarks"]["front"]
    assert set(told["benchmarks"]) == {"front"}
    assert set(front["lanes"]) == LANES
    assert front["lanes"]["web"]["against"] == "bare"
    assert front["lanes"]["web"]["ratio"] > 0
    assert [set(one) for one in front["rounds"]] == [LANES]
    for sample in front["rounds"][0].values():
        assert set(sample) == {"rate", "requests", "p50", "p99", "slowest", "cpu", "failed"}
        assert sample["requests"] > 0
        assert sample["failed"] == {}
    assert not list(tmp_path.iterdir())
    assert not (fresh.var / "etc").exists()


def test_names_are_listed_and_a_wrong_one_is_refused(fresh: Instance) -> None:
    listed = fresh.plaza("bench", "--list")
    refused = fresh.plaza("bench", "frnot")

    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["front", "post", "api"]
    assert refused.returncode == 1
    assert "no benchmark is named frnot; there are: front, post, api" in refused.stderr


def test_failed_requests_are_named_and_end_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    def measure(seconds: float) -> Sample:
        raise NotImplementedError

    lane = Lane("web", "one web process", measure)
    subject = Subject("", {}, (lane,))
    benchmark = Benchmark("front", "Front page", lambda laboratory: subject)
    fine = Sample(100.0, 100, 1.0, 2.0, 3.0)
    broken = Sample(90.0, 90, 1.0, 2.0, 3.0, failed={"time-outs": 7})

    with pytest.raises(SystemExit) as ended:
        judge([Result(benchmark, subject, [{"web": fine}, {"web": broken}])], {"load_before": 0.0, "cores": 2})

    assert ended.value.code == 1
    assert "Front page, one web process, round 2: 7 time-outs" in capsys.readouterr().err


def test_ratios_are_taken_within_a_round() -> None:
    def sample(rate: float) -> Sample:
        return Sample(rate, 1, 1.0, 1.0, 1.0)

    mine = Lane("mine", "", sample, against="other")
    other = Lane("other", "", sample)
    subject = Subject("", {}, (mine, other))
    rounds = [{"mine": sample(mine), "other": sample(other)} for mine, other in ((50, 100), (20, 25), (60, 100))]

    result = Result(Benchmark("", "", lambda laboratory: subject), subject, rounds)

    assert result.ratio(mine) == 0.6
    assert result.median(mine, lambda one: one.rate) == 50
    assert result.range(mine) == (20, 60)
    assert result.ratio(other) is None


def test_generated_texts_are_the_same_each_time_and_of_many_shapes() -> None:
    posts = list(texts.posts(50))

    assert posts == list(texts.posts(50))
    assert len({post.md for post in posts}) == 50
    assert any("```python" in post.md for post in posts)
    assert any("| --- |" in post.md for post in posts)
    said = [list(texts.comments(number)) for number in range(50)]
    assert [] in said
    assert any(answers is not None for comments in said for _, answers in comments)
    assert all(answers is None or answers < place for comments in said for place, (_, answers) in enumerate(comments))
