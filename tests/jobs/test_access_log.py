"""What is read, by the access log: whatever becomes of the file."""

import json
from collections import Counter
from pathlib import Path

import pytest

from jobs import access_log
from jobs.access_log import AccessLog


def line(path: str = "/", cache: str = "HIT", variant: str = "") -> bytes:
    return json.dumps({"path": path, "status": 200, "cache": cache, "variant": variant}).encode() + b"\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def add(path: Path, *lines: bytes) -> None:
    with path.open("ab") as file:
        file.write(b"".join(lines))


def test_what_is_new_is_counted_once(path: Path) -> None:
    log = AccessLog(path)
    add(path, line(), line("/about"), line(variant="zh"), line())
    first, second = log.read(), log.read()
    add(path, line("/about"))

    assert first == Counter({" /": 2, " /about": 1, "zh /": 1})
    assert second == Counter()
    assert log.read() == Counter({" /about": 1})


def test_what_is_no_reader_of_a_stored_page_is_not_counted(path: Path) -> None:
    add(
        path,
        line(cache="BYPASS"),
        line(cache=""),
        b"\n",
        b"nonsense\n",
        b'{"path": "/"}\n',
        b"[1]\n",
        b'"text"\n',
        b"\xff\n",
    )

    assert AccessLog(path).read() == Counter()


def test_half_a_line_waits_for_its_end(path: Path) -> None:
    log = AccessLog(path)
    add(path, line(), line("/about")[:20])
    first = log.read()
    add(path, line("/about")[20:])

    assert first == Counter({" /": 1})
    assert log.read() == Counter({" /about": 1})


def test_a_log_that_is_moved_away_cut_off_or_not_there(path: Path) -> None:
    log = AccessLog(path)
    found = [log.read()]
    add(path, line("/a"), line("/a"))
    found.append(log.read())
    path.rename(path.with_name("access.log.1"))
    found.append(log.read())
    add(path, line("/b"))
    found.append(log.read())
    path.write_bytes(b"")
    found.append(log.read())
    add(path, line("/c"))
    found.append(log.read())

    assert [sum(one.values()) for one in found] == [0, 2, 0, 1, 0, 1]


def test_of_a_flood_the_end_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "MOST_READ", 1000)
    log = AccessLog(path)
    add(path, *[line("/old")] * 100, *[line("/new")] * 5)
    read = log.read()

    assert read[" /new"] == 5
    assert 0 < read[" /old"] < 20
    assert log.read() == Counter()
