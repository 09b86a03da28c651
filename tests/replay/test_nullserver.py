"""The null server does what it says, lies included: else whatever is measured against it means nothing."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from replay.nullserver import Lies, nullserver

ASKED = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as one:
        yield one


def all_of(one: socket.socket) -> bytes:
    """Until the other side ends. Raises ConnectionResetError."""
    found = b""
    while piece := one.recv(65_536):
        found += piece
    return found


def answer(one: socket.socket) -> bytes:
    found = b""
    while not found.endswith(b"}"):
        piece = one.recv(65_536)
        assert piece, found
        found += piece
    return found


def test_requests_in_any_pieces_with_bodies_and_pipelined_are_each_answered_once() -> None:
    posted = b"POST / HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\nGET /"
    with nullserver() as port, connected(port) as one:
        for byte in ASKED + posted:
            one.sendall(bytes([byte]))
        one.sendall(ASKED + posted + b"HEAD / HTTP/1.1\r\n\r\n")
        one.shutdown(socket.SHUT_WR)
        found = all_of(one)

    assert found.count(b"HTTP/1.1 200 ") == 5
    assert found.count(b'{"replay_target": true}') == 4


def test_a_delay_is_kept_and_every_third_is_slow() -> None:
    took = []
    with nullserver(Lies(delay_ms=20, slow_ms=200, slow_every=3)) as port, connected(port) as one:
        for _ in range(6):
            began = time.monotonic()
            one.sendall(ASKED)
            answer(one)
            took.append(time.monotonic() - began)

    assert [seconds >= 0.2 for seconds in took] == [False, False, True] * 2
    assert min(took) >= 0.02


def test_a_stall_stops_all_of_it_once() -> None:
    with nullserver(Lies(stall_at_ms=50, stall_ms=500)) as port, connected(port) as one, connected(port) as other:
        longest = 0.0
        until = time.monotonic() + 2
        while time.monotonic() < until:
            for each in (one, other):
                began = time.monotonic()
                each.sendall(ASKED)
                answer(each)
                longest = max(longest, time.monotonic() - began)

    assert 0.4 < longest < 1.4


@pytest.mark.parametrize("lie", ["reset_every", "cut_every", "broken_every", "silent_every"])
def test_it_fails_every_third_request_in_its_own_way(lie: str) -> None:
    seen: list[object] = []
    with nullserver(Lies(**{lie: 3})) as port:
        for _ in range(6):
            with connected(port) as one:
                one.sendall(ASKED)
                one.settimeout(0.5)
                try:
                    seen.append(answer(one).startswith(b"HTTP/1.1 200"))
                except ConnectionResetError:
                    seen.append("reset")
                except TimeoutError:
                    seen.append("silent")
                except AssertionError as end:
                    seen.append("cut" if "HTTP/1.1 200" in str(end) else "broken")

    wrong = lie.removesuffix("_every")
    # What is broken stays open, so that the client has to see it by itself.
    assert seen == [True, True, "silent" if wrong == "broken" else wrong] * 2


def test_a_dripping_body_comes_in_two_pieces() -> None:
    with nullserver(Lies(drip_ms=100)) as port, connected(port) as one:
        began = time.monotonic()
        one.sendall(ASKED)
        first = one.recv(65_536)
        answer(one)
        took = time.monotonic() - began

    assert first.endswith(b"\r\n\r\n{")
    assert took >= 0.1


def test_several_processes_share_a_port_and_none_outlives_the_block() -> None:
    with nullserver(processes=2) as port:
        for _ in range(20):
            with connected(port) as one:
                one.sendall(ASKED)
                assert answer(one)

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
