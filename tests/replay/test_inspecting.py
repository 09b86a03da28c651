"""What a record file holds, in numbers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from replay.inspecting import NoValues, inspect, shape
from replay.records import Answer, Header, Made, Request
from replay.writing import writing

HEADER = Header("c", 1_764_000_000_000_000_000, 0, "https://example.org")
PLAIN = Request(0, 0, "s", 0, "GET", "/blog/1-a", Answer(200, 4000, length=100))


def written(path: Path, requests: list[Request]) -> Path:
    with writing(path, HEADER) as writer:
        for request in requests:
            writer.add(request)
        writer.finish({"queue full": 3})
    return path


def test_placeholders_are_told_by_answers_or_by_values_or_not_at_all(tmp_path: Path) -> None:
    made = Answer(201, 1, made=(Made("post", "{{post:1}}", "/id"),))
    requests = [
        replace(
            PLAIN, i=0, method="POST", target="/api/v1/posts", answer=made, body=b'{"t":"{{token:aa}}"}', body_length=20
        ),
        replace(PLAIN, i=1, k=1, target="/blog/{{post:1}}"),
        replace(PLAIN, i=2, k=2, headers=(("cookie", "plaza={{cookie:bb}}"),)),
        replace(PLAIN, i=3, k=3, headers=(("cookie", "plaza={{cookie:cc}}"),)),
    ]
    file = written(tmp_path / "f", requests)
    values = tmp_path / "values.json"
    values.write_text(json.dumps({"{{token:aa}}": "x", "{{cookie:cc}}": "y"}))

    told = inspect(file, values)

    assert told.placeholders == {"post": 1, "token": 1, "cookie": 2}
    assert told.made == 1
    assert told.unanswered == {"cookie": 1}
    assert inspect(file).unanswered == {"cookie": 2, "token": 1}
    assert (told.writes, told.sent_bytes, told.dropped) == (1, 20, {"queue full": 3})


def test_the_busiest_second_is_found_at_each_speed(tmp_path: Path) -> None:
    moments = [0, 100_000, 900_000, 1_100_000, 9_000_000, 15_000_000, 99_000_000]

    told = inspect(written(tmp_path / "f", [replace(PLAIN, i=i, k=i, t_us=t) for i, t in enumerate(moments)]))

    assert told.peaks == {1: 3, 10: 5, 100: 7, 1000: 7}
    assert told.seconds == 99
    assert shape(told.gaps_us)["max"] == 84_000_000


@pytest.mark.parametrize("text", ["nonsense", "[]"])
def test_values_that_are_none_are_told_in_a_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "v").write_text(text)

    with pytest.raises(NoValues, match="v is no"):
        inspect(written(tmp_path / "f", [PLAIN]), tmp_path / "v")
