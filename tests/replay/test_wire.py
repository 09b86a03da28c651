"""A wire against real sockets: each request has one answer or one word, and its moments are in their order."""

import asyncio
import datetime
import gzip
import socket
import ssl
import struct
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from replay.wire import Reply, Wire
from tests.harness.crowd import until
from tests.replay.serving import CLOSE, OK, Answering, serving

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
PATIENCE = 30.0


class Caller:
    """Sends down one wire, and waits for what comes."""

    def __init__(self, port: int, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, name: str = "") -> None:
        self.heard, self.lost = asyncio.Queue[Reply](), asyncio.Event()
        self.wire = Wire(host, port, tls, self._done, name, lambda wire: self.lost.set())

    def _done(self, wire: Wire, reply: Reply) -> None:
        assert not wire.busy
        self.heard.put_nowait(reply)

    async def ask(self, data: bytes = GET, *, wants_body: bool = False) -> Reply:
        self.wire.send(data, wants_body)
        return await asyncio.wait_for(self.heard.get(), PATIENCE)


async def test_requests_follow_each_other_down_one_connection() -> None:
    async with serving() as served:
        caller = Caller(served.port)
        replies = [await caller.ask(wants_body=True) for _ in range(3)]

        assert [(one.status, one.body, one.length) for one in replies] == [(200, b"ok", 2)] * 3
        assert [one.connect_us is None for one in replies] == [False, True, True]
        assert all(0 < one.began_ns <= one.sent_ns <= one.first_ns <= one.end_ns for one in replies)
        assert served.connections == 1
        caller.wire.close()
        await asyncio.wait_for(caller.lost.wait(), PATIENCE)


@pytest.mark.parametrize(("told", "word", "status"), [
    ([CLOSE], "closed", 0), ([b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE], "closed", 0),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", CLOSE], "closed", 200),
    ([b"+PONG\r\n"], "broken", 0), ([b"HTTP/1.1 200 OK\r\n\r\nall of it", CLOSE], "", 200),
    ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"], "", 200),
    ([b"HTTP/1.1 100 Continue\r\n\r\n", 0.05, OK[:20], 0.05, OK[20:]], "", 200),
])  # fmt: skip
async def test_what_became_of_it_is_a_status_or_a_word(told: list[bytes | float], word: str, status: int) -> None:
    async with serving(lambda asked: told) as served:
        caller = Caller(served.port)
        reply = await caller.ask()

        assert (reply.failed, reply.status) == (word, status)
        assert caller.wire.alive == (not word and b"\r\n\r\nok" in OK and told[-1] == OK[20:])
        caller.wire.close()


async def test_nothing_listens_and_a_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        caller = Caller(port)
        caller.wire.send(GET)
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        accepted, _ = await loop.sock_accept(listening)
        await loop.sock_recv(accepted, 10_000)
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted.close()

        assert (await asyncio.wait_for(caller.heard.get(), PATIENCE)).failed == "reset"
    refused = Caller(port)
    assert (await refused.ask()).failed == "refused"
    assert not refused.wire.alive
    await asyncio.wait_for(refused.lost.wait(), PATIENCE)


async def test_what_has_ended_on_the_other_side_is_not_written_to_any_more() -> None:
    """Before the loop has told that the connection is lost, too: what is written then never leaves."""
    async with serving() as served:
        caller = Caller(served.port)
        await caller.ask()
        caller.wire.eof_received()

        assert not caller.wire.alive
        caller.wire.close()
        await asyncio.wait_for(caller.lost.wait(), PATIENCE)


async def test_giving_up_is_heard_once_and_frees_the_socket() -> None:
    async with serving(lambda asked: [60.0]) as served:
        caller = Caller(served.port)
        caller.wire.send(GET)
        await until(lambda: bool(served.asked))
        caller.wire.fail("timeout")
        caller.wire.fail("timeout")

        assert caller.heard.get_nowait().failed == "timeout"
        await asyncio.wait_for(caller.lost.wait(), PATIENCE)
        assert caller.heard.empty()


@pytest.mark.parametrize(("coding", "sent", "plain"), [
    ("gzip", gzip.compress(b"[1]", mtime=0), b"[1]"), ("identity", b"[1]", b"[1]"), ("br", b"\x0b", None), ("gzip", b"[1]", None),
])  # fmt: skip
async def test_a_body_is_read_through_its_compression(coding: str, sent: bytes, plain: bytes | None) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(sent)}\r\n\r\n".encode()
    async with serving(lambda asked: head + sent) as served:
        caller = Caller(served.port)
        reply = await caller.ask(wants_body=True)
        caller.wire.close()

    if plain is None:
        with pytest.raises(ValueError, match=r"compressed|header"):
            reply.plain()
    else:
        assert reply.plain() == plain


async def test_a_certificate_is_looked_at(tmp_path: Path) -> None:
    server, trusting = certified(tmp_path)
    answer: Answering = lambda asked: OK  # noqa: E731
    async with serving(answer, server) as served:
        trusted = Caller(served.port, tls=trusting, name="localhost")
        doubted = Caller(served.port, tls=ssl.create_default_context(), name="localhost")
        misnamed = Caller(served.port, tls=trusting, name="example.org")

        assert (await trusted.ask()).status == 200
        assert (await trusted.ask()).connect_us is None
        assert (await doubted.ask()).failed == "tls"
        assert (await misnamed.ask()).failed == "tls"
        trusted.wire.close()
        await asyncio.wait_for(trusted.lost.wait(), PATIENCE)


def certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's own certificate for localhost, and who trusts it."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    today, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(today - day).not_valid_after(today + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))
