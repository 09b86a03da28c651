"""Two builds of Plaza, of which one sleeps a little where it makes a post's page: `plaza replay ab` says so, and says where."""

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands import sources
from models import connected
from models.writing import Draft
from settings import ROOT
from tests.commands.instances import Instance, free_port
from tests.harness import people as everybody

pytestmark = pytest.mark.long
POSTS, SECONDS, RATE = 30, 4, 60  # of the log; RATE a second
HANDLER = "        models = self.app.models\n        post = await models.posts.published(int(id))\n        here ="
PATIENCE = 1800.0  # s for 18 runs, on a machine that does much else


@contextmanager
def build(folder: Path, *, slow: bool) -> Iterator[Instance]:
    """A running site of its own copy of the source. Nginx keeps a page for two seconds at most: what one run has stored, the
    next does not find, whichever of the two sites had its turn before."""
    sources.copy(str(ROOT), folder / "source")
    (folder / "source" / ".venv").symlink_to((ROOT / ".venv").resolve())
    if slow:
        handler = folder / "source" / "handlers" / "posts.py"
        text = handler.read_text()
        assert text.count(HANDLER) == 1
        handler.write_text(text.replace(HANDLER, f"        await asyncio.sleep(0.005)\n{HANDLER}"))
    choices = {"PLAZA_PAGE_TTL": "2", "PLAZA_REPLAY_TARGET": "true"}
    site = Instance(folder / "var", free_port(), choices, program=str(folder / "source" / "plaza"))
    try:
        site.up("--web", "1")
        yield site
    finally:
        site.plaza("down")


async def written(site: Instance) -> list[str]:
    """The addresses of its posts."""
    async with connected(site.settings) as models:
        people = await everybody.find(models)
        posts = [
            await models.writing.create(Draft(f"On lunch {n}", "", "Where? " * 200, ()), by=people.alice, publish=True)
            for n in range(POSTS)
        ]
    return [f"/blog/{post.id}-{post.slug}" for post in posts]


def access_log(posts: list[str], path: Path) -> None:
    """Of ten requests eight are for posts, a few of which are read much. Three come by a link with an old title, each with
    another: where the post is now is told by the handler, and kept nowhere but in Nginx. Pages are kept by the process too, so
    most answers do not wait for the handler."""
    began, chance, lines = datetime(2026, 11, 29, 10, tzinfo=UTC), random.Random(8), list[str]()
    for i in range(SECONDS * RATE):
        post, kind = posts[min(int(chance.paretovariate(1)), POSTS) - 1], i % 10
        old = f"{post.partition('-')[0]}-an-old-title-{i}"
        target = "/" if kind == 0 else "/about" if kind == 5 else old if kind in (2, 4, 7) else post
        at, status = began + timedelta(seconds=i // RATE), 301 if target == old else 200
        lines.append(
            f'192.0.2.{i % 50} - - [{at:%d/%b/%Y:%H:%M:%S %z}] "GET {target} HTTP/1.1" {status} 5000 "-" "reader"'
        )
    path.write_text("\n".join(lines) + "\n")


def test_the_slower_build_is_named_and_the_route_that_sleeps(tmp_path: Path) -> None:
    log, record, result = tmp_path / "access.log", tmp_path / "day.rec.jsonl.gz", tmp_path / "ab.json"
    with ExitStack() as stack:
        sites = [stack.enter_context(build(tmp_path / name, slow=name == "b")) for name in "ab"]
        for site in sites:
            everybody.register_all(site.settings)
        posts, same = (asyncio.run(written(site)) for site in sites)
        assert posts == same
        access_log(posts, log)
        a, b = sites
        imported = a.plaza("replay", "import", "combined", str(log), "--out", str(record))
        assert imported.returncode == 0, imported.stdout + imported.stderr

        done = a.plaza(
            "replay", "ab", str(record), "--a", f"http://localhost:{a.port}", "--b", f"http://localhost:{b.port}", "--rounds",
            "8", "--invalid-too", "--no-selfcheck", "--pace", "absolute", "--out", str(result), timeout=PATIENCE,
        )  # fmt: skip

    assert done.returncode == 1, done.stdout + done.stderr
    told = json.loads(result.read_text())
    assert told["comparison"]["verdict"] == "slower", done.stdout
    assert f"B (http://localhost:{b.port}) is slower" in told["comparison"]["sentence"]
    slower = {row["route"] for row in told["comparison"]["rows"] if row["word"] == "slower" and row["route"]}
    assert slower == {"GET /blog/<n>-<slug>"}, done.stdout
    for run in told["runs"]:
        assert set(run["outcomes"]) == {"200", "301"}, run["outcomes"]
