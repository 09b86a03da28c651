"""`plaza prove`: it says what it did; a failing history is kept, and ends with 1; nothing stays behind."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from commands.prove import command
from tests.commands.instances import Instance


def test_a_cache_without_its_tokens_is_found_out_and_the_history_is_kept(fresh: Instance, tmp_path: Path) -> None:
    kept = tmp_path / "history.json"

    # It ends when something is found: half a minute on most machines, not on all.
    done = fresh.plaza("prove", "--minutes", "3", "--seed", "7", "--broken", "token", "--keep", str(kept), timeout=240)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "History: " in done.stdout
    assert "should have been seen" in done.stdout
    assert "./plaza prove --seed 7" in done.stdout
    told = json.loads(kept.read_text())
    assert told["seed"] == 7
    assert told["violation"]["kind"] in {"too old", "own write not seen", "went back"}
    times = [when for when, _ in told["events"]]
    assert times == sorted(times)
    assert times[-1] == 0
    assert any("has returned" in what for _, what in told["events"])
    assert any(f"version {told['violation']['missed']} " in what for _, what in told["events"])


@pytest.mark.long
def test_prove_goes_through_all_kinds_and_finds_the_cache_well(fresh: Instance, tmp_path: Path) -> None:
    kept = tmp_path / "history.json"

    done = fresh.plaza("prove", "--minutes", "0.5", "--keep", str(kept), timeout=400)

    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("Model: ", "History: ", "answers by L1", "answers by L2", "answers by MySQL", "faults", "violations",
                 "comparisons with MySQL", "Herd: ", "Guard: without its token"):  # fmt: skip
        assert said in done.stdout
    assert not kept.exists()
    assert not (fresh.var / "etc").exists()


@pytest.mark.parametrize("wrong", [("--seed", "x"), ("--minutes", "0"), ("--minutes", "nan"), ("--broken", "nothing")])
def test_wrong_options_are_refused(wrong: tuple[str, str]) -> None:
    assert CliRunner().invoke(command, wrong).exit_code == 2
