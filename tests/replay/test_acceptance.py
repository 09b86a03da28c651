"""From a recording to its replay against a copy: members' traffic, sign-ins and writes included, ends as it did."""

import asyncio
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from models import connected
from models.writing import Draft
from settings import ROOT, Settings, environment
from tests.harness import people as everybody
from tests.harness.browser import Browser
from tests.harness.people import PASSWORD, email_of
from tests.harness.servers import Databases
from tests.harness.site import Site, run_site
from tests.replay.a_day import NEW_PASSWORD, a_day
from tests.replay.taping import Tape, taping

TOLD = ("var", "mysql_url", "redis_url", "namespace", "port", "site_url", "replay_target")


@pytest.fixture(scope="module")
def target(databases: Databases) -> Iterator[Site]:
    with run_site(databases, replay_target=True) as running_site:
        yield running_site


async def a_post(settings: Settings) -> str:
    """Its address."""
    async with connected(settings) as models:
        alice = (await everybody.find(models)).alice
        post = await models.writing.create(Draft("On lunch", "", "Where?", ()), by=alice, publish=True)
        return f"/blog/{post.id}-{post.slug}"


async def plaza(settings: Settings, *arguments: str | Path) -> tuple[int, str]:
    """(exit status, all that it said) of a command for this site."""
    env = environment({name: str(getattr(settings, name)) for name in TOLD})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "commands", *map(str, arguments), cwd=ROOT, env=env | {"NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def recorded(site: Site, client: AsyncHTTPClient, path: Path, post: str) -> Tape:
    def browse(program: str) -> Browser:
        browser = Browser(client, site.url)
        browser.headers["User-Agent"] = program
        return browser

    async with taping(site.settings, path) as tape:
        count = await a_day(browse, post)
    assert len(tape.read().requests) == count
    assert not tape.dropped
    return tape


def outcomes(tape: Tape) -> Counter[str]:
    return Counter(str(request.answer.status) for request in tape.read().requests)


async def test_a_day_of_members_is_replayed_to_the_same_end(
    whole_site: Site, target: Site, http_client: AsyncHTTPClient, tmp_path: Path
) -> None:
    """The target has the same people and the same post as the site that is recorded."""
    post = await a_post(whole_site.settings)
    assert await a_post(target.settings) == post
    tape = await recorded(whole_site, http_client, tmp_path / "day.rec.jsonl.gz", post)
    text = gzip.decompress(tape.path.read_bytes()).decode()
    key = tmp_path / tape.key.id
    key.write_text(tape.key.secret.hex())

    prepared = await plaza(target.settings, "replay", "prepare", tape.path, "--key", key)
    replayed = await plaza(
        target.settings, "replay", "run", tape.path, "--target", target.url, "--writes", "--out", tmp_path / "run.json",
        "--speed", "2", "--no-selfcheck",
    )  # fmt: skip
    run: dict[str, Any] = json.loads((tmp_path / "run.json").read_text())

    assert not [word for word in (PASSWORD, NEW_PASSWORD, email_of("bob"), "127.0.0.1", "{{post:1}}") if word in text]
    assert prepared[0] == 0, prepared[1]
    assert "addresses recognised" in prepared[1]
    assert (run["unmapped"], run["outcomes"]) == (0, dict(outcomes(tape))), replayed[1]
