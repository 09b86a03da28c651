"""What Nginx answered by itself is read from its log."""

import json
from pathlib import Path
from typing import Any

import pytest

from replay import stored as module
from replay.stored import FLUSHED, PIECE, TOO_FAST, StoredAnswers

WALL, MONOTONIC = 1_700_000_000_000_000_000, 5_000_000_000


def line(**change: Any) -> bytes:
    told = {
        "at": "2023-11-14T22:13:20+00:00", "ended": 1_700_000_001.5, "address": "203.0.113.9", "method": "GET",
        "path": "/a?b=c", "status": 200, "bytes": 77, "seconds": 0.25, "upstream": "", "upstream_seconds": "", "referrer": "http://x/",
        "agent": "A", "lang": "zh", "protocol": "HTTP/1.1", "cache": "HIT", "variant": "zh-gzip", "request": "r",
    }  # fmt: skip
    return json.dumps(told | change).encode() + b"\n"


def stored(path: Path) -> StoredAnswers:
    return StoredAnswers(path, WALL, MONOTONIC)


def test_an_answer_from_the_store_is_an_exchange_at_its_moment(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(line(path="/before"))
    reader = stored(log)
    with log.open("ab") as file:
        file.write(line())

    (found,), all_before = reader.read(9_000_000_000)

    assert (found.began, found.ended) == (MONOTONIC + 1_250_000_000, MONOTONIC + 1_500_000_000)
    assert (found.peer, found.method, found.target, found.length) == ("203.0.113.9", "GET", "/a?b=c", 77)
    assert found.head == [200, [("X-Cache", "HIT")]]
    assert found.headers == [
        ("user-agent", "A"), ("referer", "http://x/"), ("accept-language", "zh"), ("accept-encoding", "gzip")
    ]  # fmt: skip
    assert all_before == 9_000_000_000 - FLUSHED
    reader.close()


def test_what_a_web_process_answered_is_left_to_the_web_process(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    reader = stored(log)
    with log.open("ab") as file:
        file.write(line(cache="MISS", upstream="unix:/a") + line(cache="STALE", upstream="unix:/a", path="/stale"))
        file.write(
            line(cache="", path="/static/x.css")
            + line(method="", status=400)
            + line(method="POST", status=413)
            + b"half of nothing\n"
            + line()[:20]
        )

    found, _ = reader.read(0)

    assert [one.target for one in found] == ["/stale", "/static/x.css"]
    assert reader.passed_over == {"a line of the log that is none": 1, "refused by Nginx": 1}
    with log.open("ab") as file:
        file.write(line()[20:])
    assert [one.target for one in reader.read(0)[0]] == ["/a?b=c"]
    reader.close()


def test_a_log_that_is_moved_aside_is_read_to_its_end_and_the_new_one_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    reader = stored(log)  # it is not there yet
    log.write_bytes(line(path="/1"))
    assert [one.target for one in reader.read(0)[0]] == ["/1"]
    with log.open("ab") as file:
        log.rename(tmp_path / "access.log.1")
        file.write(line(path="/2"))
    log.write_bytes(line(path="/3"))

    (found, all_before), more = reader.read(10**15), reader.more
    assert [one.target for one in found] == ["/2"]
    assert (more, all_before) == (True, found[-1].ended - FLUSHED)  # of the new one nothing is known yet
    assert [one.target for _ in range(2) for one in reader.read(0)[0]] == ["/3"]
    assert not reader.more
    reader.close()


def test_while_there_is_more_in_the_log_nothing_later_is_certain(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.touch()
    reader = stored(log)
    with log.open("ab") as file:
        file.write(line() * (PIECE // len(line()) + 10))

    found, all_before = reader.read(10**15)

    assert all_before == found[-1].ended - FLUSHED
    assert reader.read(10**15)[1] == 10**15 - FLUSHED
    reader.close()


def test_what_waits_for_too_long_is_counted_and_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 10 * len(line()))
    monkeypatch.setattr(module, "MOST_BEHIND", 25 * len(line()))
    log = tmp_path / "access.log"
    log.touch()
    reader = stored(log)
    with log.open("ab") as file:
        file.write(line() * 43)

    read = list[int]()
    while not read or reader.more:
        read.append(len(reader.read(10**15)[0]))

    assert read == [0, 10, 10, 10, 3]  # 33 waited behind the first ten, and 23 behind the second
    assert reader.passed_over == {TOO_FAST: 10}
    reader.close()


def test_what_is_left_at_the_end_is_counted_up_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 2 * len(line()))
    log = tmp_path / "access.log"
    log.touch()
    reader = stored(log)
    end = 1_700_000_001.5  # when the first of them ends
    with log.open("ab") as file:
        for number in range(20):
            file.write(line(ended=end + number))

    looks = 1
    while reader.pass_over(MONOTONIC + 4_500_000_000):
        looks += 1

    assert reader.passed_over == {TOO_FAST: 4}  # each took a quarter of a second
    assert looks < 10  # what ended long after it is not even looked at
    reader.close()
