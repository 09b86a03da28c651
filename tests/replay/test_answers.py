"""Answers are read in whatever pieces they come, as another parser reads them; what is none is broken, and never an exception."""

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.answers import Answer
from replay.chunks import Broken
from replay.heads import all_of, pairs

bodies = st.binary(max_size=300)
names = st.sampled_from(["Server", "X-Cache", "Set-Cookie", "ETag", "Vary", "Date"])
headers = st.lists(st.tuples(names, st.text("abc =;/\"'", max_size=20)), max_size=6)


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, int, bytes]:
    """An answer, its status, its body."""
    status = draw(st.sampled_from([200, 201, 301, 404, 429, 500, 503]))
    told = [f"{name}: {value}" for name, value in draw(headers)]
    body = draw(bodies)
    early = b"".join(draw(st.lists(st.sampled_from([b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"]), max_size=2)))
    if draw(st.booleans()):
        told.append(draw(st.sampled_from(["Transfer-Encoding: chunked", "transfer-encoding:  Chunked"])))
        cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=4)))
        pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True) if b > a]
        end = draw(st.sampled_from([b"0\r\n\r\n", b"0;a=b\r\nX-Sum: 1\r\n\r\n", b"000\r\n\r\n"]))
        sent = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + end
    else:
        told.append(draw(st.sampled_from(["Content-Length: ", "content-length:"])) + str(len(body)))
        sent = body
    order = draw(st.permutations(told))
    head = "\r\n".join([f"HTTP/1.1 {status} Whatever", *order, "", ""]).encode()
    return early + head + sent, status, body


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted(cut % (len(data) + 1) for cut in cuts)
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True) if b > a]


def fed(answer: Answer, pieces: list[bytes]) -> list[int]:
    return [answer.feed(memoryview(piece)) for piece in pieces]


@given(answers(), st.lists(st.integers(0, 10_000), max_size=30))
def test_any_answer_in_any_pieces_is_read(made: tuple[bytes, int, bytes], cuts: list[int]) -> None:
    sent, status, body = made
    kept, counted = Answer(wants_body=True), Answer()
    pieces = split(sent, cuts)

    said = fed(kept, pieces), fed(counted, pieces)

    assert said[0] == said[1] == [*[-1] * (len(pieces) - 1), 0]
    assert (kept.status, kept.body, kept.length, kept.stays) == (status, body, len(body), True)
    assert (counted.status, counted.body, counted.length) == (status, b"", len(body))


@given(answers())
def test_another_parser_reads_the_same(made: tuple[bytes, int, bytes]) -> None:
    class Read:
        def __init__(self) -> None:
            self.headers, self.body = list[tuple[str, str]](), b""

        def on_message_begin(self) -> None:
            self.headers = []

        def on_header(self, name: bytes, value: bytes) -> None:
            self.headers.append((name.decode().lower(), value.decode().strip()))

        def on_body(self, body: bytes) -> None:
            self.body += body

    read, answer = Read(), Answer(wants_body=True)
    other = httptools.HttpResponseParser(read)

    other.feed_data(made[0])
    answer.feed(memoryview(made[0]))

    assert other.get_status_code() == answer.status
    assert read.body == answer.body
    assert [pair for pair in read.headers if pair[0] != "x-sum"] == pairs(answer.head)


@given(st.one_of(st.binary(min_size=1, max_size=200), answers().map(lambda made: made[0])), st.data())
def test_what_is_no_answer_is_broken_or_not_whole_and_nothing_else(sent: bytes, data: st.DataObject) -> None:
    spoilt = bytearray(sent)
    for place in data.draw(st.lists(st.integers(0, len(sent) - 1), min_size=1, max_size=5)):
        spoilt[place] = data.draw(st.integers(0, 255))
    answer = Answer(wants_body=True)

    for piece in split(bytes(spoilt), data.draw(st.lists(st.integers(0, 10_000), max_size=5))):
        try:
            if answer.feed(memoryview(piece)) >= 0:
                break
        except Broken:
            break


@pytest.mark.parametrize("sent", [
    b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x01", b"HTTP/2 200 OK\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n", b"HTTP/1.1 99 x\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 9000,
], ids=lambda sent: ascii(sent[:60]))  # fmt: skip
def test_what_cannot_be_an_answer_is_broken(sent: bytes) -> None:
    with pytest.raises(Broken):
        Answer().feed(memoryview(sent))


@pytest.mark.parametrize(("head", "of_head", "stays"), [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", True, True),
    (b"HTTP/1.1 204 No Content\r\n\r\n", False, True),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", False, False),
    (b"HTTP/1.0 204 No Content\r\n\r\n", False, False),
    (b"HTTP/1.0 204 No Content\r\nConnection: keep-alive\r\n\r\n", False, True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", False, True),
])  # fmt: skip
def test_answers_without_a_body_are_whole_with_their_head(head: bytes, of_head: bool, stays: bool) -> None:
    answer = Answer(of_head=of_head)

    assert answer.feed(memoryview(head)) == 0
    assert answer.stays == stays


def test_without_a_length_it_ends_with_the_connection_and_bytes_behind_it_are_counted() -> None:
    until_close, more = Answer(wants_body=True), Answer()

    assert until_close.feed(memoryview(b"HTTP/1.1 200 OK\r\n\r\nab")) == until_close.feed(memoryview(b"c")) == -1
    assert until_close.ends_with_connection
    assert until_close.body == b"abc"
    assert more.feed(memoryview(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP")) == 4


def test_all_headers_of_a_name_are_found_whatever_their_case() -> None:
    head = b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nX-Set-Cookie: no\r\nSet-Cookie:b=2 \r\n"

    assert all_of(head, b"set-cookie") == [b"a=1", b"b=2"]
