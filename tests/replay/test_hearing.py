"""What is kept of answers to be compared, and how it is told: in pieces, and never more than can be read in time."""

import gzip
import json
import time
from typing import Any

import pytest

from replay import hearing, sending, workers
from replay.differing import differences
from replay.hearing import Answers, Hearing, answers
from replay.normal import fields
from replay.nullserver import nullserver
from replay.plans import Step
from replay.running import Options
from replay.wire import Reply
from replay.workers import Done
from tests.replay.going import target_of
from tests.replay.recordings import planned, request


def heard(*bodies: bytes, packed: bool = False) -> Hearing:
    """One answer with each."""
    listener = Hearing()
    coding = "Content-Encoding: gzip\r\n" if packed else ""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{coding}".encode()
    for i, body in enumerate(bodies):
        listener.heard(
            Step(request(i, i), "GET /"), Reply(200, head=head, body=gzip.compress(body) if packed else body)
        )
    return listener


def told(listener: Hearing) -> Answers:
    """As it comes out of the pipe."""
    return answers(json.loads(json.dumps(piece)) for piece in listener.told())


def page(i: int, size: int = 100) -> bytes:
    return f"<p>{chr(97 + i % 26)}</p>".encode() * (size // 8)


def test_what_was_heard_comes_in_small_pieces() -> None:
    pieces = list(heard(*(f"<p>{chr(0x4E00 + i)}".encode() for i in range(1100))).told())

    assert len(pieces) == 3 + 1100
    assert max(len(json.dumps(piece)) for piece in pieces) < 200_000
    assert len(answers(pieces).said) == 1100


@pytest.mark.parametrize("packed", [False, True])
def test_of_more_than_can_be_read_in_time_the_hash_is_told(packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes are counted as they are read: packed they may be few."""
    monkeypatch.setattr(hearing, "READ", 10_000)
    monkeypatch.setattr(hearing, "LARGEST", 5_000)

    said = told(heard(page(0, 6_000), page(1, 4_000), page(2, 4_000), page(3, 4_000), packed=packed))

    assert [set(one) - {"status", "header content-type"} for _, one in said.said.values()] == [
        {"body hash"}, {"body text"}, {"body text"}, {"body hash"},
    ]  # fmt: skip
    assert said.unread() == 2


def test_what_is_no_text_takes_no_time_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "READ", 1_000)
    listener = Hearing()
    for i in range(10):
        listener.heard(Step(request(i, i), "GET /"), Reply(200, head=b"HTTP/1.1 200 OK\r\n", body=bytes([i]) * 900))

    assert told(listener).unread() == 0


def test_fields_that_are_too_wide_for_a_line_are_not_told() -> None:
    key = "k" * 100_000
    listener = Hearing()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    body = json.dumps({key: list(range(100))}).encode()
    listener.heard(Step(request(0, 0), "GET /"), Reply(200, head=head, body=body))

    assert told(listener).unread() == 1


def test_a_body_that_was_read_is_not_held_against_one_that_was_not(monkeypatch: pytest.MonkeyPatch) -> None:
    read, other = told(heard(page(1))), told(heard(page(2)))
    monkeypatch.setattr(hearing, "READ", 0)
    unread, another = told(heard(page(1))), told(heard(page(2)))

    def found(a: Answers, b: Answers) -> list[str]:
        return [one.what for one in differences((a, Answers(a.said)), (b, b))]

    assert found(read, unread) == []
    assert found(unread, unread) == []
    assert found(unread, another) == ["body hash"]
    monkeypatch.undo()
    assert found(read, other) == ["body text"]


def test_a_long_text_of_numbers_is_read_in_time() -> None:
    """Each number looked through all behind it: of these, for a minute."""
    began = time.process_time()
    fields("text/csv", b"1234567 " * 25_000)

    assert time.process_time() - began < 10


class Slow(Hearing):
    """It takes longer than anybody's patience for all of it, though not for a piece."""

    def told(self) -> Any:
        for _ in range(6):
            time.sleep(1)
            yield {"bodies": {}}
        yield from super().told()


class Loud(Hearing):
    def told(self) -> Any:
        yield "x" * 200_000


def sent(listener: type[Hearing]) -> Done:
    with nullserver() as port:
        plan = planned(*(request(i, i, session=f"s{i}") for i in range(3)))
        return workers.run(plan, target_of(f"http://127.0.0.1:{port}"), Options("run-1"), listener=listener)


def test_who_reads_for_long_but_says_so_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 4.0)
    monkeypatch.setattr(sending, "PATIENCE", 4.0)

    done = sent(Slow)

    assert done.lost == []
    assert set(answers(done.heard).said) == {0, 1, 2}


def test_a_line_that_is_too_long_is_a_worker_that_is_lost_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "LONGEST", 50_000)

    done = sent(Loud)

    assert done.lost == [
        "worker 1 of 1 said more at once than the 50,000 bytes that are read: what it measured is missing"
    ]
