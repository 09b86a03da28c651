"""Reads one answer out of the bytes of a connection, in whatever pieces they come."""

from replay import heads
from replay.chunks import Broken, Chunks


class Answer:
    """Is fed until it is whole. Only what is asked for is kept: of a body else just its `length`."""

    __slots__ = ("_chunks", "_left", "_of_head", "_parts", "_unread", "_wants", "head", "length", "status", "stays")

    def __init__(self, *, of_head: bool = False, wants_body: bool = False) -> None:
        """`of_head`: it answers a HEAD, and has no body whatever it says."""
        self._of_head, self._wants = of_head, wants_body
        self._unread, self._parts = b"", list[bytes]()
        self._left: int | None = None  # bytes of the body, or how its end is found; None before there is a head
        self._chunks: Chunks | None = None
        self.status, self.head, self.length = 0, b"", 0
        self.stays = True  # the connection may be used again

    @property
    def body(self) -> bytes:
        return b"".join(self._parts if self._chunks is None else self._chunks.parts)

    @property
    def ends_with_connection(self) -> bool:
        return self._left == heads.UNTIL_CLOSE

    def feed(self, data: memoryview) -> int:
        """How many bytes came behind its end; -1 while it is not whole. Raises Broken."""
        if self._left is None:
            return self._read_head(self._unread + data)
        return self._read_body(bytes(data) if self._wants or self._chunks else b"", len(data))

    def _read_head(self, data: bytes) -> int:
        end = data.find(b"\r\n\r\n") + 4
        while end > 3:
            head = data[: end - 2]
            status = heads.status_of(head)
            if status >= 200:
                break
            if status == 101:  # what nobody has asked for
                raise Broken
            data = data[end:]
            end = data.find(b"\r\n\r\n") + 4
        else:
            if len(data) > heads.LONGEST or not heads.may_begin(data):
                raise Broken
            self._unread = data
            return -1
        self.status, self.head = status, head
        self._left, self.stays = heads.framing(head, status, of_head=self._of_head)
        if self._left == heads.CHUNKED:
            self._chunks = Chunks(self._wants)
        return self._read_body(data[end:] if self._wants or self._chunks else b"", len(data) - end)

    def _read_body(self, data: bytes, size: int) -> int:
        """`data` is empty where only its size matters."""
        assert self._left is not None
        if self._chunks is not None:
            behind = self._chunks.feed(data)
            self.length = self._chunks.length
            return behind
        took = size if self._left == heads.UNTIL_CLOSE else min(size, self._left)
        self.length += took
        if self._wants and took:
            self._parts.append(data[:took])
        if self._left < 0:
            return -1
        self._left -= took
        return -1 if self._left else size - took
