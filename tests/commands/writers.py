"""Members who comment through the API and by the form of a page, each comment sent until it is acknowledged."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from models import Models
from tests.commands.mix import Mix
from tests.harness.visitors import Failed, Visitor

WRITERS = 8  # half of them by the form
PAUSE = 0.1  # s between two comments of a writer, and before one is sent again
PATIENCE = 60.0  # s for an answer


@dataclass
class Written:
    """`acknowledged`: texts for which a success was told; `refused`: statuses of the others, with Retry-After or without.
    `slowest`: s until an answer; `last`: when a comment was acknowledged last (time.monotonic)."""

    acknowledged: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    last: float = 0.0


def _by_program(port: int, mix: Mix, text: str) -> bytes:
    body = json.dumps({"content": text}).encode()
    return (
        f"POST /api/blogs/{mix.talk.id}/comments HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {mix.token}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _by_form(port: int, mix: Mix, text: str) -> bytes:
    body = f"body={quote_plus(text)}"
    return (
        f"POST /blog/{mix.talk.id}/comments HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: plaza={mix.cookie}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@asynccontextmanager
async def writing(port: int, mix: Mix) -> AsyncIterator[Written]:
    """They write while the block lasts; what is under way at its end is still acknowledged."""
    written, over = Written(), asyncio.Event()

    async def write(number: int) -> None:
        visitor, turn, request = Visitor(port, keeps=False, patience=PATIENCE), 0, (_by_program, _by_form)[number % 2]
        while not over.is_set():
            text, turn = f"writer {number} turn {turn}", turn + 1
            while text not in written.acknowledged:
                began = time.monotonic()
                try:
                    answer = await visitor.ask(request(port, mix, text), alone=True)
                except Failed as error:
                    written.refused[str(error)] += 1
                else:
                    if answer.status in (201, 303):
                        written.acknowledged.add(text)
                        written.last = time.monotonic()
                    else:
                        told = "with" if answer.retry_after else "without"
                        written.refused[f"{answer.status} {told} Retry-After"] += 1
                written.slowest = max(written.slowest, time.monotonic() - began)
                await asyncio.sleep(PAUSE)

    async with asyncio.TaskGroup() as group:
        for number in range(WRITERS):
            group.create_task(write(number))
        try:
            yield written
        finally:
            over.set()


async def kept(models: Models, mix: Mix) -> Counter[str]:
    """What MySQL has of them, and how often: one whose answer was lost may be there twice."""
    rows = await models.db.fetch("SELECT body_md FROM comments WHERE post_id = %s", mix.talk.id)
    return Counter(text for (text,) in rows)
