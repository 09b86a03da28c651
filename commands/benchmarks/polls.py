"""Votes through Nginx by members who each vote once: at a steady rate that waits for nobody, and a thousand at one moment."""

import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field

from commands.benchmarks import cpu
from commands.benchmarks.bulk import connected
from commands.benchmarks.laboratory import Laboratory
from commands.benchmarks.lanes import Benchmark, Figure, Subject
from commands.benchmarks.members import members
from commands.console import Trouble

RATE = 200  # votes a second
VOTES = 6_000  # of the steady rate: half a minute
TOGETHER = 1_000
CHOICES = 4
LOOKING = 16  # members who look at a poll at one moment, before the votes
PATIENCE = 30.0  # s for an answer
MOST_MS, MOST_SECONDS = 500.0, 5.0


def polls(votes: int = VOTES) -> Benchmark:
    return Benchmark("polls", "Votes", lambda laboratory: _votes(laboratory, votes))


@dataclass(slots=True)
class Crowd:
    """Members with their tokens, and the connections to Nginx that are free. A vote that is due takes one, or makes one more."""

    port: int
    tokens: list[str]
    took: list[float] = field(default_factory=list)  # s from the moment a vote was due
    failed: Counter[int] = field(default_factory=Counter)  # by status; 0: no answer
    _free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def vote(self, who: int, poll_id: int, choice_id: int, due: float) -> None:
        await asyncio.sleep(due - time.monotonic())
        body = json.dumps({"choices": [choice_id]}).encode()
        status = await self._asked(who, f"PUT /api/v1/polls/{poll_id}/ballot", body)
        if status != 201:
            self.failed[status] += 1
        self.took.append(time.monotonic() - due)

    async def look(self, who: range, poll_id: int) -> None:
        """As the page of a poll asks for what is one's own, one after the other. Raises Trouble."""
        for one in who:
            if await self._asked(one, f"GET /api/v1/me?on=/polls/{poll_id}", b"") != 200:
                raise Trouble(f"member {one} could not look at poll {poll_id}")

    async def _asked(self, who: int, question: str, body: bytes) -> int:
        """The status of the answer; 0: none."""
        try:
            async with asyncio.timeout(PATIENCE):
                line = self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self.port)
                status = await self._send(*line, who, question, body)
                self._free.append(line)
        except (OSError, EOFError, TimeoutError):
            return 0
        return status

    async def _send(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: int, question: str, body: bytes
    ) -> int:
        writer.write(
            f"{question} HTTP/1.1\r\nHost: localhost:{self.port}\r\n"
            f"Content-Type: application/json\r\nAuthorization: Bearer {self.tokens[who]}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        await reader.readexactly(int(head.partition("content-length:")[2].partition("\r\n")[0]))
        return int(head.split(" ", 2)[1])

    def hang_up(self) -> None:
        while self._free:
            self._free.pop()[1].close()


def _votes(laboratory: Laboratory, votes: int) -> Subject:
    tokens = members(laboratory, "Voter", max(votes, TOGETHER))
    figures = (
        Figure("p50", f"a vote at {RATE} a second, p50", "ms"),
        Figure("p99", f"a vote at {RATE} a second, p99", "ms", most=MOST_MS),
        Figure("cpu", "what web processes and Nginx compute for one", "ms"),
        Figure("refused", "votes that were refused, or not answered", "", most=0, worst=True),
        Figure("together", f"until {TOGETHER:,} at one moment are answered", "s", most=MOST_SECONDS),
    )

    def probe() -> Mapping[str, float]:
        crowd, pids = Crowd(laboratory.settings.port, tokens), laboratory.nginx.pids
        asyncio.run(_look(crowd, laboratory, max(votes, TOGETHER)))
        before = cpu.spent(pids)
        asyncio.run(_cast(crowd, laboratory, votes, RATE))
        spent = cpu.spent(pids) - before
        took = statistics.quantiles(crowd.took, n=100)
        together = Crowd(laboratory.settings.port, tokens)
        seconds = asyncio.run(_cast(together, laboratory, TOGETHER, None))
        refused = crowd.failed.total() + together.failed.total()
        return {
            "p50": took[49] * 1e3, "p99": took[98] * 1e3, "cpu": spent / votes * 1e3, "refused": refused, "together": seconds,
        }  # fmt: skip

    return Subject(f"{votes:,} votes", {"votes": votes, "rate": RATE}, figures=figures, probe=probe)


async def _look(crowd: Crowd, laboratory: Laboratory, count: int) -> None:
    """Who votes has opened a page of the site before: their tokens, accounts and rights have been read."""
    poll_id, _ = new_poll(laboratory)
    await asyncio.gather(*(crowd.look(range(one, count, LOOKING), poll_id) for one in range(LOOKING)))
    crowd.hang_up()


async def _cast(crowd: Crowd, laboratory: Laboratory, votes: int, rate: int | None) -> float:
    """Each member votes once in a new poll; seconds until all are answered. Raises Trouble when one taken is not counted."""
    poll_id, choices = new_poll(laboratory)
    began = time.monotonic()
    cast: list[Awaitable[None]] = [
        crowd.vote(who, poll_id, choices[who % CHOICES], began + (who / rate if rate else 0.0)) for who in range(votes)
    ]
    await asyncio.gather(*cast)
    took = time.monotonic() - began
    crowd.hang_up()
    with connected(laboratory.settings.mysql) as cursor:
        cursor.execute(
            "SELECT p.voters, SUM(c.votes) FROM polls p JOIN choices c ON c.poll_id = p.id WHERE p.id = %s", (poll_id,)
        )
        counted = cursor.fetchone()
    taken, unknown = votes - crowd.failed.total(), crowd.failed[0]
    if counted[0] != counted[1] or not taken <= counted[0] <= taken + unknown:
        raise Trouble(f"{taken:,} votes were taken, {unknown:,} not answered, and {counted} are counted")
    return took


def new_poll(laboratory: Laboratory) -> tuple[int, list[int]]:
    """A poll that nobody has read yet: its id, and its choices'."""
    with connected(laboratory.settings.mysql) as cursor:
        cursor.execute(
            "INSERT INTO polls (author_id, question, kind, results, status, opens_at, created_at) VALUES "
            "(1, 'Which?', 'single', 'always', 'open', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))"
        )
        id: int = cursor.lastrowid
        cursor.executemany(
            "INSERT INTO choices (poll_id, position, text) VALUES (%s, %s, %s)",
            [(id, place, f"Choice {place}") for place in range(CHOICES)],
        )
        cursor.execute("SELECT id FROM choices WHERE poll_id = %s ORDER BY position", (id,))
        return id, [row[0] for row in cursor.fetchall()]
