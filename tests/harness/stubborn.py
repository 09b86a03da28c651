"""A client that sends the same request until it is acknowledged, over a connection that it keeps, whoever is killed meanwhile."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

PAUSE = 0.05  # s before a request is sent again
PATIENCE = 5.0  # s for an answer


@dataclass
class Stubborn:
    """`again`: how many requests had to be sent once more."""

    port: int
    again: int = 0
    _connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def acknowledged(self, method: str, path: str, body: dict[str, Any], token: str, until: float) -> bool:
        """Whether it was, before `until` (of time.monotonic). Any answer but 200, 201, 502, 503 is an error of the test."""
        while time.monotonic() < until:
            status = await self.send(method, path, body, token)
            if status in (200, 201):
                return True
            assert status in (0, 502, 503), f"{method} {path}: {status}"
            self.again += 1
            self.hang_up()
            await asyncio.sleep(PAUSE)
        return False

    async def send(self, method: str, path: str, body: dict[str, Any], token: str) -> int:
        """The status; 0 when no answer came."""
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = self._connection = self._connection or await asyncio.open_connection(
                    "127.0.0.1", self.port
                )
                data = json.dumps(body).encode()
                writer.write(
                    f"{method} {path} HTTP/1.1\r\nHost: localhost:{self.port}\r\nContent-Type: application/json\r\n"
                    f"Authorization: Bearer {token}\r\nContent-Length: {len(data)}\r\n\r\n".encode()
                    + data
                )
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                await reader.readexactly(int(head.partition("content-length:")[2].partition("\r\n")[0]))
                return int(head.split(" ", 2)[1])
        except (OSError, TimeoutError, EOFError, ValueError):
            self.hang_up()
            return 0

    def hang_up(self) -> None:
        if self._connection:
            self._connection[1].close()
            self._connection = None
