"""A plan of a test, sent to a server of the test."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from replay import targets
from replay.clock import now
from replay.measuring import Measure
from replay.plans import Plan
from replay.running import Options, Runner
from replay.targets import Target
from tests.replay.serving import Served

PATIENCE = 60.0


def target_of(url: str) -> Target:
    """One that is not asked whether it is there."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return Target(url, parts.hostname, parts.hostname, parts.port, parts.netloc, None, True)


async def ran(plan: Plan, served: Served | str, *, stop: asyncio.Event | None = None, **options: Any) -> Measure:
    target = await targets.find(served if isinstance(served, str) else served.url, insecure=True)
    measure = Measure()
    runner = Runner(plan, target, Options("run-1", **options), measure)
    await asyncio.wait_for(runner.run(now() + 5_000_000, stop or asyncio.Event()), PATIENCE)
    return measure


def outcomes(measure: Measure) -> dict[str, int]:
    """Of all routes together; what was due and what became of it are as many."""
    found: dict[str, int] = {}
    for route in measure.routes.values():
        for word, count in route.outcomes.items():
            found[word] = found.get(word, 0) + count
    assert sum(second.due for second in measure.seconds.values()) == sum(found.values())
    assert sum(second.sent for second in measure.seconds.values()) == sum(
        second.ended for second in measure.seconds.values()
    )
    return found
