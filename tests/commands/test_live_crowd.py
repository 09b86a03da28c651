"""Thousands listen through Nginx: what that costs, and how fast all of them hear."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from commands.supervision import Supervisor
from models import connected
from models.poll_rules import NewPoll
from tests.commands.instances import Instance
from tests.harness.crowd import until, watching

LISTENERS = 5_000
MOST_MB = 150


def own_memory(instance: Instance) -> dict[str, float]:
    """MB that the web processes and Nginx have; what several share is divided among them."""
    pids = {one.name: one.pid for one in Supervisor(instance.settings).processes() if one.pid}
    found = {name: _share(pid) for name, pid in pids.items() if name.startswith("web")}
    children = Path(f"/proc/{pids['nginx']}/task/{pids['nginx']}/children").read_text().split()
    found["nginx"] = _share(pids["nginx"]) + sum(_share(int(child)) for child in children)
    return found


def _share(pid: int) -> float:
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024


@pytest.mark.long
async def test_five_thousand_who_listen_cost_less_than_150_megabytes(fresh: Instance) -> None:
    fresh.environment["PLAZA_REPLAY_TARGET"] = "true"  # all listen from one address
    fresh.up("--web", "2")
    async with connected(fresh.settings) as models:
        editor = await models.users.import_author("Edith")
        await models.users.grant(editor.id, "admin")
        poll = await models.polls.create(NewPoll("Which colour?", ("Red", "Green"), visitors=True), by=editor)
        async with watching(fresh.port, poll.id, 200):  # all that is made at the first time is there
            pass
        await asyncio.sleep(1)
        before = own_memory(fresh)
        async with watching(fresh.port, poll.id, LISTENERS) as crowd:
            await until(lambda: crowd.messages == LISTENERS)
            after = own_memory(fresh)
            began = time.monotonic()
            await models.ballots.cast(poll, [poll.choices[0].id], voter=os.urandom(16).hex())
            await until(lambda: crowd.messages == 2 * LISTENERS)
            took = time.monotonic() - began

    grown = {name: round(after[name] - before[name], 1) for name in after}
    print(
        f"{LISTENERS} listeners: {sum(grown.values()):.0f} MB more, {grown}; a vote reached all in {took * 1000:.0f} ms"
    )
    assert sum(grown.values()) < MOST_MB
    assert b'"voters":1' in crowd.last
