"""Somebody who watches a poll, by Tornado's own client; and one who never reads."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.cache.steps import PATIENCE


@dataclass
class Listener:
    """`code`: of the closing, once it is closed."""

    connection: WebSocketClientConnection
    over: bool = False

    async def next(self) -> dict[str, Any] | None:
        """The next message; None when it is closed."""
        if self.over:
            return None
        async with asyncio.timeout(PATIENCE):
            message = await self.connection.read_message()
        if message is None:
            self.over = True
            self.connection.close()
            return None
        return dict(json.loads(message))

    async def close(self) -> None:
        """Hang up, if nobody has yet."""
        self.connection.close()
        while await self.next() is not None:
            pass

    @property
    def code(self) -> int | None:
        return self.connection.close_code


async def listen(base_url: str, poll_id: int, *, cookies: Mapping[str, str] | None = None, **headers: str) -> Listener:
    """Raises HTTPClientError for a handshake that was refused."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if cookies:
        named["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    parts = urlsplit(base_url)
    url = f"ws://{parts.netloc}/polls/{poll_id}/live"
    return Listener(await websocket_connect(HTTPRequest(url, headers=named, connect_timeout=PATIENCE)))
