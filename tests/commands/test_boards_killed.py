"""Scores come in by hundreds a second while processes are killed: what was acknowledged is kept, once, and ranked in the end."""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from commands.supervision import Supervisor
from models import Models, connected
from models.boards import Board, NewBoard
from models.check_boards import check_boards
from models.tokens import SCORES
from tests.commands.instances import Instance
from tests.harness.stubborn import Stubborn

PATIENCE = (
    60.0  # s that a score is sent again and again: a machine that is too slow for the rate takes them all, but later
)
CLIENTS = 48
WITHIN = 2.0  # s after the last fault until all agrees


@dataclass
class Load:
    """Scores at a steady rate over kept connections, each sent until it is acknowledged: by its own id, so once is enough."""

    port: int
    tokens: Sequence[str]
    rate: int
    seconds: float
    acknowledged: dict[tuple[int, str], float] = field(default_factory=dict)
    slow: list[float] = field(default_factory=list)
    again: int = 0

    async def run(self) -> None:
        began, numbers = time.monotonic(), iter(range(int(self.rate * self.seconds)))

        async def client() -> None:
            stubborn = Stubborn(self.port)
            for number in numbers:
                due = began + number / self.rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                who, score, id = number % len(self.tokens), float(number % 977), str(number)
                path, body = "/api/v1/boards/race/scores", {"score": score, "id": id}
                if await stubborn.acknowledged("POST", path, body, self.tokens[who], due + PATIENCE):
                    self.acknowledged[who, id] = score
                    self.slow.append(time.monotonic() - due)
            self.again += stubborn.again
            stubborn.hang_up()

        await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def prepare(models: Models, players: int) -> tuple[Board, list[int], list[str]]:
    operator = await models.users.import_author("Olga")
    await models.users.grant(operator.id, "operator")
    board = await models.boards.create(NewBoard("race", "Race", keep="sum"), by=operator)
    ids: list[int] = []
    tokens: list[str] = []
    for number in range(players):
        user = await models.users.import_author(f"Player {number}")
        await models.users.grant(user.id, "member")
        ids.append(user.id)
        opened = await models.sessions.start(user.id, days=1, ip=None, user_agent="")
        session = await models.sessions.by_token(opened)
        assert session
        _, secret = await models.tokens.create("game", (SCORES,), days=None, by=user, session=session)
        tokens.append(secret)
    return board, ids, tokens


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
        board, ids, tokens = await prepare(models, 100)
        await models.standings.top(board, "ever")  # the worker builds it
        load = Load(instance.port, tokens, rate, seconds)
        began = time.monotonic()
        await asyncio.gather(load.run(), kill())
        took = time.monotonic() - began
        await asyncio.sleep(WITHIN)

        rows = await models.db.fetch(
            "SELECT subject_id, client_id, score FROM scores WHERE board_id = %s AND about IS NULL", board.id
        )
        kept = {(ids.index(subject), id): score / 1000 for subject, id, score in rows}
        sums = {who: sum(score for (one, _), score in kept.items() if one == who) for who in range(len(ids))}
        best = sorted(sums.values(), reverse=True)
        top = await models.standings.top(board, "ever", 100)
        slow = sorted(load.slow)
        print(f"{len(kept)} scores offered at {rate}/s, taken at {len(kept) / took:.0f}/s, "
              f"{load.again} sent again; p50 {slow[len(slow) // 2] * 1000:.0f} ms, "
              f"p99 {slow[len(slow) * 99 // 100] * 1000:.0f} ms")  # fmt: skip

        assert len(load.acknowledged) == int(rate * seconds)
        assert kept == load.acknowledged
        assert len(rows) == len(kept)  # once each
        assert [place.score / 1000 for place in top.places] == best
        assert await check_boards(models.boards, models.standings) == []
        for subject in ids[:5]:
            standing = await models.standings.place(board, "ever", subject)
            assert standing
            assert standing.rank == best.index(sums[ids.index(subject)]) + 1
        async with asyncio.timeout(60):
            while (await models.standings.top(board, "ever")).players != len(ids):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert await check_boards(models.boards, models.standings) == []


async def test_no_acknowledged_score_is_lost_or_doubled_whoever_is_killed(fresh: Instance) -> None:
    fresh.environment["PLAZA_SCORES_PER_MINUTE"] = "1000000"
    fresh.up("--web", "2")

    await killed_under_load(fresh, rate=60, seconds=6, victims=("web-0", "redis", "worker"))


@pytest.mark.long
async def test_nor_at_five_hundred_a_second_for_a_minute(fresh: Instance) -> None:
    fresh.environment["PLAZA_SCORES_PER_MINUTE"] = "1000000"
    fresh.up("--web", "2")

    await killed_under_load(fresh, rate=500, seconds=60, victims=("web-0", "worker", "redis", "web-1", "worker"))
