"""Which site is replayed against, and whether it may be."""

import asyncio
import ipaddress
import json
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from replay.wire import Reply, Wire

PATH = "/.well-known/replay-target"
_FAILED = {
    "refused": "nothing listens there",
    "timeout": "no answer in time",
    "tls": "its certificate is not trusted, or it does not speak TLS (--insecure takes any certificate)",
    "broken": "what answers there does not speak HTTP/1.1",
}


@dataclass(frozen=True, slots=True)
class Target:
    """`url` without a slash at its end. `address` is what `host` resolved to, once, before the run; `authority` what stands in
    the header Host."""

    url: str
    host: str
    address: str
    port: int
    authority: str
    tls: ssl.SSLContext | None
    loopback: bool


class Refused(Exception):
    """It is no replay target, or not there; the text says it in a line."""


async def find(url: str, *, insecure: bool = False, timeout: float = 10.0) -> Target:
    """Raises Refused; ValueError for what is no address of a site."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError(f"{url} is no address such as http://localhost:8000")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"{url}: a target is a whole site, so its address ends with the host or the port")
    secure, host = parts.scheme == "https", parts.hostname
    port = parts.port or (443 if secure else 80)
    try:
        async with asyncio.timeout(timeout):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused(f"{host} is not known: it has no address") from None
    except TimeoutError:
        raise Refused(f"the address of {host} could not be found in {timeout:g} s") from None
    address = await _reached([str(one[4][0]) for one in found], port, timeout)
    return Target(
        f"{parts.scheme}://{parts.netloc}", host, address, port, parts.netloc, _tls(insecure) if secure else None,
        ipaddress.ip_address(address.partition("%")[0]).is_loopback,
    )  # fmt: skip


async def _reached(addresses: list[str], port: int, timeout: float) -> str:
    """The first that somebody listens at: localhost may be ::1 to the system and 127.0.0.1 to the site."""
    for address in addresses if len(addresses) > 1 else ():
        try:
            async with asyncio.timeout(timeout):
                _, writer = await asyncio.open_connection(address, port)
        except (OSError, TimeoutError):
            continue
        writer.close()
        return address
    return addresses[0]


def _tls(insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def ask(target: Target, *, writes: bool, run_id: str, timeout: float = 10.0) -> None:
    """Whether it says that it is a replay target; a loopback address may be read from without. Raises Refused."""
    reply = await get(target, PATH, run_id, timeout)
    if reply.failed:
        raise Refused(f"{target.url} does not answer: {_FAILED.get(reply.failed, reply.failed)}")
    if _says_so(reply) or (target.loopback and not writes):
        return
    raise Refused(
        f"{target.url} is no replay target: {PATH} answers {reply.status}, not "
        '{"replay_target": true}' + (", and writes are asked for (--writes)" if target.loopback else "")
    )


def _says_so(reply: Reply) -> bool:
    try:
        told = json.loads(reply.plain())
    except ValueError:
        return False
    return reply.status == 200 and isinstance(told, dict) and told.get("replay_target") is True


async def get(target: Target, path: str, run_id: str, timeout: float = 10.0) -> Reply:
    """One request on a connection of its own."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Reply] = loop.create_future()

    def done(wire: Wire, reply: Reply) -> None:
        if not answer.done():
            answer.set_result(reply)

    wire = Wire(target.address, target.port, target.tls, done, target.host)
    late = loop.call_later(timeout, wire.fail, "timeout")
    head = f"GET {path} HTTP/1.1\r\nHost: {target.authority}\r\nAccept: */*\r\nX-Replay-Run: {run_id}\r\nConnection: close\r\n"
    wire.send(f"{head}\r\n".encode(), wants_body=True)
    try:
        return await answer
    finally:
        late.cancel()
        wire.close()
