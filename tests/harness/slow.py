"""Crowds who send or read one byte a second, each a real socket, and readers beside them who measure how long they wait."""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle

BEAT = 1.0  # s from one byte to the next
NARROW = 4096  # bytes that the system keeps for who reads slowly; with more, all of a page would be there at once


@dataclass
class Crowd:
    """Who is `here`, and how many were let `go`."""

    here: list[socket.socket] = field(default_factory=list)
    gone: int = 0

    def each(self, act: Callable[[socket.socket], bool]) -> None:
        """Let everybody act once; who may not any more is gone."""
        stay = []
        for one in self.here:
            try:
                if act(one):
                    stay.append(one)
                    continue
            except BlockingIOError:
                stay.append(one)
                continue
            except OSError:
                pass
            one.close()
        self.gone += len(self.here) - len(stay)
        self.here = stay


def _sends(one: socket.socket) -> bool:
    try:
        if not one.recv(65_536, socket.MSG_DONTWAIT):
            return False  # hung up
    except BlockingIOError:
        pass
    return one.send(b"x") == 1


def _reads(one: socket.socket) -> bool:
    return bool(one.recv(1))


@contextmanager
def crowd(port: int, people: int, opening: bytes, *, reads: bool = False) -> Iterator[Crowd]:
    """So many connections that say `opening`, and then send one byte a second, or read one."""
    those, over = Crowd(), threading.Event()

    def live() -> None:
        while not over.wait(BEAT):
            those.each(_reads if reads else _sends)

    beating = threading.Thread(target=live)
    try:
        for _ in range(people):
            one = socket.socket()
            if reads:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
            one.settimeout(30)
            one.connect(("127.0.0.1", port))
            one.sendall(opening)
            one.setblocking(False)
            those.here.append(one)
        beating.start()
        yield those
    finally:
        over.set()
        if beating.is_alive():
            beating.join()
        for one in those.here:
            one.close()


@dataclass(frozen=True, slots=True)
class Waits:
    """How long readers waited, in seconds, the shortest first; `statuses` that they saw."""

    seconds: list[float]
    statuses: set[int]

    def at(self, share: float) -> float:
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * share))]

    def __str__(self) -> str:
        shown = ", ".join(
            f"{name} {self.at(share) * 1000:.1f}" for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
        )
        return f"{len(self.seconds)} answers, ms: {shown}"


def readers(port: int, paths: tuple[str, ...], *, seconds: float, people: int = 4, pause: float = 0.005) -> Waits:
    """That many read the pages in turn, over connections that they keep."""
    waits, statuses, until = list[float](), set[int](), time.monotonic() + seconds

    def read() -> None:
        connection = http.client.HTTPConnection("localhost", port, timeout=60)
        for path in cycle(paths):
            if time.monotonic() > until:
                break
            began = time.perf_counter()
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            answer.read()
            waits.append(time.perf_counter() - began)
            statuses.add(answer.status)
            time.sleep(pause)
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Waits(sorted(waits), statuses)
