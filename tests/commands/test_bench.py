"""`plaza bench`: it runs, says what it measured, and leaves nothing. No figure is judged here."""

import json
from pathlib import Path

import pytest

from commands.bench import judge
from commands.benchmarks import bulk, texts, verdicts
from commands.benchmarks.catalogue import benchmarks
from commands.benchmarks.lanes import Benchmark, Figure, Lane, Result, Sample, Subject, runs, take_turns
from commands.benchmarks.report import Facts
from models import Models
from models.check import check
from models.check_boards import check_boards
from settings import Settings
from tests.commands.instances import Instance

LANES = {"nginx", "miss", "static", "web", "redis", "bare"}
NAMES = ["front", "post", "api", "trips", "cold", "rows", "writes", "herd", "boards", "polls", "memory",
         "edge-front", "edge-post", "edge-levels", "edge-mix"]  # fmt: skip


@pytest.mark.long
def test_bench_measures_every_lane_and_leaves_nothing(fresh: Instance, tmp_path: Path) -> None:
    # A database that does not exist, and a folder of their own for temporary files: neither may matter, or be left full.
    fresh.environment |= {"PLAZA_MYSQL_URL": "mysql://nobody@127.0.0.1:1/none", "TMPDIR": str(tmp_path)}
    file = fresh.var.parent / "bench.json"

    names = ("front", "cold", "rows", "writes", "herd", "boards", "polls", "memory", "edge-front", "edge-levels")
    arguments = (
        "--rounds",
        "1",
        "--seconds",
        "0.5",
        "--load",
        "12",
        "--keys",
        "3000",
        "--members",
        "200",
        "--json",
        str(file),
        *names,
    )
    done = fresh.plaza("bench", *arguments, timeout=240)

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(file.read_text())
    assert (told["rounds"], told["seconds"], told["posts"]) == (1, 0.5, 12)
    assert {"commit", "cores", "cpu", "python", "tornado", "nginx", "mariadb", "redis"} <= set(told["facts"])
    front = told["benchmarks"]["front"]
    assert set(told["benchmarks"]) == set(names)
    assert set(front["lanes"]) == LANES
    assert front["lanes"]["web"]["against"] == "bare"
    assert front["lanes"]["web"]["ratio"] > 0
    assert [set(one) for one in front["rounds"]] == [LANES]
    for sample in front["rounds"][0].values():
        assert set(sample) == {"rate", "requests", "p50", "p99", "slowest", "cpu", "failed"}
        assert sample["requests"] > 0
        assert sample["failed"] == {}
    found = {name: told["benchmarks"][name]["found"][0] for name in names[1:]}
    assert found["cold"]["statements"] == len(told["benchmarks"]["cold"]["statements"]) > 0
    assert found["rows"]["trip"] > found["rows"]["Post"] > 0
    assert found["writes"]["trips"] > 0
    assert found["herd"]["selects"] >= 1
    assert found["polls"]["p99"] >= found["polls"]["p50"] > 0
    assert found["memory"]["full"] > 10
    assert found["edge-front"]["missed"] == 0
    assert {"static", "visitor", "member", "plain"} < set(told["benchmarks"]["edge-front"]["lanes"])
    assert found["edge-levels"]["mysql"] > found["edge-levels"]["hit"] > 0
    assert {one["benchmark"] for one in told["targets"]} >= {"Front page", "Rows", "Writes", "A herd"}
    assert not list(tmp_path.iterdir())
    assert not (fresh.var / "etc").exists()


@pytest.mark.long
def test_two_loads_are_compared_in_turn(fresh: Instance) -> None:
    arguments = ("--rounds", "1", "--seconds", "0.3", "--compare-loads", "10", "400", "api", "cold", "--markdown")

    done = fresh.plaza("bench", *arguments, timeout=180)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "| 10 posts |" in done.stdout
    assert "| 400 posts |" in done.stdout
    assert "SQL statements of the front page, against 10 posts | 1 ×" in done.stdout


def test_names_are_listed_and_a_wrong_one_is_refused(fresh: Instance) -> None:
    listed = fresh.plaza("bench", "--list")
    refused = fresh.plaza("bench", "frnot")

    assert [line.split()[0] for line in listed.stdout.splitlines()] == NAMES
    assert refused.returncode == 1
    assert f"no benchmark is named frnot; there are: {', '.join(NAMES)}" in refused.stderr


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


