"""Polls that are watched: who votes, and who listens."""

import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from models import Models
from models.poll_rules import NewPoll
from models.polls import Poll
from tests.harness.listeners import Listener
from tests.harness.people import People

Hear = Callable[..., Awaitable[Listener]]
HANDSHAKE = (
    "GET /polls/{id}/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def colours(models: Models, people: People, **fields: object) -> Poll:
    new = NewPoll("Which colour?", ("Red", "绿"), **{"visitors": True, **fields})  # type: ignore[arg-type]
    return await models.polls.create(new, by=people.alice)


async def vote(models: Models, poll: Poll, number: int) -> None:
    """By a voter of that number, for the first or the second choice."""
    await models.ballots.cast(poll, [poll.choices[number % 2].id], voter=f"{number:032x}")


async def heard(listener: Listener, voters: int) -> None:
    """Until so many have voted, as the listener is told."""
    while (said := await listener.next()) is None or said["voters"] != voters:
        assert said, "it was closed"


async def closed(listener: Listener) -> int | None:
    """How it was closed, after whatever was said before."""
    while await listener.next() is not None:
        pass
    return listener.code


def mute(base_url: str, poll_id: int, *, buffer: int = 0) -> socket.socket:
    """Somebody who shakes hands, and neither reads nor answers."""
    parts = urlsplit(base_url)
    deaf = socket.socket()
    if buffer:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    deaf.connect((parts.hostname, parts.port))
    deaf.sendall(HANDSHAKE.format(id=poll_id).encode())
    return deaf
