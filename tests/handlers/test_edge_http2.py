"""HTTP/2 by hand: who asks for thousands of pages and takes each question back at once, beside readers."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.instances import until
from tests.handlers.odd_requests import get
from tests.harness.bare import Came, say
from tests.harness.certificates import certificate_in
from tests.harness.servers import Databases
from tests.harness.site import Site, run_site

MOST = 1000  # requests of one connection; deploy/nginx.conf
PATIENCE = 2.0  # s at p99, of who reads beside them
HEADERS, RESET, SETTINGS, GO_AWAY = 1, 3, 4, 7
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind: int, stream: int = 0, body: bytes = b"", flags: int = 0) -> bytes:
    return len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + body


def question(port: int, path: str) -> bytes:
    """GET by https, in the compression of HTTP/2: names of its table, values as they are."""
    host = f"localhost:{port}".encode()
    return b"\x82\x87\x44" + bytes((len(path),)) + path.encode() + b"\x41" + bytes((len(host),)) + host


@pytest.fixture(scope="module")
def secure(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that ends TLS."""
    certificate, key = certificate_in(tmp_path_factory.mktemp("tls"))
    with run_site(databases, tls_cert=certificate, tls_key=key) as site:
        edge = site.settings.run / "edge.sock"
        until(lambda: edge.exists() and _about(edge).statuses == (200,), 60)
        yield site


def _about(edge: Path) -> Came:
    return say(edge, get(b"Host: localhost", target=b"/about"))


def flood(site: Site, questions: int) -> int:
    """Ask, and take back, so many times over one connection; the number of the last question that Nginx says it has looked at."""
    context = ssl.create_default_context(cafile=str(site.settings.tls_cert))
    context.set_alpn_protocols(["h2"])
    port, taken_back = site.settings.port, (8).to_bytes(4, "big")
    asked = question(port, "/about")
    came = b""
    with context.wrap_socket(socket.create_connection(("localhost", port), 30), server_hostname="localhost") as opened:
        try:
            opened.sendall(_HELLO + frame(SETTINGS))
            for first in range(1, 2 * questions, 200):
                streams = range(first, first + 200, 2)
                opened.sendall(b"".join(frame(HEADERS, n, asked, 5) + frame(RESET, n, taken_back) for n in streams))
            while piece := opened.recv(65_536):
                came += piece
        except OSError:
            pass  # hung up
    return _last_stream(came)


def _last_stream(came: bytes) -> int:
    """As the frame says it that ends a connection; 0 without one."""
    while len(came) >= 9:
        size = int.from_bytes(came[:3], "big")
        if came[3] == GO_AWAY:
            return int.from_bytes(came[9:13], "big")
        came = came[9 + size :]
    return 0


def test_a_flood_of_questions_that_are_taken_back_holds_up_nobody(secure: Site) -> None:
    over, floods, waits = threading.Event(), list[int](), list[float]()

    def attack() -> None:
        while not over.is_set():
            floods.append(flood(secure, 5 * MOST))

    attackers = [threading.Thread(target=attack) for _ in range(2)]
    for attacker in attackers:
        attacker.start()
    ends = time.monotonic() + 3
    while time.monotonic() < ends:
        began = time.perf_counter()
        assert _about(secure.settings.run / "edge.sock").statuses == (200,)
        waits.append(time.perf_counter() - began)
    over.set()
    for attacker in attackers:
        attacker.join()

    waits.sort()
    print(f"{len(floods)} floods; {len(waits)} answers beside, p99 {waits[int(len(waits) * 0.99)] * 1000:.0f} ms")
    assert floods
    assert waits[int(len(waits) * 0.99)] < PATIENCE


def test_a_connection_ends_after_so_many_questions(secure: Site) -> None:
    assert 0 < flood(secure, 5 * MOST) <= 2 * MOST + 1


def test_every_answer_tells_browsers_to_come_by_https(secure: Site) -> None:
    edge = secure.settings.run / "edge.sock"
    sheet = _about(edge).data.partition(b'rel="stylesheet" href="')[2].partition(b'"')[0]
    assert sheet.startswith(b"/static/")
    for target in (b"/about", b"/search?q=x", b"/nothing", sheet, b"/%00", b"/" + b"x" * 9000, b"/-/error.css"):
        headers = say(edge, get(b"Host: localhost", target=target)).headers

        assert headers["strict-transport-security"] == "max-age=31536000", target