def test_a_name_before_a_dash_is_that_of_all_that_begin_so() -> None:
    called = [one.name for one in benchmarks().values() if "edge" in one.names]

    assert called == NAMES[-4:]
    assert [one.name for one in benchmarks().values() if "front" in one.names] == ["front"]


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


def result(*, least: float | None = None, most: float | None = None, worst: bool = False) -> Result:
    """A lane that is 0.6 times as fast as its yardstick, and a figure that was 3, 5 and 40."""

    def measure(seconds: float) -> Sample:
        raise NotImplementedError

    lanes = (Lane("mine", "mine", measure, against="other", least=least), Lane("other", "other", measure))
    rounds = [{"mine": Sample(60.0, 1, 1.0, 2.0, 3.0), "other": Sample(100.0, 1, 1.0, 2.0, 3.0)}] * 3
    subject = Subject("", {}, lanes, (Figure("n", "a number", "µs", most=most, worst=worst),))
    return Result(
        Benchmark("b", "B", lambda laboratory: subject), subject, rounds, [{"n": 5.0}, {"n": 3.0}, {"n": 40.0}]
    )


def test_targets_are_met_or_not() -> None:
    met = list(verdicts.of(result(least=0.6, most=5)))
    missed = list(verdicts.of(result(least=0.61, most=5, worst=True)))

    assert [(one.bound, one.words) for one in met] == [("≥ 0.60", "✓ met"), ("≤ 5 µs", "✓ met")]
    assert [(one.bound, one.words) for one in missed] == [("≥ 0.61", "✗ not met"), ("≤ 5 µs", "✗ not met")]
    assert missed[1].value == 40
    assert list(verdicts.of(result())) == []


def test_a_figure_may_have_a_lower_bound() -> None:
    one = result()
    for least, words in ((5.0, "✓ met"), (5.1, "✗ not met")):
        figure = Figure("n", "a number", "×", least=least)
        judged = Result(one.benchmark, Subject("", {}, (), (figure,)), [], one.found)

        assert [(verdict.bound, verdict.words) for verdict in verdicts.of(judged)] == [(f"≥ {least:.2f} ×", words)]


def test_a_missed_target_is_said_and_ends_with_1_only_when_that_is_wished() -> None:
    quiet: Facts = {"load_before": 0.0, "cores": 2}

    judge([result(most=4)], quiet)
    judge([result(most=5)], quiet, strict=True)
    with pytest.raises(SystemExit) as ended:
        judge([result(most=4)], quiet, strict=True)

    assert ended.value.code == 1


def test_probes_take_turns_with_lanes_and_one_that_takes_long_is_asked_once() -> None:
    calls: list[str] = []

    def measure(seconds: float) -> Sample:
        calls.append("lane")
        return Sample(1.0, 1, 1.0, 1.0, 1.0)

    def probe(name: str) -> Subject:
        def found() -> dict[str, float]:
            calls.append(name)
            return {"n": 1.0}

        return Subject(name, {}, figures=(Figure("n", "a number"),), probe=found, once=name == "once")

    lane = Subject("", {}, (Lane("lane", "lane", measure),))
    subjects = [(Benchmark("", "", lambda room, subject=subject: subject), subject)  # type: ignore[misc]
                for subject in (lane, probe("each"), probe("once"))]  # fmt: skip
    heard: list[str | None] = []

    take_turns(subjects, 2, 0.1, lambda number, benchmark, what, found: heard.append(found))

    assert calls == ["lane", "lane", "each", "once", "lane", "each"]
    assert sum(found is not None for found in heard) == sum(runs(subject, 2) for _, subject in subjects) == 6


async def test_posts_made_in_bulk_are_what_the_models_would_have_left(settings: Settings, models: Models) -> None:
    people = [await models.users.import_author(f"{name} Bench") for name in texts.NAMES]
    told: list[str] = []

    bulk.fill(settings, 1200, people, lambda what, done, of: told.append(what))

    assert await check(models.db) == []
    assert await models.indexing.check() == []
    assert await check_boards(models.boards, models.standings) == []
    assert await models.indexing.index() == 0  # search knows every row
    page = await models.posts.front(1)
    assert (page.item_count, [post.id for post in page.items]) == (1200, list(range(1200, 1190, -1)))
    assert (await models.comments.newest(1)).item_count == 300
    assert not await models.db.fetch("SHOW TABLES LIKE 'bench%%'")
    assert told


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
