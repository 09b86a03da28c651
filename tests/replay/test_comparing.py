"""What two sides of runs say about each other."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from commands.replaying import compare as command
from replay.comparing import ROUTES, compare
from replay.histogram import Histogram
from replay.results import Route, Run, Second
from replay.rounds import Turns, read
from replay.sides import unchanged, unlike

NAMES = ("A", "B")
SEARCH = "GET /search"


def run(
    seed: int, *, search: float = 20.0, verdict: str = "pass", outcomes: dict[str, int] | None = None, routes: int = 3,
    pace: str = "session",
) -> Run:  # fmt: skip
    """A run whose times are 10 ms in all routes but one, and 1 % longer or shorter from run to run."""
    whole, told = Histogram(), []
    for number in range(routes):
        name, typical, of_route = (f"GET /{number}", 10.0, Histogram()) if number else (SEARCH, search, Histogram())
        for place in range(200):
            us = int(typical * 1000 * (1 + (seed * 37 % 11 - 5) / 500) * (0.8 + place / 500))
            of_route.add(us)
            whole.add(us)
        told.append(Route(name, 200, {"200": 200}, {}, of_route.summary(), of_route.summary(), of_route.typical_ms()))
    n = 200 * routes
    series = [
        Second(float(t), 50, 50, 50, 0, 10 + search / 5 + (t * seed) % 7 / 100, None, None, 0, 0) for t in range(32)
    ]
    plan = {"file": "f", "pace": pace, "speed": 1.0}
    return Run(verdict, ["late"] if verdict == "invalid" else [], plan, "2026-11-29T10:00:00+00:00", 32.0, n, n, n, 0,  # type: ignore[arg-type]
               outcomes or {"200": n}, {}, whole.summary(), whole.summary(), {}, {}, {}, told, series,
               histograms={"response": whole.as_json()})  # fmt: skip


A = [run(seed) for seed in range(8)]
SLOWER = [run(seed, search=26.0) for seed in range(10, 18)]


def test_the_slower_route_is_named_and_no_other() -> None:
    made = compare(A, SLOWER, NAMES, paired=True)

    assert made.verdict == "slower"
    assert SEARCH in made.sentence
    assert {row.route for row in made.rows if row.word == "slower"} >= {SEARCH}
    assert {row.route for row in made.rows if row.word == "slower"} <= {SEARCH, ""}
    assert compare(SLOWER, A, NAMES, paired=True).verdict == "faster"


def test_a_against_a_is_no_difference_and_says_what_would_have_been_seen() -> None:
    made = compare(A, [run(seed) for seed in range(20, 28)], NAMES, paired=True)

    assert made.verdict == "no difference shown"
    assert "would have been seen" in made.sentence


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ({"404": 600}, "0.0% were refused (4xx), of B's 100.0%"),
        ({"200": 540, "500": 60}, "0.0% failed, of B's 10.0%"),
        ({"200": 500, "timeout": 100}, "0.0% failed, of B's 16.7%"),
        ({"200": 120, "unmapped": 480}, "0.0% were not sent, of B's 80.0%"),
        ({"200": 540, "302": 60}, "0.0% were sent elsewhere (3xx), of B's 10.0%"),
    ],
)
def test_a_site_that_does_not_do_the_work_is_not_faster(outcomes: dict[str, int], told: str) -> None:
    broken = [run(seed, search=1.0, outcomes=outcomes) for seed in range(8)]

    made = compare(A, broken, NAMES, paired=True)

    assert made.verdict == "not comparable"
    assert told in made.sentence


def test_one_redirect_is_as_good_as_another() -> None:
    moved, found = ([run(seed, outcomes={"200": 300, code: 300}) for seed in range(2)] for code in ("301", "302"))

    assert unlike(moved, found, NAMES) == []


def test_who_was_told_that_nothing_had_changed_is_remarked_and_compared_all_the_same() -> None:
    """Which validators a site gives is its own doing, and its visitors wait for it."""
    told = [run(seed, outcomes={"200": 300, "304": 300}) for seed in range(8)]

    made = compare(A, told, NAMES, paired=True)

    assert made.verdict == "no difference shown"
    assert "Of A's answers 0.0% said that nothing had changed (304), of B's 50.0%" in " ".join(made.remarks)
    assert unchanged(told, told, NAMES) == []


def test_errors_that_both_have_alike_hinder_nothing() -> None:
    def some(first: int) -> list[Run]:
        return [run(seed, outcomes={"200": 580 + seed % 3, "404": 20 - seed % 3}) for seed in range(first, first + 8)]

    assert compare(some(0), some(8), NAMES, paired=True).verdict == "no difference shown"


def test_however_many_routes_the_main_question_stays_as_sharp() -> None:
    narrow, wide = (
        compare([run(s, routes=n) for s in range(8)], [run(s, routes=n) for s in range(8)], NAMES, paired=True)
        for n in (3, 40)
    )

    assert narrow.rows[0].shows == pytest.approx(wide.rows[0].shows, rel=0.3)
    assert sum(row.word != "not tested" for row in wide.rows if row.route) == ROUTES
    assert "30 routes were not tested" in " ".join(wide.remarks)


def test_one_run_of_each_tells_of_these_runs_alone() -> None:
    made = compare(A[:1], SLOWER[:1], NAMES, paired=False)

    assert made.by == "seconds"
    assert made.verdict == "slower"
    assert "nothing of why" in " ".join(made.remarks)
    assert {row.word for row in made.rows if row.route} == {"not tested"}


def test_one_run_against_several_cannot_be_told_and_is_no_error() -> None:
    made = compare(A[:1], SLOWER[:2], NAMES, paired=False)

    assert made.verdict == "not enough power"
    assert made.rows[0].low is None
    assert made.rows[0].ratio


def test_runs_that_do_not_count_are_told_and_do_not_make_it_bolder() -> None:
    missing = [one if place % 2 else None for place, one in enumerate(A)]

    others = [run(seed) for seed in range(30, 38)]

    made, whole = (compare(side, others, NAMES, paired=True) for side in (missing, list[Run | None](A)))

    assert "4 of 16 runs do not count" in " ".join(made.remarks)
    assert (made.rounds, whole.rounds) == (4, 8)
    assert made.verdict == "not enough power"


def test_throughput_is_compared_where_users_decide_it() -> None:
    closed = [run(seed, pace="closed=4") for seed in range(8)]

    (row,) = [row for row in compare(closed, closed, NAMES, paired=True).rows if row.what == "throughput"]

    assert row.word != "not tested"
    (row,) = [row for row in compare(A, A, NAMES, paired=True).rows if row.what == "throughput"]
    assert row.word == "not tested"


def turns(a: list[Run], b: list[Run]) -> Turns:
    order = "ABBABAABABBABAAB"
    sides = {"A": iter(a), "B": iter(b)}
    return Turns("f", "http://a", "http://b", order, [], 0.05, runs=[next(sides[side]) for side in order])


def test_a_file_of_turns_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = turns(A, SLOWER)
    made.compare()
    made.write(tmp_path / "ab.json")

    found = read(tmp_path / "ab.json")

    assert isinstance(found, Turns)
    assert (found.order, found.comparison) == (made.order, made.comparison)
    assert [one and one.response_ms for one in found.of("B")] == [one.response_ms for one in SLOWER]
    assert found.compare() == made.compare()


def plaza(*words: object) -> Result:
    return CliRunner().invoke(command.command, [str(word) for word in words])


def test_the_command_names_the_slower_one_and_its_status_says_so(tmp_path: Path) -> None:
    file, page = tmp_path / "ab.json", tmp_path / "ab.html"
    turns(A, SLOWER).write(file)

    done = plaza(file, "--html", page)

    assert done.exit_code == 1
    assert re.search(r"GET /search, typical time \+(29|30|31)", done.output)
    assert "typical time is compared, the geometric mean" in " ".join(done.output.split())
    assert "Slower" in page.read_text()
    assert plaza(file, "--slower", "60%").exit_code == 0
    turns(A, [run(seed, search=20.2) for seed in range(8)]).write(file)
    assert plaza(file).exit_code == 0


def test_of_several_files_each_side_has_its_own(tmp_path: Path) -> None:
    words: list[object] = []
    for option, side in (("-a", A), ("-b", SLOWER)):
        for number, one in enumerate(side):
            one.write(path := tmp_path / f"{option}{number}.json")
            words += [option, path]

    assert plaza(*words).exit_code == 1
    told = json.loads(plaza(*words, "--turns", "--json").output)
    assert (told["by"], told["verdict"], told["rounds"]) == ("rounds", "slower", 8)


def test_what_is_wrong_with_the_files_is_told_in_a_line(tmp_path: Path) -> None:
    one, late, none = (tmp_path / name for name in ("one.json", "late.json", "none.json"))
    A[0].write(one)
    run(1, verdict="invalid").write(late)
    none.write_text('{"format": "plaza-ab/1", "runs": 7}')

    assert plaza(one).exit_code == 2
    assert plaza(one, one, one).exit_code == 2
    assert plaza("-a", one, one).exit_code == 2
    assert plaza("-a", one, "-b", one, "-b", one, "--turns").exit_code == 2
    invalid = plaza(one, late)
    assert (invalid.exit_code, "no run that counts" in invalid.output) == (4, True)
    for text in ("", "[]", "7", '{"format": "plaza-ab/1", "runs": 7}', '{"format": "plaza-run/9"}'):
        none.write_text(text)
        wrong = plaza(one, none)
        assert wrong.exit_code == 2
        assert wrong.output.count("\n") == 1
