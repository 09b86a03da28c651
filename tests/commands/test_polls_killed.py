"""Votes come in by hundreds a second while processes are killed: what was acknowledged stands, once, and is counted."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from commands.supervision import Supervisor
from models import connected
from models.check import check
from models.check_boards import check_boards
from models.polls import Poll
from tests.commands.instances import Instance
from tests.harness.stubborn import Stubborn
from tests.harness.voters import poll_and_voters

PATIENCE = (
    60.0  # s that a vote is sent again and again: a machine that is too slow for the rate takes them all, but later
)
CLIENTS = 48
VOTERS = 2 * CLIENTS
WITHIN = 2.0  # s after the last fault until all agrees


@dataclass
class Load:
    """Votes at a steady rate, each sent until it is acknowledged. A voter votes again, mostly otherwise, when the last one was
    taken: `standing` is the choice of each that must be found."""

    port: int
    poll: Poll
    tokens: Sequence[str]
    rate: int
    seconds: float
    standing: dict[int, int] = field(default_factory=dict)
    slow: list[float] = field(default_factory=list)
    again: int = 0

    async def run(self) -> None:
        await asyncio.gather(*(self._client(one) for one in range(CLIENTS)))

    async def _client(self, one: int) -> None:
        began, client = time.monotonic(), Stubborn(self.port)
        for turn in range(int(self.rate * self.seconds / CLIENTS)):
            who = one + turn % (len(self.tokens) // CLIENTS) * CLIENTS
            choice = self.poll.choices[(who + turn * 7 // 3) % len(self.poll.choices)].id
            due = began + (turn * CLIENTS + one) / self.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            path, body = f"/api/v1/polls/{self.poll.id}/ballot", {"choices": [choice]}
            assert await client.acknowledged("PUT", path, body, self.tokens[who], due + PATIENCE)
            self.standing[who] = choice
            self.slow.append(time.monotonic() - due)
        self.again += client.again
        client.hang_up()


async def killed_under_load(instance: Instance, rate: int, seconds: float, victims: Sequence[str]) -> None:
    """One victim after another, at equal distances."""
    supervisor = Supervisor(instance.settings)

    async def kill() -> None:
        for name in victims:
            await asyncio.sleep(seconds / (len(victims) + 1))
            pid = next((one.pid for one in supervisor.processes() if one.name == name), None)
            assert pid, name
            os.kill(pid, signal.SIGKILL)

    async with connected(instance.settings) as models:
        poll, members, tokens = await poll_and_voters(models, VOTERS)
        load = Load(instance.port, poll, tokens, rate, seconds)
        began = time.monotonic()
        await asyncio.gather(load.run(), kill())
        took = time.monotonic() - began
        await asyncio.sleep(WITHIN)

        rows = await models.db.fetch("SELECT voter, choice_id FROM selections WHERE poll_id = %s", poll.id)
        wanted = {f"u{members[who].id}": choice for who, choice in load.standing.items()}
        counts = Counter(wanted.values())
        result = await models.results.one(poll.id)
        slow = sorted(load.slow)
        print(f"{len(slow)} votes offered at {rate}/s, taken at {len(slow) / took:.0f}/s, {load.again} sent again; "
              f"p50 {slow[len(slow) // 2] * 1000:.0f} ms, p99 {slow[len(slow) * 99 // 100] * 1000:.0f} ms")  # fmt: skip

        assert dict(rows) == wanted
        assert len(rows) == len(wanted) == VOTERS  # one choice each
        assert result == await models.results.fresh().one(poll.id)
        assert (result.voters, result.votes) == (VOTERS, tuple(counts[choice.id] for choice in poll.choices))
        assert await check(models.db) == []
        async with asyncio.timeout(60):
            # What votes give on the boards is counted by the worker.
            while await check_boards(models.boards, models.standings):  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def test_no_acknowledged_vote_is_lost_or_doubled_whoever_is_killed(fresh: Instance) -> None:
    fresh.environment["PLAZA_VOTES_PER_MINUTE"] = "1000000"
    fresh.up("--web", "2")

    await killed_under_load(fresh, rate=60, seconds=8, victims=("web-0", "redis", "mariadb", "worker"))


@pytest.mark.long
async def test_nor_at_two_hundred_a_second_for_a_minute(fresh: Instance) -> None:
    fresh.environment["PLAZA_VOTES_PER_MINUTE"] = "1000000"
    fresh.up("--web", "2")

    victims = ("web-0", "mariadb", "redis", "web-1", "worker", "mariadb", "web-0")
    await killed_under_load(fresh, rate=200, seconds=60, victims=victims)
