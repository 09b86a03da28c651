"""What a process asks of MySQL and of Redis, counted where it leaves the process."""

import re
from dataclasses import dataclass, field
from typing import Any

import aiomysql
from redis.asyncio.connection import AbstractConnection

_COMMAND = re.compile(rb"\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n")
# How connections are made, and what the process does to know that Redis is there: no page waits for these.
_HOUSEKEEPING = frozenset({"HELLO", "CLIENT", "SELECT", "AUTH", "INFO", "PING", "TIME"})
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
        run, send = aiomysql.Connection._execute_command, AbstractConnection.send_packed_command

        async def counted_run(connection: Any, command: Any, sql: Any) -> Any:
            text = sql.decode(errors="replace") if isinstance(sql, bytes) else str(sql)
            if text and not text.startswith(_SESSION):
                asked.statements.append(text)
            return await run(connection, command, sql)

        async def counted_send(connection: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
            data = command if isinstance(command, bytes) else b"".join(command)
            names = [name.decode().upper() for name in _COMMAND.findall(data)]
            if names and not _HOUSEKEEPING.intersection(names):
                asked.trips.append(" ".join(names))
            return await send(connection, command, *args, **kwargs)

        aiomysql.Connection._execute_command = counted_run
        AbstractConnection.send_packed_command = counted_send  # type: ignore[assignment, method-assign]
        return asked

    def clear(self) -> None:
        self.statements.clear()
        self.trips.clear()
