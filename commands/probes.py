"""Is it there: one question to a web process by its socket, or to Nginx at its door."""

import http.client
import socket
import ssl
import struct
from pathlib import Path
from typing import Any

from settings import Settings


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def listener(path: Path) -> int | None:
    """The number of the process that listens at that socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.settimeout(3.0)
        try:
            door.connect(str(path))
            pid, _, _ = struct.unpack(
                "3i", door.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            )
        except OSError:
            return None
    return int(pid) or None


def ready(path: Path, timeout: float = 3.0) -> str | None:
    """None when the web process at that socket and its databases answer, else what is wrong."""
    try:
        status, said = ask(path, "/readyz", timeout)
    except OSError as error:
        return f"{path.name} does not answer: {error}"
    return None if status == 200 else f"{path.name} is not ready: {' '.join(said.split())[:300]}"


def ask(path: Path, page: str, timeout: float) -> tuple[int, str]:
    """Ask the web process at that socket for a page: status, the beginning of the body. Raises OSError."""
    connection = _UnixConnection(path, timeout)
    try:
        connection.request("GET", page, headers={"Host": "localhost"})
        answer = connection.getresponse()
        return answer.status, answer.read(2000).decode(errors="replace")
    except http.client.HTTPException as error:
        raise OSError(f"no answer: {error!r}") from None
    finally:
        connection.close()


def fetch(
    settings: Settings, path: str, timeout: float = 5.0, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Ask Nginx at its own door, as a visitor would: status, headers by lower-case name, body. Raises OSError."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    kind = http.client.HTTPSConnection if settings.tls_cert else http.client.HTTPConnection
    options: dict[str, Any] = {"context": _trusting()} if settings.tls_cert else {}
    connection = kind(host, settings.port, timeout=timeout, **options)
    try:
        connection.request("GET", path, headers={"Host": settings.site_url.split("://", 1)[1]} | (headers or {}))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"no answer: {error!r}") from None
    finally:
        connection.close()


def _trusting() -> ssl.SSLContext:
    """Asks only whether our own Nginx answers; whose certificate it shows is for visitors to judge."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
