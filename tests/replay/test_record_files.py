"""Record files: what is written is read again, and what is wrong with one is said in a line."""

import gzip
import json
import os
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay import reading, records
from replay.reading import NoRecord, Reader
from replay.records import Answer, Header, Made, Request
from replay.writing import Occupied, Writer, writing

HEADER = Header("3a6e22f", 1_764_000_000_000_000_000, 77, "https://example.org", snapshot="b1", mapping={"/a": "/b"})
ANSWER = Answer(200, 900, 700, 12, "text/html", "h", "n", "/x", ("plaza",), (Made("post", "{{post:1}}", "/id"),), "HIT")
PLAIN = Request(0, 0, "s1", 0, "GET", "/", ANSWER)


def some(count: int) -> list[Request]:
    return [replace(PLAIN, i=i, k=i, t_us=i * 10, after=i - 1 if i else None) for i in range(count)]


def write(path: Path, requests: list[Request]) -> Path:
    with writing(path, HEADER) as writer:
        for request in requests:
            writer.add(request)
    return path


def lines(path: Path) -> list[bytes]:
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def changed(path: Path, line: int, change: Callable[[dict[str, Any]], object]) -> Path:
    """The file with one of its lines changed, under the old footer."""
    all_lines = lines(path)
    told = json.loads(all_lines[line])
    change(told)
    all_lines[line] = json.dumps(told).encode() + b"\n"
    path.write_bytes(gzip.compress(b"".join(all_lines)))
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    whole = Request(
        3, 5_000_000, "s1", 1, "POST", "/blog/1-x?q=%20&t={{token:abc}}", ANSWER, 4, 0,
        (("content-type", "text/plain"), ("cookie", "plaza={{cookie:1a2b3c}}")), "你好\n".encode(), 9, True,
    )  # fmt: skip
    binary = replace(PLAIN, i=4, t_us=5_000_000, body=b"\xff\x00\n", body_length=3)
    path = write(tmp_path / "a.rec.jsonl.gz", [PLAIN, whole, binary])

    found = reading.read(path)

    assert found.header == HEADER
    assert found.requests == [PLAIN, whole, binary]
    assert found.footer
    assert found.footer.statuses == {"200": 3}
    assert found.footer.requests == 3
    assert not found.cut


@given(
    st.text(), st.binary(max_size=200), st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))
)
def test_any_text_and_any_bytes_come_back(session: str, body: bytes, value: str) -> None:
    request = replace(PLAIN, session=session, body=body, body_length=len(body), headers=(("x", value),))
    line = json.loads(records.line_of(request))

    assert records.request_of(line) == request


def test_it_is_the_owner_s_alone_and_no_file_is_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path / "a", some(1))
    before = path.read_bytes()

    with pytest.raises(Occupied, match="is there already; --force"):
        Writer(path, HEADER)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == before

    path.chmod(0o644)
    with writing(path, HEADER, force=True):
        pass

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert reading.read(path).requests == []


def test_a_request_before_the_last_is_not_written(tmp_path: Path) -> None:
    with writing(tmp_path / "a", HEADER) as writer:
        writer.add(replace(PLAIN, t_us=5))

        with pytest.raises(ValueError, match="before the one"):
            writer.add(replace(PLAIN, i=1, t_us=4))


