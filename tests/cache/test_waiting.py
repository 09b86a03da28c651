"""Who waits for a push of a name, and a process that was stopped: R21."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from cache.local import LAG, now
from settings import Settings
from tests.cache.sides import Side, until
from tests.harness.wires import Wire

pytest_plugins = ["tests.cache.two_sides"]


ROOT = Path(__file__).resolve().parent.parent.parent


async def test_a_waiter_wakes_when_the_name_is_pushed(here: Side, there: Side) -> None:
    with here.tracking.push("a") as push:
        waiting = asyncio.create_task(push.wait(60))
        await there.write("b")
        await asyncio.sleep(0)
        assert not waiting.done()
        await there.write("a")
        await asyncio.wait_for(waiting, 30)

    assert here.local._watches == {}


async def test_a_waiter_who_goes_leaves_nothing_behind(here: Side) -> None:
    with here.tracking.push("a") as push:
        waiting = asyncio.create_task(push.wait(60))
        await asyncio.sleep(0)
        waiting.cancel()

    assert here.local._watches == {}


async def test_a_push_between_the_question_and_the_wait_is_not_missed(here: Side, there: Side) -> None:
    with here.tracking.push("a") as push:
        ticket = here.local.ticket("a")
        await there.write("a")
        await until(lambda: not ticket.alive)
        await asyncio.wait_for(push.wait(60), 30)


async def test_waiters_wake_when_the_connection_breaks(on_wire: Side, wire: Wire) -> None:
    with on_wire.tracking.push("a") as push:
        waiting = asyncio.create_task(push.wait(60))
        await asyncio.sleep(0)
        await wire.cut()
        await asyncio.wait_for(waiting, 30)


async def test_without_pushes_a_waiter_only_rests(here: Side) -> None:
    """As in a process that does not listen: it asks again soon."""
    await here.tracking.close()
    with here.tracking.push("a") as push:
        await asyncio.wait_for(push.wait(60), 30)


STOPPED = """
import asyncio, sys
from redis.asyncio import Redis
from cache.link import Link
from cache.local import Local, now
from cache.tracking import Tracking

async def main(url, namespace):
    redis = Redis.from_url(url, protocol=3)
    link, local = Link(redis, namespace), Local(1 << 20)
    await link.start()
    tracking = Tracking(redis, namespace, link, local)
    tracking.start()
    while not local.open:
        await asyncio.sleep(0.01)
    for _ in range(2):
        local.put(local.ticket("a"), "a", "old", stamp=1)
    last = now()
    print("ready", local.get("a").value, flush=True)
    while True:
        # No await: what the first read after SIGCONT says, before the loop has seen its sockets.
        for _ in range(2000):
            moment, entry = now(), local.get("a")
            if moment - last > 0.25:
                print("stopped", "old" if entry else "silent", flush=True)
            last = moment
        await asyncio.sleep(0)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_r21_a_process_that_was_stopped_never_answers_with_what_was_changed_meanwhile(
    settings: Settings, there: Side
) -> None:
    process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
        [sys.executable, "-c", STOPPED, settings.redis, settings.namespace], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout
    try:
        assert await asyncio.to_thread(process.stdout.readline) == "ready old\n"
        process.send_signal(signal.SIGSTOP)
        stopped = now()
        await there.write("a")
        await until(lambda: now() - stopped > LAG)
        process.send_signal(signal.SIGCONT)
        assert await asyncio.to_thread(process.stdout.readline) == "stopped silent\n"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
