"""The file of a run is read as it was written, and what is none is refused in a line, before anything is drawn or compared."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from replay import rounds
from replay.report import html
from replay.results import Difference, NoRun, read
from tests.replay.runs import simulated


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "run.json"
    simulated(rate=40, seconds=5).write(path)
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    simulated(rate=40, seconds=5).write(tmp_path / "run.json")
    read(tmp_path / "run.json").write(tmp_path / "again.json")

    assert (tmp_path / "again.json").read_text() == (tmp_path / "run.json").read_text()


def test_half_a_letter_of_an_answer_is_kept_and_shown(tmp_path: Path) -> None:
    run = simulated(rate=40, seconds=5)
    run = replace(run, differences=[Difference("GET /\ud800", "/a", 0.5, 0.0, "\ud800", "b")], outcomes={"\udfff": 3})
    run.write(tmp_path / "run.json")

    again = read(tmp_path / "run.json")
    assert (again.differences, again.outcomes) == (run.differences, run.outcomes)
    assert "\\ud800" in html(run)
    html(run).encode()


def _put(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(told: Any) -> None:
        for step in path[:-1]:
            told = told[step]
        told[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_put("verdict", value="fine"), "verdict"), (_put("seconds", value="long"), "seconds"),
        (_put("series", 0, "p99", value=float("nan")), "NaN"), (_put("seconds", value=float("inf")), "Infinity"),
        (_put("routes", 0, "n", value=None), "routes.0.n"), (_put("response_ms", value=[]), "response_ms"),
        (_put("histograms", "response", value={"counts": 3}), "counts"), (_put("heat", "counts", 0, value=[1]), "heat map"),
        (_put("series", 0, "t", value={}), "series.0.t"), (_put("format", value="plaza-run/9"), "plaza-run/9"),
    ],
)  # fmt: skip
def test_what_is_no_run_is_refused_in_a_line(
    written: Path, tmp_path: Path, change: Callable[[Any], None], said: str
) -> None:
    told = json.loads(written.read_text())
    change(told)
    (tmp_path / "run.json").write_text(json.dumps(told))

    for reader in (read, rounds.read):
        with pytest.raises(NoRun, match=said) as refused:
            reader(tmp_path / "run.json")
        assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "[]", "3", '{"format"', "[" * 100_000, "\x00"])
def test_what_is_no_json_is_refused_in_a_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)

    for reader in (read, rounds.read):
        with pytest.raises(NoRun):
            reader(tmp_path / "run.json")


def test_percentiles_that_another_writer_left_out_are_not_known(written: Path, tmp_path: Path) -> None:
    told = json.loads(written.read_text())
    told["response_ms"], told["routes"][0]["service_ms"] = {"p50": 3.0, "n": 9}, {}
    told["machine"] = {"cores": "many", "shares": {"web": "much"}}
    (tmp_path / "run.json").write_text(json.dumps(told))
    run = read(tmp_path / "run.json")

    assert run.response_ms == {"p50": 3.0, "p90": None, "p99": None, "p99.9": None, "max": None, "n": 9}
    assert run.routes[0].service_ms["n"] == 0
    assert "of them within" in html(run)


def test_what_is_no_file_is_written_into_and_a_link_stays_one(tmp_path: Path) -> None:
    run = simulated(rate=40, seconds=5)
    (tmp_path / "link.json").symlink_to(tmp_path / "run.json")
    run.write(tmp_path / "link.json")
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as other:
        told = other.submit((tmp_path / "pipe").read_text)
        run.put(tmp_path / "pipe", "a page")

        assert told.result(30) == "a page"
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "pipe").is_fifo()
    assert read(tmp_path / "run.json").offered == run.offered
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.json", "pipe", "run.json"]
