"""What a process asks of MySQL and of Redis, counted where it leaves the process."""

import re
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

import aiomysql
from redis.asyncio.connection import AbstractConnection

from cache.scripts import EPOCH
from cache.wire import Wire

_COMMAND = re.compile(rb"\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n")
# How connections are made, and what the process does to know that Redis is there: no page waits for these.
_HOUSEKEEPING = frozenset({"HELLO", "CLIENT", "SELECT", "AUTH", "INFO", "PING", "TIME"})
_EPOCH = EPOCH.pack([b"key"], [b"random"]).split(b"\r\n")[4]  # its hash: a connection of the cache begins with it
_SESSION = ("SET ", "/*", "ROLLBACK")


@dataclass(slots=True)
class Asked:
    """`statements`: SQL as sent, BEGIN and COMMIT among it; `trips`: the commands of each way to Redis and back."""

    statements: list[str] = field(default_factory=list)
    trips: list[str] = field(default_factory=list)

    @classmethod
    def of_this_process(cls) -> "Asked":
        """Count from now on, in all of the process."""
        asked = cls()
        run, send, sent = aiomysql.Connection._execute_command, AbstractConnection.send_packed_command, Wire.send

        made = WeakSet[Any]()  # connections that have done nothing yet; aiomysql ends their making with a COMMIT

        async def counted_run(connection: Any, command: Any, sql: Any) -> Any:
            text = sql.decode(errors="replace") if isinstance(sql, bytes) else str(sql)
            if text.startswith(_SESSION):
                made.add(connection)
            elif text and not (connection in made and text == "COMMIT"):
                asked.statements.append(text)
                made.discard(connection)
            return await run(connection, command, sql)

        async def counted_send(connection: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
            asked.note(command if isinstance(command, bytes) else b"".join(command))
            return await send(connection, command, *args, **kwargs)

        def counted_sent(wire: Wire, packed: bytes, *args: Any) -> None:
            asked.note(packed)
            sent(wire, packed, *args)

        aiomysql.Connection._execute_command = counted_run
        AbstractConnection.send_packed_command = counted_send  # type: ignore[assignment, method-assign]
        Wire.send = counted_sent  # type: ignore[assignment, method-assign]
        return asked

    def note(self, packed: bytes) -> None:
        """A way to Redis, as it was sent."""
        names = [name.decode().upper() for name in _COMMAND.findall(packed)]
        background = _EPOCH in packed or EPOCH.text in packed or b":canary:" in packed
        if names and not background and not _HOUSEKEEPING.intersection(names):
            self.trips.append(" ".join(names))

    def clear(self) -> None:
        self.statements.clear()
        self.trips.clear()
