"""Bytes that no client library would send, to Nginx or straight to a web process, and all that comes back."""

import re
import socket
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 30.0  # s for the other side to hang up
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) ")

Where = Path | tuple[str, int]  # a Unix socket, or host and port


@dataclass(frozen=True, slots=True)
class Came:
    """All bytes until the other side hung up. `statuses`: those of the answers, without 100."""

    data: bytes

    @property
    def statuses(self) -> tuple[int, ...]:
        return tuple(status for status in map(int, _STATUS.findall(self.data)) if status != 100)

    @property
    def headers(self) -> dict[str, str]:
        """Those of the first answer, names in lower case."""
        lines = self.data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def connected(where: Where) -> socket.socket:
    if isinstance(where, Path):
        opened = socket.socket(socket.AF_UNIX)
        opened.settimeout(PATIENCE)
        opened.connect(str(where))
        return opened
    return socket.create_connection(where, PATIENCE)


def say(where: Where, data: bytes, *, hang_up: bool = False) -> Came:
    """Send it and read to the end. `hang_up`: nothing comes after it, and the other side is told so.

    Raises TimeoutError when the other side neither answers nor hangs up.
    """
    came = bytearray()
    with closing(connected(where)) as opened:
        try:
            opened.sendall(data)
            if hang_up:
                opened.shutdown(socket.SHUT_WR)
            while piece := opened.recv(65_536):
                came += piece
        except ConnectionError:
            pass  # closed before all of it was read
    return Came(bytes(came))
