"""The page of two sides says what the comparison says, of two runs and of rounds, and lets nothing from outside become markup."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from commands.replaying.compare import command
from replay.comparing import ABOUT_ROUTES, Comparison, Row, compare
from replay.paces import HIDES
from replay.report import words
from replay.report.changes import changes
from replay.report.pairs import html_of_two
from replay.results import Run
from tests.replay.runs import simulated
from tests.replay.test_report import EVIL, parsed, section, table, text

NAMES = ("A (http://127.0.0.1:8001)", "B (http://127.0.0.1:8002)")


@pytest.fixture(scope="module")
def rounds() -> tuple[list[Run], list[Run]]:
    """B searches 10 ms longer."""
    return (
        [simulated(rate=60, seconds=10, seed=n) for n in range(8)],
        [simulated(rate=60, seconds=10, seed=n, slower=10) for n in range(8, 16)],
    )


@pytest.fixture(scope="module")
def comparison(rounds: tuple[list[Run], list[Run]]) -> Comparison:
    return compare(*rounds, NAMES, paired=True)


def test_it_says_what_the_comparison_says(rounds: tuple[list[Run], list[Run]], comparison: Comparison) -> None:
    root = parsed(html_of_two(*rounds, comparison))

    said = text(section(root, "Verdict"))
    assert comparison.verdict == "slower"
    assert "Slower" in said
    assert comparison.sentence.replace("  ", " ") in said
    routes = {row[0]: row[1:] for row in table(root, "Routes: A, B and the change")}
    search = next(row for row in comparison.rows if row.route == "GET /search")
    assert routes["GET /search"][2:5] == [
        words.ms(search.a).strip(), words.ms(search.b).strip(), words.times(search.ratio or 0),
    ]  # fmt: skip
    assert (routes["GET /search"][0], routes["GET /search"][-1]) == ("typical", search.word)
    assert ABOUT_ROUTES in text(section(root, "routes"))
    assert list(routes) == [row.route for row in comparison.rows if row.route]


@pytest.mark.parametrize("pace", ["closed=20", "rate=60"])
def test_two_closed_loops_are_told_to_be_such(rounds: tuple[list[Run], list[Run]], pace: str) -> None:
    a, b = ([replace(run, plan=run.plan | {"pace": pace}) for run in side] for side in rounds)
    root = parsed(html_of_two(a, b, compare(a, b, NAMES, paired=True)))

    closed = pace == "closed=20"
    assert (HIDES in text(section(root, "Verdict"))) is closed
    assert ("A user asks when the answer before has come" in text(section(root, "reading"))) is closed


def test_each_round_stands_in_the_table_and_one_that_does_not_count_is_a_gap(
    rounds: tuple[list[Run], list[Run]], comparison: Comparison
) -> None:
    a: list[Run | None] = [*rounds[0]]
    a[2] = None
    rows = table(parsed(html_of_two(a, rounds[1], comparison)), "Response times of A and B")

    assert len(rows) == 8
    assert rows[2][1:3] == ["n/a", words.ms(rounds[1][2].response_ms["p50"]).strip()]
    assert rows[3][1] == words.ms(rounds[0][3].response_ms["p50"]).strip()


def test_the_curve_is_of_the_counts_of_all_rounds(rounds: tuple[list[Run], list[Run]], comparison: Comparison) -> None:
    rows = table(parsed(html_of_two(*rounds, comparison)), "Percentiles in milliseconds")

    assert rows[-1][1:3] == [
        words.ms(max(run.response_ms["max"] or 0 for run in side)).strip() for side in rounds
    ]  # fmt: skip
    most = max(sum(run.completed for run in side) for side in rounds)
    assert int(rows[0][3].replace(",", "")) == most


def test_two_runs_stand_side_by_side_on_one_scale() -> None:
    a, b = simulated(rate=60, seconds=20), simulated(rate=60, seconds=20, seed=3, stall=(8, 1.0))
    made = compare([a], [b], ("A", "B"), paired=False)
    root = parsed(html_of_two([a], [b], made))

    maps = [one for one in root.iter("svg") if one.get("data-heat")]
    assert len(maps) == 2
    assert len({len((one.get("data-tops") or "").split("|")) for one in maps}) == 1
    told = [
        sum(int(count or 0) for column in (one.get("data-heat") or "").split() for count in column.split(","))
        for one in maps
    ]
    assert told == [a.completed, b.completed]
    assert made.remarks[0].replace("`", "")[:30] in text(section(root, "Verdict")).replace("`", "")


def test_heat_maps_that_cannot_be_compared_are_not_drawn() -> None:
    a, b = simulated(rate=60, seconds=20), simulated(rate=60, seconds=20, seed=3)
    assert b.heat
    b.heat.rows_ms = [row + 1 for row in b.heat.rows_ms]
    root = parsed(html_of_two([a], [b], compare([a], [b], ("A", "B"), paired=False)))

    assert [one for one in root.iter("svg") if one.get("data-heat")] == []


@pytest.mark.parametrize(
    ("verdict", "word"),
    [("slower", "Slower"), ("faster", "Faster"), ("no difference shown", "No difference"), ("not enough power", "Cannot tell"),
     ("not comparable", "Not comparable")],
)  # fmt: skip
def test_each_verdict_has_its_word(
    rounds: tuple[list[Run], list[Run]], comparison: Comparison, verdict: Any, word: str
) -> None:
    root = parsed(html_of_two(*rounds, replace(comparison, verdict=verdict)))

    assert word in text(section(root, "Verdict"))
    assert text(next(root.iter("title"))).startswith(word)


def test_what_comes_from_outside_is_text_here_too(rounds: tuple[list[Run], list[Run]], comparison: Comparison) -> None:
    evil = replace(
        comparison, a=EVIL, b=EVIL, sentence=EVIL, remarks=[EVIL], rows=[replace(comparison.rows[0], route=EVIL)]
    )
    page = html_of_two(*rounds, evil)

    assert "<script>alert" not in page
    assert "<img" not in page
    assert len(list(parsed(page).iter("script"))) == 1


def test_the_middle_of_the_axis_is_no_change_and_what_is_beyond_lies_at_its_edge(comparison: Comparison) -> None:
    row = Row("", "p50", "ms", 9, 1.0, 1.0, "no difference shown", 1.0, 0.5, 99.0, 0.5, 0.5)
    drawn = changes(replace(comparison, rows=[row]))[0]

    assert drawn.middle == 0.5
    assert drawn.low is not None
    assert 0 <= drawn.low < 0.5
    assert drawn.high == 1.0


def test_a_side_without_a_run_that_counts_is_refused(
    rounds: tuple[list[Run], list[Run]], comparison: Comparison
) -> None:
    with pytest.raises(ValueError, match="no run that counts"):
        html_of_two([None], rounds[1], comparison)


def test_compare_writes_it(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        simulated(rate=60, seconds=20, seed=seed).write(tmp_path / f"{name}.json")
    files = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    done = CliRunner().invoke(command, [*files, "--html", str(tmp_path / "both.html")])

    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    assert text(section(parsed((tmp_path / "both.html").read_text(encoding="utf-8")), "Verdict"))
    refused = CliRunner().invoke(command, [*files, "--html", str(tmp_path / "nowhere" / "both.html")])
    assert (refused.exit_code, "there is no folder" in refused.output) == (2, True)
    unwritten = CliRunner().invoke(command, [*files, "--html", "/proc/self/both.html"])
    assert (unwritten.exit_code, "could not be written" in unwritten.output) == (4, True)
