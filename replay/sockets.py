"""A connection over TCP without TLS, as a transport of asyncio that is there at once.

asyncio makes one in four turns of its loop, with a task and three futures: 0.35 ms, by which the next of a burst of new visitors
would be sent late. Here it is the system's calls, and a callback for when there is something to read.
"""

import asyncio
import errno
import os
import socket
from typing import Final

_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK})


class Plain(asyncio.Transport):
    """The protocol hears of it as from asyncio's own transports; of its end never from within a call of these methods. What never
    came to be connected is lost without having been made. `address` is one in numbers: a name would be looked up in here."""

    __slots__ = ("_file", "_loop", "_protocol", "_socket", "_unsent")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, address: str, port: int, protocol: asyncio.BufferedProtocol
    ) -> None:
        """It may be made from within this call. Raises OSError where there can be no socket."""
        super().__init__()
        self._loop, self._protocol, self._unsent = loop, protocol, b""
        self._socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        self._file = self._socket.fileno()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = self._socket.connect_ex((address, port))
        if error in _UNDER_WAY and not self._is_there():
            loop.add_writer(self._file, self._tried)
        elif error in _UNDER_WAY or not error:
            self._connected()
        else:
            self._end(_error(error))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._unsent:  # an answer may come before all of what it answers has left
            self._unsent += data
            return
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._end(error)
            return
        if sent < len(data):
            self._unsent = bytes(data[sent:])
            self._loop.add_writer(self._file, self._write_on)

    def close(self) -> None:
        """At once: whoever closes it waits for no answer any more, so nothing need be sent."""
        self._end(None)

    def abort(self) -> None:
        self._end(None)

    def is_closing(self) -> bool:
        return self._file < 0

    def _is_there(self) -> bool:
        """On this machine both ends are connected when the call returns, though it says that it is under way."""
        try:
            self._socket.getpeername()
        except OSError:
            return False
        return True

    def _tried(self) -> None:
        self._loop.remove_writer(self._file)
        if error := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._end(_error(error))
        else:
            self._connected()

    def _connected(self) -> None:
        self._loop.add_reader(self._file, self._read)
        self._protocol.connection_made(self)

    def _read(self) -> None:
        try:
            count = self._socket.recv_into(self._protocol.get_buffer(-1))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        if count:
            self._protocol.buffer_updated(count)
        else:
            self._protocol.eof_received()
            self._end(None)

    def _write_on(self) -> None:
        self._loop.remove_writer(self._file)
        unsent, self._unsent = self._unsent, b""
        self.write(unsent)

    def _end(self, error: OSError | None) -> None:
        if self._file >= 0:
            self._loop.remove_reader(self._file)
            self._loop.remove_writer(self._file)
            self._file = -1
            self._socket.close()
            self._loop.call_soon(self._protocol.connection_lost, error)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