def test_what_was_flushed_before_a_kill_is_read_and_said_to_be_cut(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a", HEADER)
    for request in some(50):
        writer.add(request)
    writer.flush()
    for request in some(2000)[50:]:
        writer.add(request)
    writer.close()

    found = reading.read(tmp_path / "a")

    assert found.cut
    assert found.footer is None
    assert found.requests == some(2000)[: len(found.requests)]
    assert len(found.requests) >= 50


def test_wherever_a_file_is_cut_off_what_is_whole_can_be_read(tmp_path: Path) -> None:
    data = write(tmp_path / "a", some(300)).read_bytes()
    head = len(gzip.compress(lines(tmp_path / "a")[0])) + 100
    counts = []
    for length in range(len(data) - 9, head, -97):  # the last 8 bytes are gzip's own end
        (tmp_path / "b").write_bytes(data[:length])
        found = reading.read(tmp_path / "b")
        assert found.cut or len(found.requests) == 300
        assert found.requests == some(len(found.requests))
        counts.append(len(found.requests))

    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


@contextmanager
def no_more_bytes_than(most: int) -> Iterator[None]:
    """The kernel refuses more, as it would on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill(writer: Writer) -> None:
    for i in range(100_000):
        writer.add(replace(PLAIN, i=i, t_us=i, body=os.urandom(300)))


def test_a_full_disk_leaves_a_file_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a"
    writer = Writer(path, HEADER)
    with no_more_bytes_than(20_000), pytest.raises(OSError, match="File too large"):
        fill(writer)
    writer.close()

    assert reading.read(path).cut
    assert len(reading.read(path).requests) > 10


def without_its_footer(path: Path) -> Path:
    path.write_bytes(gzip.compress(b"".join(lines(path)[:-1])))
    return path


def test_without_a_footer_it_is_cut(tmp_path: Path) -> None:
    assert reading.read(without_its_footer(write(tmp_path / "a", some(3)))).cut


@pytest.mark.parametrize(
    ("line", "change", "said"),
    [
        (0, lambda told: told.update(format="plaza-record/9"), ":1: its format is plaza-record/9; this Plaza reads"),
        (0, lambda told: told.pop("format"), ":1: it does not say its format"),
        (0, lambda told: told.pop("started_ns"), ":1: it is no header"),
        (0, lambda told: told.update(started_ns="now"), ":1: it is no header"),
        (2, lambda told: told.update(t=999), ":4: it is out of order"),
        (2, lambda told: told.update(i=0), ":3: it is out of order"),
        (2, lambda told: told.update(dep=1), ":3: it comes of a request that is not before it"),
        (2, lambda told: told.update(st="x"), ":3: it is no request"),
        (2, lambda told: told.update(h=[["x"]]), ":3: it is no request"),
        (2, lambda told: told.update(b64="?"), ":3: it is no request"),
        (2, lambda told: told.pop("u"), ":3: it is no request (KeyError: 'u')"),
        (2, lambda told: told.update(u="/ HTTP/1.1\r\nHost: x"), ":3: its method or its address"),
        (2, lambda told: told.update(m="GET /"), ":3: its method or its address"),
        (3, lambda told: told.update(s="another"), ":4: it comes of a request that is not before it in its session"),
        (2, lambda told: told.update(mk=[["post", "{{post:1}}", "location:("]]), ":3: what it made is told to stand"),
        (2, lambda told: told.update(mk=[["post", "{{post:1}}", "location:.*"]]), ":3: what it made is told to stand"),
        (2, lambda told: told.update(mk=[["post", "{{post:1}}", "id"]]), ":3: what it made is told to stand"),
        (2, lambda told: told.update(h=[["a", "b\r\nc: d"]]), ":3: one of its headers"),
        (2, lambda told: told.update(rt=7), ":5: its lines are not those that were written"),
        (-1, lambda told: told.pop("sha256"), ":5: it is no footer"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, line: int, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    path = changed(write(tmp_path / "a", some(3)), line, change)

    with pytest.raises(NoRecord) as error:
        reading.read(path)

    assert str(error.value).startswith(f"{path}{said}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", " holds no record"),
        (b"GET / HTTP/1.1\n", " is no record file: it is not gzip"),
        (gzip.compress(b"", mtime=0), " holds no record"),
        (gzip.compress(b"[]\n", mtime=0), ":1: it is no JSON object"),
        (gzip.compress(b"{nothing\n", mtime=0), ":1: it is not JSON"),
        (gzip.compress(b"[" * 100_000 + b"\n", mtime=0), ":1: it is not JSON"),
        (gzip.compress(b"\xff\xfe\n", mtime=0), ":1: it is not JSON"),
    ],
)
def test_what_is_no_record_is_said_to_be_none(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "a").write_bytes(data)

    with pytest.raises(NoRecord) as error:
        reading.read(tmp_path / "a")

    assert str(error.value).startswith(f"{tmp_path / 'a'}{said}")


def test_a_damaged_file_is_not_taken_for_one_that_was_cut_off(tmp_path: Path) -> None:
    path = write(tmp_path / "a", some(500))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    path.write_bytes(data)

    with pytest.raises(NoRecord):
        reading.read(path)


def test_something_behind_the_footer_is_wrong(tmp_path: Path) -> None:
    path = write(tmp_path / "a", some(1))
    path.write_bytes(gzip.compress(b"".join([*lines(path), b"{}\n"])))

    with pytest.raises(NoRecord, match="behind the footer"):
        reading.read(path)


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LONGEST", 1 << 16)
    (tmp_path / "a").write_bytes(gzip.compress(b'"' * (1 << 17)))

    with pytest.raises(NoRecord, match="longer than"):
        reading.read(tmp_path / "a")


def test_requests_are_read_one_by_one(tmp_path: Path) -> None:
    reader = Reader(write(tmp_path / "a", some(5)))

    assert reader.header == HEADER
    assert next(iter(reader)) == some(1)[0]
    assert [request.i for request in reading.requests(tmp_path / "a")] == [0, 1, 2, 3, 4]
