"""Counts what a piece of code asks of MySQL and of Redis, for tests that hold it to a number."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiomysql
import pytest
from redis.asyncio.connection import AbstractConnection

from cache.scripts import EPOCH
from cache.wire import Wire

_COMMAND = re.compile(rb"\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n")
# TIME: what tracking asks ten times a second. PUBLISH: the news of many writes and pages together, for which nobody waits.
_GREETING = {"HELLO", "CLIENT", "SELECT", "AUTH", "TIME", "PUBLISH"}


@dataclass(slots=True)
class Counted:
    """`statements`: SQL as sent; `commands`: names of Redis commands; `trips`: ways to Redis and back."""

    statements: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    trips: int = 0

    @property
    def selects(self) -> list[str]:
        return [sql for sql in self.statements if sql.lstrip().upper().startswith("SELECT")]

    def clear(self) -> None:
        self.statements.clear()
        self.commands.clear()
        self.trips = 0


@contextmanager
def counting() -> Iterator[Counted]:
    """Count in the whole process for as long as the block lasts."""
    counted = Counted()
    query, send = aiomysql.Cursor._query, AbstractConnection.send_packed_command

    def note(packed: bytes) -> None:
        names = [name.decode().upper() for name in _COMMAND.findall(packed)]
        if not _GREETING.intersection(names) and b":canary:" not in packed:
            counted.commands.extend(names)
            counted.trips += 1

    async def counted_query(cursor: Any, sql: str) -> Any:
        counted.statements.append(sql)
        return await query(cursor, sql)

    async def counted_send(connection: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
        note(command if isinstance(command, bytes) else b"".join(command))
        return await send(connection, command, *args, **kwargs)

    sent = Wire.send

    def counted_sent(wire: Wire, packed: bytes, *args: Any) -> None:
        if EPOCH.sha not in packed and EPOCH.text not in packed:  # with it a connection of the cache begins
            note(packed)
        sent(wire, packed, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aiomysql.Cursor, "_query", counted_query)
        patch.setattr(AbstractConnection, "send_packed_command", counted_send)
        patch.setattr(Wire, "send", counted_sent)
        yield counted
