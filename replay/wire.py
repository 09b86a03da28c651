"""One connection over HTTP/1.1, for one request at a time: it notes when what happened, and keeps of an answer what is asked for."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Reply:
    """An answer, or in a word why there is none (`failed`): refused, reset, timeout, closed, broken (no HTTP), dns, tls, no
    descriptor, no port. Moments are nanoseconds of `clock.now()`, 0 for what did not come to pass. `began_ns`: handed to the
    wire; `sent_ns`: written to a socket that was connected; `connect_us`: None where the connection was there."""

    status: int = 0
    failed: str = ""
    head: bytes = b""
    length: int = 0  # bytes of the body, as they came
    body: bytes = b""  # empty unless wanted
    began_ns: int = 0
    sent_ns: int = 0
    first_ns: int = 0
    end_ns: int = 0
    connect_us: int | None = None

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names in lower case, in their order."""
        raise NotImplementedError

    def header(self, name: str) -> str:
        """The first of this name (lower case), "" without one."""
        raise NotImplementedError


class Wire(asyncio.BufferedProtocol):
    """Connects at the first `send`. `on_done` hears exactly once of each request that was sent, from the loop, never from within
    `send`. `alive`: it may be used again, once `busy` is over; a wire that is not alive any more is thrown away."""

    alive: bool
    busy: bool

    def __init__(
        self, host: str, port: int, tls: ssl.SSLContext | None, on_done: Callable[["Wire", Reply], None]
    ) -> None:
        raise NotImplementedError

    def send(self, data: bytes, wants_body: bool = False) -> None:
        """A whole request. Whether it is a HEAD is seen from its first bytes."""
        raise NotImplementedError

    def fail(self, word: str) -> None:
        """Give up on what is under way: `on_done` hears of it with this word. The connection ends."""
        raise NotImplementedError

    def close(self) -> None:
        """Nobody hears of it."""
        raise NotImplementedError
