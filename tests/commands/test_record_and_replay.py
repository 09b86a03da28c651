"""As somebody at the keyboard does it: back up, record, restore a copy, prepare it, and replay the day at it."""

import asyncio
import json
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from models import connected
from models.writing import Draft
from replay import reading
from settings import Settings
from tests.commands.instances import Instance
from tests.harness import people as everybody
from tests.harness.browser import Browser
from tests.replay.a_day import FORM, a_day

pytestmark = pytest.mark.long
PATIENCE = 60.0  # s


async def before(settings: Settings) -> tuple[str, str, str]:
    """What was there before the backup: (the address of a post, Olga's session, Alice's token)."""
    async with connected(settings) as models:
        people = await everybody.find(models)
        post = await models.writing.create(Draft("On lunch", "", "Where?", ()), by=people.alice, publish=True)
        olga = await models.sessions.start(people.olga.id, days=30, ip=None, user_agent="olga")
        alice = await models.sessions.by_token(
            await models.sessions.start(people.alice.id, days=30, ip=None, user_agent="")
        )
        assert alice
        _, token = await models.tokens.create("old", ("read", "write"), days=None, by=people.alice, session=alice)
        return f"/blog/{post.id}-{post.slug}", olga, token


def joined(site: Instance) -> int:
    name = f"{site.settings.run}/record.sock~"
    return sum(line.endswith(name) and " 03 " in line for line in Path("/proc/net/unix").read_text().splitlines())


async def the_day(site: Instance, path: str, session: str, token: str) -> None:
    client = AsyncHTTPClient(force_instance=True)

    def browse(program: str) -> Browser:
        browser = Browser(client, f"http://localhost:{site.port}")
        browser.headers["User-Agent"] = program
        return browser

    await a_day(browse, path)
    olga, script = browse("olga"), browse("old script")
    olga.cookies = {"plaza": session, "member": "1"}
    script.headers["Authorization"] = f"Bearer {token}"
    await olga.get("/manage/users")
    await olga.post(path.partition("-")[0] + "/comments", {"body": "Noted."}, headers=FORM)
    await script.get("/api/v1/me/tokens", accept="application/json")
    await script.get("/api/v1/files?mine=true", accept="application/json")
    client.close()


def test_a_recorded_day_replays_at_a_restored_copy(first: Instance, fresh: Instance, tmp_path: Path) -> None:
    everybody.register_all(first.settings)
    path, session, token = asyncio.run(before(first.settings))
    assert first.plaza("backup", str(tmp_path / "site.plaza")).returncode == 0
    record, result = tmp_path / "day.rec.jsonl.gz", tmp_path / "run.json"

    with first.started("record", "--out", str(record)) as recorder:
        latest = time.monotonic() + PATIENCE
        while joined(first) < 1:
            assert time.monotonic() < latest
            time.sleep(0.1)
        asyncio.run(the_day(first, path, session, token))
        recorder.send_signal(signal.SIGINT)
        assert recorder.wait(PATIENCE) == 0

    fresh.environment["PLAZA_REPLAY_TARGET"] = "true"
    restored = fresh.plaza("restore", str(tmp_path / "site.plaza"))
    assert restored.returncode == 0, restored.stderr
    fresh.up("--web", "1")
    recorded = reading.read(record)
    refused = first.plaza("replay", "prepare", str(record))
    key = first.var / "secrets" / "captures" / recorded.header.key_id
    prepared = fresh.plaza("replay", "prepare", str(record), "--key", str(key))
    replayed = fresh.plaza(
        "replay", "run", str(record), "--target", f"http://localhost:{fresh.port}", "--writes", "--no-selfcheck",
        "--speed", "2", "--out", str(result),
    )  # fmt: skip
    run = json.loads(result.read_text())
    told = dict(
        line.rsplit(None, 1) for line in prepared.stdout.splitlines() if line.startswith("  ") and line[-1:].isdigit()
    )

    assert refused.returncode == 3
    assert prepared.returncode == 0, prepared.stderr
    assert {"sessions recognised": "1", "tokens recognised": "1"}.items() <= {
        name.strip(): number for name, number in told.items()
    }.items(), prepared.stdout
    assert run["unmapped"] == 0, replayed.stdout
    assert run["outcomes"] == dict(Counter(str(one.answer.status) for one in recorded.requests)), replayed.stdout
    assert run["changed"] == {}, replayed.stdout
